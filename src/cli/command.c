/* command.c - reporting, option parsing and contract loading for every command. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "contract/load.h"

enum { HELP_BYTES_MAX = 64 * 1024, DIAGNOSTICS_BYTES_MAX = 1024 * 1024 };

static const char *environment(const char *name) { return getenv(name); }

bool cli_parse(Cli *cli, const OptionTable *table, void *target, OptionList *ret_positional, ExitStatus *ret_status) {
  OptionsOutcome outcome;
  Error err = {0};
  Code code = options_parse(table, cli->args, cli->arg_count, environment, cli->arena, target, &outcome, ret_positional, &err);
  if (code != CODE_OK) {
    (void)cli_fail(cli, &err);
    (void)fprintf(stderr, "Try: caisson %s --help\n", table->command);
    *ret_status = code == CODE_UNAVAILABLE ? EXIT_OUTSIDE : EXIT_WRONG_USAGE;
    return false;
  }
  if (outcome == OPTIONS_PARSED) return true;
  Buf help = buf_on(cli->arena, HELP_BYTES_MAX);
  options_write_help(&help, table, outcome == OPTIONS_HELP_ALL);
  *ret_status = cli_print(&help);
  return false;
}

ExitStatus cli_wrong_usage(const Cli *cli, const OptionTable *table, const char *format, ...) {
  char text[sizeof((Error *)NULL)->text];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  Error err;
  (void)error_set(&err, CODE_BAD_REQUEST, "%s", text);
  (void)cli_fail(cli, &err);
  (void)fprintf(stderr, "Try: caisson %s --help\n", table->command);
  return EXIT_WRONG_USAGE;
}

ExitStatus cli_fail(const Cli *cli, const Error *err) {
  (void)fprintf(stderr, "caisson: %serror%s: %s\n", cli->has_colour ? "\033[1;31m" : "", cli->has_colour ? "\033[0m" : "", err->text);
  bool is_outside = err->code == CODE_UNAVAILABLE || err->code == CODE_INTERNAL || err->code == CODE_NOT_FOUND || err->code == CODE_TIMEOUT;
  return is_outside ? EXIT_OUTSIDE : EXIT_WRONG_INPUT;
}

void cli_warn(const Cli *cli, const char *format, ...) {
  (void)fprintf(stderr, "caisson: %swarning%s: ", cli->has_colour ? "\033[1;33m" : "", cli->has_colour ? "\033[0m" : "");
  va_list args;
  va_start(args, format);
  (void)vfprintf(stderr, format, args);
  va_end(args);
  (void)fputc('\n', stderr);
}

void cli_report_store(void *context, Str text) { cli_warn(context, "%.*s", STR_ARGS(text)); }

ExitStatus cli_print(const Buf *text) {
  bool is_whole = text->failed == CODE_OK && fwrite(text->ptr, 1, text->len, stdout) == text->len && fflush(stdout) == 0;
  return is_whole ? EXIT_DONE : EXIT_OUTSIDE;
}

ExitStatus cli_load_contract(Cli *cli, Str path, Contract **ret) {
  ContractSource source;
  DiagnosticList diagnostics = {0};
  Error err = {0};
  Code code = contract_source_read(path, cli->arena, &source, &err);
  if (code == CODE_OK) code = contract_load(source.files, source.count, cli->arena, ret, &diagnostics, &err);
  if (code == CODE_OK) return EXIT_DONE;
  if (diagnostics.count == 0) return cli_fail(cli, &err);
  Buf text = buf_on(cli->arena, DIAGNOSTICS_BYTES_MAX);
  diagnostics_write(&text, &diagnostics, cli->has_colour);
  (void)fwrite(text.ptr, 1, text.len, stderr);
  return EXIT_WRONG_INPUT;
}
