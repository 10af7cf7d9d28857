/* command.h - what commands share: their table's form, exit statuses, and how they speak to a terminal. One file a command. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "contract/model.h"
#include "server/contract_source.h"
#include "server/options.h"

/* INTERFACE §1. */
typedef enum ExitStatus { EXIT_DONE = 0, EXIT_WRONG_INPUT = 1, EXIT_WRONG_USAGE = 2, EXIT_OUTSIDE = 3 } ExitStatus;

typedef struct Cli {
  Arena *arena;            /* the process's */
  const char *const *args; /* behind the command's name */
  size_t arg_count;
  bool has_colour; /* stderr is a terminal that wants colour */
} Cli;

/* Each command's file has one, COMMAND_NAME; command_registry.h has all of them. */
typedef struct Command {
  const OptionTable *options; /* its name is the table's */
  ExitStatus (*run)(Cli *cli);
  const char *summary; /* a line of caisson --help */
} Command;

/* --format, of commands that speak to people and to programs. */
typedef enum CliFormat { CLI_TEXT = 0, CLI_JSON } CliFormat;
#define CLI_FORMAT_OPTION(options_type, member)                                                                                            \
  { "format", OPTION_CHOICE, offsetof(options_type, member), "text", "text/json", "for people, or for programs", .choices = "text|json" }

/* Parses cli->args by the table into *target. False: the command is over, with *ret_status (--help was printed, or what is wrong was). */
bool cli_parse(Cli *cli, const OptionTable *table, void *target, OptionList *ret_positional, ExitStatus *ret_status);
/* Says what is wrong, and where to read more. EXIT_WRONG_USAGE. */
ExitStatus cli_wrong_usage(const Cli *cli, const OptionTable *table, const char *format, ...) PRINTF_LIKE(3, 4);
/* "caisson: error: TEXT" on stderr; the status that fits the code: what was given is wrong, or something outside failed. */
ExitStatus cli_fail(const Cli *cli, const Error *err);
void cli_warn(const Cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* What a database says about its failure, as StoreOptions.report has it; `context` is the Cli. */
void cli_report_store(void *context, Str text);
/* Writes all of it to stdout (or stderr): EXIT_DONE, or EXIT_OUTSIDE where the stream fails. */
ExitStatus cli_print(const Buf *text);
/* Loads a contract; its mistakes go to stderr. The caller destroys it with contract_destroy. */
ExitStatus cli_load_contract(Cli *cli, Str path, Contract **ret);
