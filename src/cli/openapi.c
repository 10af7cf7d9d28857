/* openapi.c - caisson openapi CONTRACT */
#include <string.h>

#include "api/openapi.h"
#include "cli/command.h"
#include "contract/load.h"
#include "server/config.h"
#include "server/generation.h"

enum { DOCUMENT_BYTES_MAX = 256 * 1024 * 1024 };

static const OptionTable table = {
    .command = "openapi",
    .arguments = "CONTRACT",
    .positional_min = 1,
    .positional_max = 1,
    .summary = "Prints the OpenAPI 3.1 document of a contract, as the server has it at /openapi.json.",
};

/* The server's own options, of which only these show in the document. */
static bool is_told(const OptionSpec *option) {
  static const char *const names[] = {"page-size", "page-size-max", "batch-max", "groups-max", "filter-max", "require-if-match"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(option->name, names[i]) == 0) return true;
  }
  return false;
}

static bool choose_options(Cli *cli, OptionTable *ret) {
  OptionSpec *chosen = ARENA_ARRAY(cli->arena, OptionSpec, SERVE_OPTIONS.option_count);
  if (chosen == NULL) return false;
  *ret = table;
  for (size_t i = 0; i < SERVE_OPTIONS.option_count; i++) {
    if (is_told(&SERVE_OPTIONS.options[i])) chosen[ret->option_count++] = SERVE_OPTIONS.options[i];
  }
  ret->options = chosen;
  return true;
}

static ExitStatus print_document(Cli *cli, const Contract *contract, const ServeConfig *config) {
  Error err;
  const EngineLimits limits = generation_limits(config);
  const OpenapiOptions options = {.limits = &limits, .is_precondition_required = config->is_match_required};
  Buf text = buf_on(cli->arena, DOCUMENT_BYTES_MAX);
  if (openapi_write(contract, &options, cli->arena, &text, &err) != CODE_OK) return cli_fail(cli, &err);
  buf_add_byte(&text, '\n');
  return cli_print(&text);
}

static ExitStatus command_openapi(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  OptionTable chosen;
  ServeConfig config = {0};
  OptionList positional;
  if (!choose_options(cli, &chosen)) return EXIT_OUTSIDE;
  if (!cli_parse(cli, &chosen, &config, &positional, &status)) return status;
  Contract *contract = NULL;
  status = cli_load_contract(cli, positional.items[0], &contract);
  if (status != EXIT_DONE) return status;
  status = print_document(cli, contract, &config);
  contract_destroy(contract);
  return status;
}

const Command COMMAND_OPENAPI = {.options = &table, .run = command_openapi, .summary = "CONTRACT: its OpenAPI 3.1 document, on stdout"};
