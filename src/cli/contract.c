/* contract.c - caisson contract --prelude */
#include <stddef.h>

#include "cli/command.h"
#include "contract/load.h"

typedef struct ContractOptions {
  bool is_prelude;
} ContractOptions;

static const OptionSpec options[] = {
    {"prelude", OPTION_FLAG, offsetof(ContractOptions, is_prelude), NULL, NULL, "print the definitions of all directives and scalars"},
};
static const OptionTable table = {
    .command = "contract",
    .arguments = "--prelude",
    .options = options,
    .option_count = 1,
    .summary = "Prints what contracts are written with, as GraphQL SDL, so that editors complete and check it.",
};

static ExitStatus command_contract(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  ContractOptions chosen = {0};
  OptionList positional;
  if (!cli_parse(cli, &table, &chosen, &positional, &status)) return status;
  if (!chosen.is_prelude) {
    Error err;
    (void)error_set(&err, CODE_BAD_REQUEST, "say what to print: caisson contract --prelude");
    (void)cli_fail(cli, &err);
    return EXIT_WRONG_USAGE;
  }
  Str prelude = contract_prelude(cli->arena);
  Buf text = buf_on(cli->arena, prelude.len + 1);
  buf_add(&text, prelude);
  if (prelude.ptr == NULL) text.failed = CODE_UNAVAILABLE;
  return cli_print(&text);
}

const Command COMMAND_CONTRACT = {
    .options = &table, .run = command_contract, .summary = "--prelude: the directives' definitions, for editors"};
