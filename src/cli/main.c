/* main.c - caisson: the table of commands, and which of them is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"

static const Command commands[] = {
    {"new", "[DIR]: a starter contract and its README, ready to serve", command_new},
    {"check", "CONTRACT: every mistake at once", command_check},
    {"diff", "OLD NEW: what changes between two contracts, and whom it breaks", command_diff},
    {"explain", "CONTRACT 'GET /v1/...': what would become of a request, and why", command_explain},
    {"serve", "CONTRACT... [options]: the server", command_serve},
    {"migrate", "ACTION CONTRACT [NAME] [options]: tables that change with the contract", command_migrate},
    {"copy", "CONTRACT --from URL --to URL: everything from one store into another", command_copy},
    {"token", "[options] [CONTRACT]: a signed token, for development", command_token},
    {"introspect", "STORE: a contract for an existing database", command_introspect},
    {"openapi", "CONTRACT: its OpenAPI 3.1 document, on stdout", command_openapi},
    {"graphql", "CONTRACT: its GraphQL schema, on stdout", command_graphql},
    {"proto", "CONTRACT: its Protocol Buffers file, on stdout", command_proto},
    {"contract", "--prelude: the directives' definitions, for editors", command_contract},
    {"completion", "bash|zsh|fish: what your shell offers after caisson", command_completion},
    {"man", "the manual page", command_man},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void write_usage(FILE *out) {
  (void)fputs("caisson serves a contract, written in one file, as a production backend.\n\nUsage: caisson COMMAND [arguments]\n\n", out);
  for (size_t i = 0; i < COMMAND_COUNT; i++) (void)fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
  (void)fputs("\ncaisson COMMAND --help tells more; caisson --version tells the version.\n"
              "Exit status: 0 done, 1 what was given is wrong, 2 wrong usage, 3 something outside failed.\n",
              out);
}

static ExitStatus unknown_command(const char *name) {
  const char *names[COMMAND_COUNT + 2] = {"--help", "--version"};
  for (size_t i = 0; i < COMMAND_COUNT; i++) names[i + 2] = commands[i].name;
  const char *near = option_nearest(str_of(name), names, COMMAND_COUNT + 2);
  (void)fprintf(stderr, "caisson: there is no command \"%.60s\"%s%s%s\nTry: caisson --help\n", name, near != NULL ? ": did you mean " : "",
                near != NULL ? near : "", near != NULL ? "?" : "");
  return EXIT_WRONG_USAGE;
}

static ExitStatus run(Cli *cli, const char *name) {
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    if (strcmp(commands[i].name, name) == 0) return commands[i].run(cli);
  return unknown_command(name);
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
  Cli cli = {.arena = arena_create(0),
             .args = (const char *const *)argv + 2,
             .arg_count = (size_t)argc - 2,
             .has_colour = wants_colour(),
             .commands = commands,
             .command_count = COMMAND_COUNT};
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
