/* graphql.c - caisson graphql CONTRACT */
#include "api/graphql_schema.h"
#include "cli/command.h"
#include "contract/load.h"

enum { DOCUMENT_BYTES_MAX = 256 * 1024 * 1024 };

static const OptionTable table = {
    .command = "graphql",
    .arguments = "CONTRACT",
    .positional_min = 1,
    .positional_max = 1,
    .summary = "Prints the GraphQL schema of a contract, as the server has it at /graphql.",
};

static ExitStatus print_schema(Cli *cli, const Contract *contract) {
  Error err;
  GraphqlSchema *schema = NULL;
  if (graphql_schema_create(contract, cli->arena, &schema, &err) != CODE_OK) return cli_fail(cli, &err);
  Buf text = buf_on(cli->arena, DOCUMENT_BYTES_MAX);
  graphql_sdl_write(schema, &text);
  return cli_print(&text);
}

static ExitStatus command_graphql(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  OptionList positional;
  char nothing;
  if (!cli_parse(cli, &table, &nothing, &positional, &status)) return status;
  Contract *contract = NULL;
  status = cli_load_contract(cli, positional.items[0], &contract);
  if (status != EXIT_DONE) return status;
  status = print_schema(cli, contract);
  contract_destroy(contract);
  return status;
}

const Command COMMAND_GRAPHQL = {.options = &table, .run = command_graphql, .summary = "CONTRACT: its GraphQL schema, on stdout"};
