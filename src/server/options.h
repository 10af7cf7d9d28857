/* options.h - command-line options as one declared table: from it come parsing, environment variables, --help and the documentation.
 * A value is taken from the command line, else from the environment (--jwt-secret is CAISSON_JWT_SECRET), else from the table. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef enum OptionKind {
  OPTION_TEXT = 0, /* Str */
  OPTION_LIST,     /* OptionList; repeatable, and comma-separated in the environment */
  OPTION_FLAG,     /* bool; takes no value, but =on and =off are understood */
  OPTION_SWITCH,   /* OptionSwitch: a flag whose default depends on other options */
  OPTION_COUNT,    /* uint64_t */
  OPTION_SIZE,     /* uint64_t, bytes: 512, 64KiB, 1MiB, 10MB */
  OPTION_DURATION, /* uint64_t, milliseconds: 500ms, 30s, 1h30m */
  OPTION_CHOICE    /* int: the index in `choices` */
} OptionKind;

typedef enum OptionSwitch { SWITCH_UNSET = 0, SWITCH_ON, SWITCH_OFF } OptionSwitch;

typedef struct OptionList {
  const Str *items;
  size_t count;
} OptionList;

typedef struct OptionSpec {
  const char *name; /* without the dashes */
  OptionKind kind;
  uint32_t offset;      /* of its member in the command's own struct */
  const char *fallback; /* the default, as a user would write it; NULL: empty */
  const char *value;    /* what stands for the value in --help; NULL for flags */
  const char *help;     /* one line */
  const char *choices;  /* OPTION_CHOICE: "json|text|off" */
  uint64_t min, max;    /* of numbers; max 0: no bound */
  bool is_limit;        /* listed by --help-all only */
} OptionSpec;

typedef struct OptionTable {
  const char *command;   /* "serve" */
  const char *arguments; /* "CONTRACT [options]" */
  const char *summary;   /* what the command does: a line or a few */
  const OptionSpec *options;
  size_t option_count;
  size_t positional_min, positional_max;
  const char *footer; /* examples and notes under the options; NULL: none */
} OptionTable;

typedef enum OptionsOutcome {
  OPTIONS_PARSED = 0,
  OPTIONS_HELP,     /* --help or -h was given: nothing else was looked at */
  OPTIONS_HELP_ALL, /* --help-all */
} OptionsOutcome;

/* Where environment variables are looked up; NULL where there is none. getenv in the program, a table in tests. */
typedef const char *OptionsGetenvFn(const char *name);

/* `args` are those behind the command's name. Fills the members of *target by the table, and *ret_positional. Strings point into args, the
 * environment or `arena`. CODE_BAD_REQUEST: wrong usage, err->text says what; values of options are quoted only where they were malformed,
 * so that no secret is shown. */
Code options_parse(const OptionTable *table, const char *const *args, size_t arg_count, OptionsGetenvFn *environment, Arena *arena,
                   void *target, OptionsOutcome *ret_outcome, OptionList *ret_positional, Error *err);

/* The text of --help. */
void options_write_help(Buf *out, const OptionTable *table, bool has_limits);
/* A Markdown table of the options, for the documentation. */
void options_write_markdown(Buf *out, const OptionTable *table);

/* "64KiB", "1MB", "512": powers of 1024 with an i, of 1000 without. */
bool option_size_parse(Str text, uint64_t *ret_bytes);
/* The nearest of `count` names within a typing mistake or two; NULL where none is near. For "did you mean". */
const char *option_nearest(Str name, const char *const *names, size_t count);
