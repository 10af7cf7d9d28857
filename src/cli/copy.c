/* copy.c - caisson copy CONTRACT --from URL --to URL */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/datetime.h"
#include "cli/command.h"
#include "migrate/copy.h"
#include "store/store.h"

typedef struct CopyCommand {
  Str from, to;
  uint64_t lock_timeout_ms;
} CopyCommand;

#define AT(member) offsetof(CopyCommand, member)
static const OptionSpec options[] = {
    {"from", OPTION_TEXT, AT(from), NULL, "URL", "the store that is copied: sqlite:PATH or postgresql://..."},
    {"to", OPTION_TEXT, AT(to), NULL, "URL", "the store that takes it: new, or without rows"},
    {"lock-timeout", OPTION_DURATION, AT(lock_timeout_ms), "2s", "TIME", "how long to wait for a lock, then 3", .min = 1, .max = 3600000},
};
static const OptionTable table = {
    .command = "copy",
    .arguments = "CONTRACT --from URL --to URL [options]",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_min = 1,
    .positional_max = 1,
    .summary = "Copies everything that a contract names from one store to another, of whatever kinds: makes the\n"
               "tables, copies the rows, and compares both sides by count and checksum. All of it or nothing:\n"
               "where it fails or is killed, the target is as it was, and the same command begins again.",
    .footer = "caisson copy shop.graphql --from sqlite:./shop.db --to postgresql://user@host/shop",
};

/* ---- progress ---- */

enum { BAR_CELLS = 30, OUTPUT_BYTES_MAX = 16 * 1024 * 1024 };
static const int64_t BAR_PAUSE_US = 100000;

typedef struct Bar {
  int64_t drawn_us;
  CopyStage stage;
  bool is_drawn;
} Bar;

static void bar_clear(Bar *bar) {
  if (bar->is_drawn) (void)fputs("\r\033[K", stderr);
  bar->is_drawn = false;
}

static void bar_draw(void *context, CopyStage stage, Str name, int64_t done, int64_t total) {
  static const char *const words[] = {[COPY_ROWS] = "copying", [COPY_INDEXES] = "making indexes", [COPY_COMPARISON] = "comparing"};
  Bar *bar = context;
  /* The clock is asked seldom, and the terminal seldomer. */
  if (bar->is_drawn && bar->stage == stage && done % 64 != 0) return;
  int64_t now_us = timestamp_now();
  if (bar->is_drawn && bar->stage == stage && now_us - bar->drawn_us < BAR_PAUSE_US) return;
  *bar = (Bar){.drawn_us = now_us, .stage = stage, .is_drawn = true};
  int cells = total <= 0 ? BAR_CELLS : (int)(done >= total ? BAR_CELLS : done * BAR_CELLS / total);
  (void)fprintf(stderr, "\r\033[K[%.*s%*s] %3d%% %s %.*s", cells, "##############################", BAR_CELLS - cells, "",
                total <= 0 || done >= total ? 100 : (int)(done * 100 / total), words[stage], (int)(name.len > 40 ? 40 : name.len),
                name.len == 0 ? "" : name.ptr);
}

static bool wants_bar(void) {
  const char *terminal = getenv("TERM");
  return isatty(STDERR_FILENO) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

/* ---- all of it ---- */

static ExitStatus print(Cli *cli, const CopiedTables *copied) {
  Buf out = buf_on(cli->arena, OUTPUT_BYTES_MAX);
  int64_t rows = 0;
  size_t width = 5;
  for (size_t i = 0; i < copied->count; i++) width = copied->items[i].table.len > width ? copied->items[i].table.len : width;
  for (size_t i = 0; i < copied->count; i++) {
    const CopiedTable *one = &copied->items[i];
    buf_printf(&out, "%-*.*s %10" PRId64 " rows  %016" PRIx64 "%016" PRIx64 "\n", (int)width, STR_ARGS(one->table), one->rows, one->sum[0],
               one->sum[1]);
    rows += one->rows;
  }
  buf_printf(&out, "copied %" PRId64 " rows of %zu tables; counts and checksums are the same on both sides\n", rows, copied->count);
  return cli_print(&out);
}

/* Defaults that the database computes come from its makers, and are not the contract's to make again. */
static void warn_of_defaults(const Cli *cli, const Contract *contract) {
  for (size_t i = 0; i < contract->resource_count; i++) {
    const Resource *resource = contract->resources[i];
    for (size_t k = 0; k < resource->stored_count; k++) {
      const Field *field = resource->stored[k];
      bool is_numbered = field->is_key && (field->type == TYPE_INT || field->type == TYPE_BIGINT);
      if (field->default_kind != DEFAULT_DATABASE || is_numbered) continue;
      cli_warn(cli, "%.*s.%.*s: the source's database fills this in by itself (@default(database: true)); the target's will not",
               STR_ARGS(resource->name), STR_ARGS(field->name));
    }
  }
}

static ExitStatus run(Cli *cli, const CopyCommand *given, const Contract *contract) {
  Error err = {0};
  Str details = {NULL, 0};
  Bar bar = {0};
  CopiedTables copied = {0};
  StoreOptions from = {.url = given->from,
                       .writes_queued_max = 1,
                       .loops = 1,
                       .lock_timeout_us = (int64_t)given->lock_timeout_ms * 1000,
                       .report = cli_report_store,
                       .report_context = cli},
               to = from;
  from.is_read_only = true;
  to.url = given->to;
  CopyOptions chosen = {
      .contract = contract, .lock_timeout_ms = (int64_t)given->lock_timeout_ms, .progress = wants_bar() ? bar_draw : NULL, .context = &bar};
  Code code = store_open(&from, &chosen.from, &err);
  if (code == CODE_OK) code = store_open(&to, &chosen.to, &err);
  if (code == CODE_OK) code = store_copy(&chosen, cli->arena, &copied, &details, &err);
  bar_clear(&bar);
  ExitStatus status = code == CODE_OK ? print(cli, &copied) : cli_fail(cli, &err);
  if (code == CODE_OK) warn_of_defaults(cli, contract);
  if (code != CODE_OK && details.len > 0) (void)fprintf(stderr, "%.*s\n", STR_ARGS(str_trim(details)));
  store_close(chosen.to);
  store_close(chosen.from);
  return status;
}

static ExitStatus command_copy(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  CopyCommand given = {0};
  OptionList positional;
  if (!cli_parse(cli, &table, &given, &positional, &status)) return status;
  if (given.from.len == 0 || given.to.len == 0) return cli_wrong_usage(cli, &table, "--from and --to are both needed");
  const StoreDriver *from = store_driver_of(given.from), *to = store_driver_of(given.to);
  char forms[STORE_FORMS_BYTES];
  if (from == NULL || to == NULL) return cli_wrong_usage(cli, &table, "--%s wants %s", from == NULL ? "from" : "to", store_forms(forms));
  if (from->migrator == NULL || to->migrator == NULL)
    return cli_wrong_usage(cli, &table, "--%s: a store of this kind can't be copied", from->migrator == NULL ? "from" : "to");
  if (str_equal(given.from, given.to)) return cli_wrong_usage(cli, &table, "--from and --to are the same store");
  Contract *contract = NULL;
  status = cli_load_contract(cli, positional.items[0], &contract);
  if (status == EXIT_DONE) status = run(cli, &given, contract);
  contract_destroy(contract);
  return status;
}

const Command COMMAND_COPY = {
    .options = &table, .run = command_copy, .summary = "CONTRACT --from URL --to URL: everything from one store into another"};
