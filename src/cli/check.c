/* check.c - caisson check CONTRACT */
#include <stdio.h>

#include "cli/command.h"
#include "contract/load.h"

static const OptionTable table = {
    .command = "check",
    .arguments = "CONTRACT",
    .positional_min = 1,
    .positional_max = 1,
    .summary = "Checks a contract (a file, or a folder of .graphql files) and tells every mistake at once, each with\n"
               "its file, line and column, the line itself and a hint. Exit status 1 where there is any.",
};

static ExitStatus command_check(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  OptionList positional;
  if (!cli_parse(cli, &table, NULL, &positional, &status)) return status;
  Contract *contract = NULL;
  status = cli_load_contract(cli, positional.items[0], &contract);
  if (status != EXIT_DONE) return status;
  size_t fields = 0;
  for (size_t i = 0; i < contract->resource_count; i++) fields += contract->resources[i]->field_count;
  Buf text = buf_on(cli->arena, 1024);
  buf_printf(&text, "%.*s %.*s: no mistakes in %zu resource%s, %zu field%s\n", STR_ARGS(contract->service_name),
             STR_ARGS(contract->service_version), contract->resource_count, contract->resource_count == 1 ? "" : "s", fields,
             fields == 1 ? "" : "s");
  contract_destroy(contract);
  return cli_print(&text);
}

const Command COMMAND_CHECK = {.options = &table, .run = command_check, .summary = "CONTRACT: every mistake at once"};
