/* serve.c - caisson serve CONTRACT… [options] */
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "contract/load.h"
#include "contract/versions.h"
#include "server/app.h"

static void warn(void *context, Str text) { cli_warn(context, "%.*s", STR_ARGS(text)); }

static void show_addresses(OptionList addresses) {
  for (size_t i = 0; i < addresses.count; i++) (void)printf("listening on %.*s\n", STR_ARGS(addresses.items[i]));
  (void)fflush(stdout);
}

static ExitStatus fail(const Cli *cli, Code code, Str details, const Error *err) {
  ExitStatus status = cli_fail(cli, err);
  if (details.len != 0) (void)fprintf(stderr, "%.*s\n", STR_ARGS(str_trim(details)));
  return code == CODE_BAD_REQUEST ? EXIT_WRONG_USAGE : status;
}

/* All contracts' mistakes are told, not only the first's. */
static ExitStatus load_all(Cli *cli, AppContracts *contracts) {
  ExitStatus status = EXIT_DONE;
  for (size_t i = 0; i < contracts->count; i++) {
    ExitStatus one = cli_load_contract(cli, contracts->paths[i], &contracts->items[i]);
    if (one > status) status = one;
  }
  for (size_t i = 0; status != EXIT_DONE && i < contracts->count; i++) {
    if (contracts->items[i] != NULL) contract_destroy(contracts->items[i]);
  }
  return status;
}

static ExitStatus serve(Cli *cli, const ServeConfig *config, OptionList paths) {
  Contract *items[CONTRACT_VERSIONS_MAX] = {NULL};
  AppContracts contracts = {.paths = paths.items, .items = items, .count = paths.count};
  App *app = NULL;
  Str details = {NULL, 0};
  Error err = {0};
  ExitStatus status = load_all(cli, &contracts);
  if (status != EXIT_DONE) return status;
  Code code = app_create(config, &contracts, warn, cli, cli->arena, &app, &details, &err);
  if (code != CODE_OK) return fail(cli, code, details, &err);
  show_addresses(app_addresses(app));
  bool is_idle = true;
  code = app_run(app, &is_idle, &err);
  if (!is_idle) _exit(EXIT_DONE);
  app_destroy(app);
  return code == CODE_OK ? EXIT_DONE : cli_fail(cli, &err);
}

static ExitStatus command_serve(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  ServeConfig config = {0};
  OptionList positional;
  Error err = {0};
  if (!cli_parse(cli, &SERVE_OPTIONS, &config, &positional, &status)) return status;
  if (serve_config_check(&config, &err) != CODE_OK) return (void)cli_fail(cli, &err), EXIT_WRONG_USAGE;
  return serve(cli, &config, positional);
}

const Command COMMAND_SERVE = {.options = &SERVE_OPTIONS, .run = command_serve, .summary = "CONTRACT... [options]: the server"};
