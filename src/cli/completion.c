/* completion.c - caisson completion SHELL: what a shell offers, written from the tables of commands and options. */
#include "cli/command_registry.h"

#include "base/utf8.h"

enum { SCRIPT_BYTES_MAX = 256 * 1024 };

static const OptionTable table = {
    .command = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "Prints a script that completes commands and options in your shell.",
    .positional_min = 1,
    .positional_max = 1,
    .footer = "bash:  caisson completion bash > ~/.local/share/bash-completion/completions/caisson\n"
              "zsh:   caisson completion zsh > a folder of $fpath, as _caisson\n"
              "fish:  caisson completion fish > ~/.config/fish/completions/caisson.fish",
};

static bool is_switch(const OptionSpec *spec) { return spec->kind == OPTION_FLAG || spec->kind == OPTION_SWITCH; }
static bool takes_file(const OptionSpec *spec) { return spec->value != NULL && strcmp(spec->value, "FILE") == 0; }

/* "json|text" → "json text" */
static void add_words(Buf *out, const char *choices) {
  for (; choices != NULL && *choices != '\0'; choices++) buf_add_byte(out, *choices == '|' ? ' ' : *choices);
}

/* Within 'single quotes' of every shell here; `escaped` are bytes that mean something to the shell's completion itself. */
static void add_quoted(Buf *out, const char *text, const char *escaped, const char *quote) {
  for (; *text != '\0'; text++) {
    if (*text == '\'') {
      buf_add(out, str_of(quote));
      continue;
    }
    if (strchr(escaped, *text) != NULL) buf_add_byte(out, '\\');
    buf_add_byte(out, *text);
  }
}

/* ---- bash ---- */

static void add_bash_command(Buf *out, const OptionTable *options) {
  buf_printf(out, "    %s)\n      options='", options->command);
  for (size_t i = 0; i < options->option_count; i++) buf_printf(out, "--%s ", options->options[i].name);
  buf_add(out, STR("--help'\n"));
  bool has_choices = false;
  for (size_t i = 0; i < options->option_count; i++) {
    const OptionSpec *spec = &options->options[i];
    if (is_switch(spec)) continue;
    if (!has_choices) buf_add(out, STR("      case $previous in\n"));
    has_choices = true;
    buf_printf(out, "        --%s) ", spec->name);
    if (spec->kind == OPTION_CHOICE) {
      buf_add(out, STR("COMPREPLY=($(compgen -W '"));
      add_words(out, spec->choices);
      buf_add(out, STR("' -- \"$current\")); return ;;\n"));
    } else if (takes_file(spec)) {
      buf_add(out, STR("COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"));
    } else {
      buf_add(out, STR("COMPREPLY=(); return ;;\n"));
    }
  }
  if (has_choices) buf_add(out, STR("      esac\n"));
  buf_add(out, STR("      ;;\n"));
}

static void write_bash(Buf *out, const Command *const *commands, size_t count) {
  buf_add(out, STR("# bash completion for caisson\n_caisson() {\n"
                   "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} options='--help'\n"
                   "  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '"));
  for (size_t i = 0; i < count; i++) buf_printf(out, "%s ", commands[i]->options->command);
  buf_add(out, STR("--help --version' -- \"$current\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n"));
  for (size_t i = 0; i < count; i++) add_bash_command(out, commands[i]->options);
  buf_add(out, STR("  esac\n  case $current in\n    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n"
                   "    *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n  esac\n}\ncomplete -o filenames -F _caisson caisson\n"));
}

/* ---- zsh ---- */

static void add_zsh_option(Buf *out, const OptionSpec *spec) {
  buf_printf(out, " \\\n        '%s--%s[", spec->kind == OPTION_LIST ? "*" : "", spec->name);
  add_quoted(out, spec->help, "[]:\\", "'\\''");
  buf_add_byte(out, ']');
  if (spec->kind == OPTION_CHOICE) {
    buf_printf(out, ":%s:(", spec->name);
    add_words(out, spec->choices);
    buf_add_byte(out, ')');
  } else if (!is_switch(spec)) {
    buf_printf(out, ":%s:%s", spec->value != NULL ? spec->value : "value", takes_file(spec) ? "_files" : " ");
  }
  buf_add_byte(out, '\'');
}

static void write_zsh(Buf *out, const Command *const *commands, size_t count) {
  buf_add(out, STR("#compdef caisson\n_caisson() {\n  local -a commands=(\n"));
  for (size_t i = 0; i < count; i++) {
    buf_printf(out, "    '%s:", commands[i]->options->command);
    add_quoted(out, commands[i]->summary, ":\\", "'\\''");
    buf_add(out, STR("'\n"));
  }
  buf_add(out, STR("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
                   "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n"));
  for (size_t i = 0; i < count; i++) {
    const OptionTable *options = commands[i]->options;
    buf_printf(out, "    %s)\n      _arguments", options->command);
    for (size_t k = 0; k < options->option_count; k++) add_zsh_option(out, &options->options[k]);
    buf_add(out, STR(" \\\n        '--help[tell more]' '*:file:_files'\n      ;;\n"));
  }
  buf_add(out, STR("  esac\n}\n_caisson \"$@\"\n"));
}

/* ---- fish ---- */

static void add_fish_option(Buf *out, const char *command, const OptionSpec *spec) {
  buf_printf(out, "complete -c caisson -n '__fish_seen_subcommand_from %s' -l %s", command, spec->name);
  if (!is_switch(spec)) buf_add(out, takes_file(spec) ? STR(" -r -F") : STR(" -x"));
  if (spec->kind == OPTION_CHOICE) {
    buf_add(out, STR(" -a '"));
    add_words(out, spec->choices);
    buf_add_byte(out, '\'');
  }
  buf_add(out, STR(" -d '"));
  add_quoted(out, spec->help, "\\", "\\'");
  buf_add(out, STR("'\n"));
}

static void write_fish(Buf *out, const Command *const *commands, size_t count) {
  buf_add(out, STR("# fish completion for caisson\ncomplete -c caisson -n __fish_use_subcommand -f -l version -d 'tell the version'\n"));
  for (size_t i = 0; i < count; i++) {
    buf_printf(out, "complete -c caisson -n __fish_use_subcommand -f -a %s -d '", commands[i]->options->command);
    add_quoted(out, commands[i]->summary, "\\", "\\'");
    buf_add(out, STR("'\n"));
  }
  for (size_t i = 0; i < count; i++) {
    const OptionTable *options = commands[i]->options;
    for (size_t k = 0; k < options->option_count; k++) add_fish_option(out, options->command, &options->options[k]);
  }
}

static ExitStatus command_completion(Cli *cli) {
  static const struct {
    const char *shell;
    void (*write)(Buf *out, const Command *const *commands, size_t count);
  } shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
  ExitStatus status = EXIT_DONE;
  OptionList positional;
  if (!cli_parse(cli, &table, NULL, &positional, &status)) return status;
  size_t count = 0;
  const Command *const *commands = cli_commands(&count);
  Buf out = buf_on(cli->arena, SCRIPT_BYTES_MAX);
  for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
    if (!str_equal(positional.items[0], str_of(shells[i].shell))) continue;
    shells[i].write(&out, commands, count);
    return cli_print(&out);
  }
  return cli_wrong_usage(cli, &table, "there is no completion for \"%.*s\": bash, zsh and fish have one",
                         STR_ARGS(utf8_cut(positional.items[0], 60)));
}

const Command COMMAND_COMPLETION = {
    .options = &table, .run = command_completion, .summary = "bash|zsh|fish: what your shell offers after caisson"};
