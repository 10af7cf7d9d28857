/* main.c - caisson: which command is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command_registry.h"

static void write_usage(FILE *out) {
  (void)fputs("caisson serves a contract, written in one file, as a production backend.\n\nUsage: caisson COMMAND [arguments]\n\n", out);
  size_t count = 0;
  const Command *const *commands = cli_commands(&count);
  for (size_t i = 0; i < count; i++) (void)fprintf(out, "  %-12s %s\n", commands[i]->options->command, commands[i]->summary);
  (void)fputs("\ncaisson COMMAND --help tells more; caisson --version tells the version.\n"
              "Exit status: 0 done, 1 what was given is wrong, 2 wrong usage, 3 something outside failed.\n",
              out);
}

static ExitStatus unknown_command(const Cli *cli, const char *name) {
  size_t count = 0;
  const Command *const *commands = cli_commands(&count);
  const char **names = ARENA_ARRAY(cli->arena, const char *, count + 2), *near = NULL;
  if (names != NULL) {
    for (size_t i = 0; i < count; i++) names[i] = commands[i]->options->command;
    names[count] = "--help";
    names[count + 1] = "--version";
    near = option_nearest(str_of(name), names, count + 2);
  }
  (void)fprintf(stderr, "caisson: there is no command \"%.60s\"%s%s%s\nTry: caisson --help\n", name, near != NULL ? ": did you mean " : "",
                near != NULL ? near : "", near != NULL ? "?" : "");
  return EXIT_WRONG_USAGE;
}

static ExitStatus run(Cli *cli, const char *name) {
  size_t count = 0;
  const Command *const *commands = cli_commands(&count);
  for (size_t i = 0; i < count; i++)
    if (strcmp(commands[i]->options->command, name) == 0) return commands[i]->run(cli);
  return unknown_command(cli, name);
}

/* https://no-color.org: any value but the empty one. */
static bool wants_colour(void) {
  const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
  return isatty(STDERR_FILENO) && (no_color == NULL || *no_color == '\0') && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return write_usage(stderr), EXIT_WRONG_USAGE;
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0)
    return puts("caisson " CAISSON_VERSION) < 0 ? EXIT_OUTSIDE : EXIT_DONE;
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (strcmp(name, "help") == 0 && argc == 2))
    return write_usage(stdout), EXIT_DONE;
  Cli cli = {.arena = arena_create(0), .args = (const char *const *)argv + 2, .arg_count = (size_t)argc - 2, .has_colour = wants_colour()};
  static const char *const help_args[] = {"--help"};
  if (strcmp(name, "help") == 0) {
    name = argv[2];
    cli.args = help_args;
    cli.arg_count = 1;
  }
  if (cli.arena == NULL) return fputs("caisson: out of memory\n", stderr), EXIT_OUTSIDE;
  ExitStatus status = run(&cli, name);
  arena_destroy(cli.arena);
  return (int)status;
}
