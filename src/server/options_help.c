/* options_help.c - an option table as people read it: --help on a terminal, Markdown in the documentation. */
#include "server/options.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

static void write_option_name(Buf *out, const OptionSpec *spec) {
  buf_printf(out, "--%s", spec->name);
  if (spec->kind == OPTION_CHOICE)
    buf_printf(out, " %s", spec->choices);
  else if (spec->value != NULL)
    buf_printf(out, " %s", spec->value);
}

static void write_option(Buf *out, const OptionSpec *spec) {
  size_t start = out->len;
  buf_add(out, STR("  "));
  write_option_name(out, spec);
  size_t width = out->len - start;
  if (width >= HELP_COLUMN) {
    buf_add_byte(out, '\n');
    width = 0;
  }
  for (; width < HELP_COLUMN; width++) buf_add_byte(out, ' ');
  buf_add(out, str_of(spec->help));
  if (spec->fallback != NULL && *spec->fallback != '\0') buf_printf(out, " [%s]", spec->fallback);
  buf_add_byte(out, '\n');
}

void options_write_help(Buf *out, const OptionTable *table, bool has_limits) {
  buf_printf(out, "caisson %s %s\n%s\n", table->command, table->arguments, table->summary);
  size_t hidden = 0;
  if (table->option_count > 0)
    buf_add(out, STR("\nOptions, with their defaults; --some-option is also the environment's CAISSON_SOME_OPTION:\n"));
  for (size_t i = 0; i < table->option_count; i++) {
    if (table->options[i].is_limit && !has_limits)
      hidden++;
    else
      write_option(out, &table->options[i]);
  }
  if (hidden > 0) buf_printf(out, "  --help-all                  shows %zu more: limits, timeouts and what is rarely needed\n", hidden);
  if (table->footer != NULL) buf_printf(out, "\n%s\n", table->footer);
}

void options_write_markdown(Buf *out, const OptionTable *table) {
  buf_add(out, STR("| option | default | meaning |\n|---|---|---|\n"));
  for (size_t i = 0; i < table->option_count; i++) {
    const OptionSpec *spec = &table->options[i];
    buf_add(out, STR("| `"));
    size_t start = out->len;
    write_option_name(out, spec);
    for (size_t at = start; at < out->len; at++)
      if (out->ptr[at] == '|') out->ptr[at] = '/'; /* a bar would end the cell */
    buf_printf(out, "` | %s%s%s | %s |\n", spec->fallback != NULL ? "`" : "", spec->fallback != NULL ? spec->fallback : "",
               spec->fallback != NULL ? "`" : "", spec->help);
  }
}
