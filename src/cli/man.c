/* man.c - caisson man: the manual page, written from the same tables as --help. In the man macros of roff, whose lines must not begin with
 * a dot or an apostrophe of ours, and where a hyphen that is typed is \-. */
#include "cli/command_registry.h"

enum { PAGE_BYTES_MAX = 256 * 1024 };

static const OptionTable table = {
    .command = "man",
    .arguments = "",
    .summary = "Prints the manual page.",
    .footer = "caisson man > ~/.local/share/man/man1/caisson.1    then: man caisson",
};

static void add_text(Buf *out, Str text) {
  bool is_line_begin = true;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (is_line_begin && (c == '.' || c == '\'')) buf_add(out, STR("\\&"));
    is_line_begin = c == '\n';
    switch (c) {
      case '\\': buf_add(out, STR("\\e")); break;
      case '-': buf_add(out, STR("\\-")); break;
      case '\'': buf_add(out, STR("\\(aq")); break;
      case '"': buf_add(out, STR("\\(dq")); break;
      case '^': buf_add(out, STR("\\(ha")); break;
      case '~': buf_add(out, STR("\\(ti")); break;
      case '`': buf_add(out, STR("\\(ga")); break;
      default: buf_add_byte(out, c);
    }
  }
}

/* Lines stay lines, as in --help. */
static void add_block(Buf *out, const char *text) {
  buf_add(out, STR(".nf\n"));
  add_text(out, str_of(text));
  buf_add(out, STR("\n.fi\n"));
}

static void add_option(Buf *out, const OptionSpec *spec) {
  buf_add(out, STR(".TP\n\\fB\\-\\-"));
  add_text(out, str_of(spec->name));
  buf_add(out, STR("\\fR"));
  const char *value = spec->kind == OPTION_CHOICE ? spec->choices : spec->value;
  if (value != NULL) {
    buf_add(out, STR(" \\fI"));
    add_text(out, str_of(value));
    buf_add(out, STR("\\fR"));
  }
  buf_add_byte(out, '\n');
  add_text(out, str_of(spec->help));
  if (spec->fallback != NULL && *spec->fallback != '\0') {
    buf_add(out, STR(" ["));
    add_text(out, str_of(spec->fallback));
    buf_add_byte(out, ']');
  }
  buf_add_byte(out, '\n');
}

static void add_command(Buf *out, const OptionTable *options) {
  buf_printf(out, ".SS caisson %s ", options->command);
  add_text(out, str_of(options->arguments));
  buf_add_byte(out, '\n');
  add_text(out, str_of(options->summary));
  buf_add_byte(out, '\n');
  for (size_t i = 0; i < options->option_count; i++) add_option(out, &options->options[i]);
  if (options->footer == NULL) return;
  buf_add(out, STR(".PP\n"));
  add_block(out, options->footer);
}

static ExitStatus command_man(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  OptionList positional;
  if (!cli_parse(cli, &table, NULL, &positional, &status)) return status;
  Buf out = buf_on(cli->arena, PAGE_BYTES_MAX);
  buf_add(&out, STR(".TH CAISSON 1 \"\" \"caisson " CAISSON_VERSION "\" \"User Commands\"\n.SH NAME\n"
                    "caisson \\- serves a contract, written in one file, as a production backend\n"
                    ".SH SYNOPSIS\n.B caisson\n.I COMMAND\n[arguments]\n.SH COMMANDS\n"));
  size_t count = 0;
  const Command *const *commands = cli_commands(&count);
  for (size_t i = 0; i < count; i++) add_command(&out, commands[i]->options);
  buf_add(&out, STR(".SH ENVIRONMENT\n.TP\n.B CAISSON_\\fIOPTION\\fR\nEvery option: \\-\\-jwt\\-secret is CAISSON_JWT_SECRET. "
                    "What is given on the command line goes before it.\n.TP\n.B NO_COLOR\nNo colour, even on a terminal.\n"
                    ".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nwhat was given is wrong (contract, data)\n.TP\n.B 2\nwrong usage\n"
                    ".TP\n.B 3\nsomething outside failed (store, port, a file)\n"));
  return cli_print(&out);
}

const Command COMMAND_MAN = {.options = &table, .run = command_man, .summary = "the manual page"};
