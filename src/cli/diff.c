/* diff.c - caisson diff OLD NEW: what changes between two contracts, with an exit status for continuous integration. */
#include "contract/diff.h"

#include "cli/command.h"
#include "contract/load.h"

enum { DIFF_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct DiffOptions {
  OptionList allow;
  int format; /* CliFormat */
} DiffOptions;

static const OptionSpec options[] = {
    CLI_FORMAT_OPTION(DiffOptions, format),
    {"allow", OPTION_LIST, offsetof(DiffOptions, allow), NULL, "CLASS", "breaking-readers, breaking-writers or access-widened; repeatable"},
};

static const OptionTable table = {
    .command = "diff",
    .arguments = "OLD NEW [options]",
    .summary = "Tells what changes between two contracts: compatible, breaking for readers, breaking for writers,\n"
               "access widened, access narrowed.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_min = 2,
    .positional_max = 2,
    .footer = "Exit status: 0 where nothing breaks and no access widens (but for what is allowed), else 1.",
};

static bool read_allowed(const OptionList *names, bool allowed[DIFF_CLASS_COUNT], Error *err) {
  allowed[DIFF_COMPATIBLE] = allowed[DIFF_ACCESS_NARROWED] = true;
  for (size_t i = 0; i < names->count; i++) {
    DiffClass class = 0;
    while (class < DIFF_CLASS_COUNT && !str_equal(diff_class_name(class), names->items[i])) class ++;
    if (class == DIFF_CLASS_COUNT) {
      (void)error_set(err, CODE_BAD_REQUEST, "--allow takes breaking-readers, breaking-writers or access-widened, not \"%.40s\"",
                      names->items[i].ptr);
      return false;
    }
    allowed[class] = true;
  }
  return true;
}

static ExitStatus compare(Cli *cli, const DiffOptions *chosen, const bool allowed[DIFF_CLASS_COUNT], const Contract *old,
                          const Contract *new) {
  Diff diff;
  Error err = {0};
  if (contract_diff(old, new, cli->arena, &diff, &err) != CODE_OK) return cli_fail(cli, &err);
  Buf out = buf_on(cli->arena, DIFF_BYTES_MAX);
  if (chosen->format == CLI_JSON)
    diff_write_json(&out, &diff);
  else
    diff_write_text(&out, &diff);
  ExitStatus status = cli_print(&out);
  for (DiffClass class = 0; class < DIFF_CLASS_COUNT; class ++) {
    if (status == EXIT_DONE && !allowed[class] && diff_count(&diff, class) > 0) status = EXIT_WRONG_INPUT;
  }
  return status;
}

static ExitStatus command_diff(Cli *cli) {
  DiffOptions chosen = {0};
  OptionList positional;
  ExitStatus status = EXIT_DONE;
  bool allowed[DIFF_CLASS_COUNT] = {false};
  Contract *old = NULL, *new = NULL;
  Error err = {0};
  if (!cli_parse(cli, &table, &chosen, &positional, &status)) return status;
  if (!read_allowed(&chosen.allow, allowed, &err)) return (void)cli_fail(cli, &err), EXIT_WRONG_USAGE;
  status = cli_load_contract(cli, positional.items[0], &old);
  if (status == EXIT_DONE) status = cli_load_contract(cli, positional.items[1], &new);
  if (status == EXIT_DONE) status = compare(cli, &chosen, allowed, old, new);
  contract_destroy(old);
  contract_destroy(new);
  return status;
}

const Command COMMAND_DIFF = {
    .options = &table, .run = command_diff, .summary = "OLD NEW: what changes between two contracts, and whom it breaks"};
