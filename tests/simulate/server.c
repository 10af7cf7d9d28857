/* server.c - see server.h. */
#include "server.h"

#include <signal.h>
#include <stdio.h>

#include "contract/load.h"
#include "disk.h"
#include "network.h"
#include "server/app.h"

enum { ARGUMENTS_MAX = 40 };

static struct {
  ServerOptions options;
  Process *process;
  Task *changed;
  bool is_listening;
  unsigned life;
} server;

static const char *no_environment(const char *name) {
  (void)name;
  return NULL;
}

static void on_warning(void *context, Str text) {
  (void)context;
  trace("it warns: %.*s", STR_ARGS(text));
}

static void changed(void) {
  if (server.changed != NULL) task_wake(server.changed);
}

static Code load(Arena *arena, Contract **ret, Error *err) {
  ContractSource source;
  DiagnosticList diagnostics = {0};
  TRY(contract_source_read(str_of(server.options.contract), arena, &source, err));
  return contract_load(source.files, source.count, arena, ret, &diagnostics, err);
}

static Code configure(Arena *arena, ServeConfig *ret, Error *err) {
  const char *store = arena_printf(arena, "sqlite:%s", server.options.store).ptr;
  const char *arguments[ARGUMENTS_MAX] = {"contract", "--listen",     "127.0.0.1:0",        "--log", "off", "--store",
                                          store,      "--jwt-secret", server.options.secret};
  size_t count = 9;
  for (const char *const *more = server.options.arguments; *more != NULL; more++) arguments[count++] = *more;
  OptionsOutcome outcome;
  OptionList positional;
  return options_parse(&SERVE_OPTIONS, arguments, count, no_environment, arena, ret, &outcome, &positional, err);
}

static Code serve(Arena *arena, bool *ret_is_idle, Error *err) {
  ServeConfig config = {0};
  Contract *contract = NULL;
  App *app = NULL;
  Str path = str_of(server.options.contract), details;
  TRY(configure(arena, &config, err));
  TRY(load(arena, &contract, err));
  AppContracts contracts = {.paths = &path, .items = &contract, .count = 1};
  TRY(app_create(&config, &contracts, on_warning, NULL, arena, &app, &details, err));
  trace("it listens");
  server.is_listening = true;
  changed();
  Code code = app_run(app, ret_is_idle, err);
  if (*ret_is_idle) app_destroy(app);
  return code;
}

static void server_main(void *context) {
  (void)context;
  Process *process = process_current();
  Arena *arena = arena_create(0);
  Error err = {0};
  bool is_idle = true;
  Code code = serve(arena, &is_idle, &err);
  if (code != CODE_OK) trace("it ends: %s", err.text);
  if (!is_idle) server_exited(process, 0);
  arena_destroy(arena);
  trace("it has ended");
  if (process_task_count(process) > 1) violation("the server has ended, and left threads behind");
  net_process_died(process, false);
  disk_process_died(false);
  server.process = NULL;
  server.is_listening = false;
  changed();
}

void server_start(const ServerOptions *options, Task *task) {
  server.options = *options;
  server.changed = task;
  server.is_listening = false;
  server.life++;
  server.process = process_create();
  (void)task_start(server.process, "server", server_main, NULL);
}

bool server_is_listening(void) { return server.is_listening; }
bool server_is_running(void) { return server.process != NULL; }
unsigned server_life(void) { return server.life; }

void server_stop(void) {
  trace("SIGTERM");
  if (server.process != NULL) process_signal(server.process, SIGTERM);
}

void server_reload(void) {
  trace("SIGHUP");
  if (server.process != NULL) process_signal(server.process, SIGHUP);
}

void server_fail_allocation(size_t n) {
  trace("its allocation %zu fails", n);
  if (server.process != NULL) process_fail_allocation(server.process, n);
}

static void die(bool power_lost) {
  Process *process = server.process;
  server.process = NULL;
  server.is_listening = false;
  net_process_died(process, power_lost);
  disk_process_died(power_lost);
  changed();
  process_kill(process);
}

void server_kill(bool power_lost) {
  if (server.process == NULL) return;
  trace(power_lost ? "the power is lost" : "SIGKILL");
  die(power_lost);
}

void server_exited(Process *process, int status) {
  trace("it exits with %d", status);
  if (process == server.process) die(false);
  process_kill(process);
}
