/* simulation.c - the world of one run: a disk, a server, its clients, and an operator who stops, kills and starts the server while they
 * work, and looks at the end whether everything is there. */
#include "simulation.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/token.h"
#include "client.h"
#include "disk.h"
#include "schedule.h"
#include "server.h"
#include "vfs.h"

#define SECRET "a secret of thirty-two bytes or more"
enum { END_MAX_S = 60 };

typedef struct Simulation {
  const Plan *plan;
  ServerOptions server;
  Model model;
  Client *clients;
  size_t running; /* clients that have not done their steps */
  Task *operator;
  Random random; /* the operator's */
} Simulation;

/* ---- clients ---- */

static void make_token(int client, char *ret, size_t size) {
  HmacKey *key = NULL;
  Arena *arena = arena_create(0);
  Str token = {NULL, 0}, subject = arena_printf(arena, "c%d", client);
  TokenSpec spec = {.subject = subject};
  Error err;
  bool is_made = hmac_key_create(STR(SECRET), &key, &err) == CODE_OK && token_make(key, &spec, arena, &token, &err) == CODE_OK;
  assert(is_made && token.len < size);
  memcpy(ret, token.ptr, token.len);
  ret[token.len] = '\0';
  hmac_key_destroy(key);
  arena_destroy(arena);
}

static void client_ended(void *context) {
  Simulation *simulation = context;
  if (--simulation->running == 0) task_wake(simulation->operator);
}

static void start_clients(Simulation *simulation) {
  const Plan *plan = simulation->plan;
  simulation->clients = calloc(plan->clients, sizeof *simulation->clients);
  assert(simulation->clients != NULL);
  for (unsigned i = 0; i < plan->clients; i++) {
    Client *client = &simulation->clients[i];
    *client = (Client){.plan = plan,
                       .model = &simulation->model,
                       .number = (int)i,
                       .steps_left = plan->steps,
                       .random = random_seeded(plan->seed * 1000 + i),
                       .ended = client_ended,
                       .ended_context = simulation};
    make_token(client->number, client->token, sizeof client->token);
    simulation->running++;
    (void)task_start(NULL, "client", client_run, client);
  }
}

/* ---- the operator ---- */

static void lose_power(void *context) {
  (void)context;
  server_kill(true);
}

static void heal_disk(void *context) {
  (void)context;
  trace("the disk is well");
  disk_set_faults(&(DiskFaults){0});
}

static void hurt_disk(Simulation *simulation) {
  Random *random = &simulation->random;
  DiskFaults faults = {0};
  switch (random_below(random, 4)) {
    case 0: faults.sync = 2; break;
    case 1: faults.full = 2; break;
    case 2: faults.write = 10; break;
    default: faults.read = 20; break;
  }
  trace("the disk fails");
  disk_set_faults(&faults);
  schedule_at(schedule_now_us() + random_between(random, 1000, 1000000), heal_disk, NULL);
}

static void cause(Simulation *simulation, Fault fault) {
  Random *random = &simulation->random;
  if (fault == FAULT_STOP) server_stop();
  if (fault == FAULT_RELOAD) server_reload();
  if (fault == FAULT_KILL) server_kill(false);
  if (fault == FAULT_POWER) disk_crash_before((uint64_t)random_between(random, 1, 300), lose_power, NULL);
  if (fault == FAULT_DISK) hurt_disk(simulation);
  if (fault == FAULT_MEMORY) server_fail_allocation((size_t)random_between(random, 1, 3000));
}

static void cause_something(Simulation *simulation) {
  Fault fault = 1u << random_below(&simulation->random, FAULT_COUNT);
  if ((simulation->plan->faults & fault) != 0) cause(simulation, fault);
}

static void start_again(Simulation *simulation) {
  task_sleep(random_between(&simulation->random, 0, 400000));
  server_start(&simulation->server, simulation->operator);
}

static void operate(Simulation *simulation) {
  while (simulation->running > 0) {
    if (!server_is_running())
      start_again(simulation);
    else if (server_is_listening())
      cause_something(simulation);
    task_wait(schedule_now_us() + random_between(&simulation->random, 10000, 6000000));
  }
}

/* ---- options ---- */

typedef struct Choice {
  const char *option;
  const char *values[4]; /* up to a NULL */
} Choice;

static const Choice limits[] = {
    {"--request-timeout", {"60ms", "1s", "30s"}},
    {"--statement-timeout", {"20ms", "1s", "5s"}},
    {"--header-timeout", {"200ms", "3s", "10s"}},
    {"--idle-timeout", {"100ms", "5s", "60s"}},
    {"--drain-timeout", {"0s", "50ms", "30s"}},
    {"--writes-queued-max", {"1", "3", "10000"}},
    {"--requests-in-flight-max", {"1", "4", "1024"}},
    {"--connections-max", {"3", "10", "10000"}},
    {"--streams-max", {"1", "2", "1024"}},
    {"--plans-max", {"16", "1000"}},
};

static void choose_options(Simulation *simulation) {
  const char **at = simulation->server.arguments;
  *at++ = "--threads";
  *at++ = random_chance(&simulation->random, 2) ? "1" : "2";
  if ((simulation->plan->faults & FAULT_LIMITS) == 0) return;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    size_t count = 0;
    while (count < 4 && limits[i].values[count] != NULL) count++;
    *at++ = limits[i].option;
    *at++ = limits[i].values[random_below(&simulation->random, count)];
    trace("%s %s", at[-2], at[-1]);
  }
}

/* ---- the end ---- */

static void ask(Simulation *simulation, HttpClient *http, const Client *client, Group *group, Arena *arena) {
  Call call = {.kind = group == NULL ? CALL_LIST : CALL_LIST_GROUP,
               .group = group,
               .caller = client->number,
               .face = &face_rest,
               .request_id = "last"};
  HttpRequest request;
  HttpAnswer answer;
  size_t index = 0;
  call_begin(&call);
  call_write(&call, str_of(client->token), arena, &request);
  int64_t until_us = schedule_now_us() + END_MAX_S * INT64_C(1000000);
  if (!http_ask(http, &request, 1, until_us) || http_take(http, until_us, arena, &index, &answer) != HTTP_ANSWERED || answer.status != 200)
    violation("a server without any trouble does not answer at the end");
  call_settle(&simulation->model, &call, &answer, arena);
}

/* Everybody asks for everything, when all is quiet. */
static void check_all(Simulation *simulation) {
  NetProfile profile = {.delay_max_us = 10, .piece_max = 65536, .read_max = 65536, .window = 1 << 20};
  HttpClient http = {.task = simulation->operator};
  Arena *arena = arena_create(0);
  if (!http_connect(&http, &profile, false)) violation("nobody listens at the end");
  for (size_t i = 0; i < simulation->plan->clients; i++) {
    ask(simulation, &http, &simulation->clients[i], NULL, arena);
    for (size_t j = 0; j < simulation->model.count; j++)
      ask(simulation, &http, &simulation->clients[i], simulation->model.groups[j], arena);
    arena_reset(arena);
  }
  http_done(&http);
  arena_destroy(arena);
}

static int on_check(void *context, int count, char **values, char **names) {
  (void)context, (void)count, (void)names;
  if (strcmp(values[0], "ok") != 0) violation("the database is damaged: %s", values[0]);
  return 0;
}

static void check_database(const Simulation *simulation) {
  sqlite3 *db = NULL;
  int result = sqlite3_open(simulation->server.store, &db);
  if (result == SQLITE_OK) result = sqlite3_exec(db, "PRAGMA integrity_check", on_check, NULL, NULL);
  if (result != SQLITE_OK) violation("the database can't be opened: %s", sqlite3_errmsg(db));
  sqlite3_close(db);
}

static void wait_until(bool (*is_so)(void), bool wanted, const char *what) {
  int64_t until_us = schedule_now_us() + END_MAX_S * INT64_C(1000000);
  while (is_so() != wanted && schedule_now_us() < until_us) task_wait(schedule_now_us() + 100000);
  if (is_so() != wanted) violation("the server %s", what);
}

static void end(Simulation *simulation) {
  disk_crash_before(0, NULL, NULL);
  disk_set_faults(&(DiskFaults){0});
  server_fail_allocation(0);
  trace("everybody is done");
  /* One that is stopping or starting comes to an end with that first. */
  task_sleep(END_MAX_S * INT64_C(1000000));
  if (!server_is_running()) start_again(simulation);
  wait_until(server_is_listening, true, "does not start");
  check_all(simulation);
  server_stop();
  wait_until(server_is_running, false, "does not stop");
  check_database(simulation);
}

static void operator_main(void *context) {
  Simulation *simulation = context;
  simulation->operator= task_current();
  server_start(&simulation->server, simulation->operator);
  wait_until(server_is_listening, true, "does not start");
  start_clients(simulation);
  operate(simulation);
  end(simulation);
  schedule_stop();
}

/* The store looks whether its file is there: an empty one. */
static void make_folder(char ret_folder[32], char ret_path[64]) {
  (void)snprintf(ret_folder, 32, "/tmp/simulate-XXXXXX");
  bool is_made = mkdtemp(ret_folder) != NULL;
  assert(is_made);
  (void)snprintf(ret_path, 64, "%s/simulated.db", ret_folder);
}

SimulationResult simulation_run(const Plan *plan, const char *contract) {
  char folder[32], path[64];
  make_folder(folder, path);
  Simulation simulation = {.plan = plan, .random = random_seeded(plan->seed ^ UINT64_C(0x5EED))};
  schedule_start(plan->seed, plan->is_traced);
  vfs_install();
  simulation.server = (ServerOptions){.contract = contract, .store = path, .secret = SECRET};
  choose_options(&simulation);
  (void)task_start(NULL, "operator", operator_main, &simulation);
  schedule_run();
  (void)unlink(path);
  (void)rmdir(folder);
  SimulationResult result = {.has_failed = has_violation(), .digest = trace_digest(), .lives = server_life()};
  for (size_t i = 0; simulation.clients != NULL && i < plan->clients; i++) result.requests += simulation.clients[i].requests;
  free(simulation.clients);
  model_done(&simulation.model);
  return result;
}
