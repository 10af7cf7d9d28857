/* options.c - parsing by an option table: one pass over the arguments, then the environment and the defaults for what was not given. */
#include "server/options.h"

#include <assert.h>
#include <stdio.h>

#include "base/datetime.h"
#include "base/vec.h"

enum { OPTION_NAME_MAX = 48, OPTIONS_MAX = 128 };

typedef VEC(Str) StrVec;

typedef struct OptionsParse {
  const OptionTable *table;
  Arena *arena;
  char *target;
  StrVec lists[OPTIONS_MAX]; /* of OPTION_LIST members */
  bool is_given[OPTIONS_MAX];
  Error *err;
} OptionsParse;

const char *option_nearest(Str name, const char *const *names, size_t count) {
  size_t best_distance = str_distance_near(name);
  const char *best = NULL;
  for (size_t i = 0; i < count; i++) {
    size_t distance = str_distance(name, str_of(names[i]), best_distance);
    if (distance > best_distance || (best != NULL && distance == best_distance)) continue;
    best_distance = distance;
    best = names[i];
  }
  return best;
}

bool option_size_parse(Str text, uint64_t *ret_bytes) {
  static const struct {
    const char *unit;
    uint64_t factor;
  } units[] = {
      {"", 1},           {"B", 1},
      {"K", 1024},       {"KiB", 1024},
      {"M", 1ull << 20}, {"MiB", 1ull << 20},
      {"G", 1ull << 30}, {"GiB", 1ull << 30},
      {"kB", 1000},      {"KB", 1000},
      {"MB", 1000000},   {"GB", 1000000000},
  };
  size_t digits = 0;
  while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') digits++;
  int64_t number = 0;
  if (digits == 0 || !str_parse_int64(str_slice(text, 0, digits), &number)) return false;
  Str unit = str_trim(str_slice(text, digits, text.len));
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (!str_equal_ignore_case(unit, str_of(units[i].unit))) continue;
    return !__builtin_mul_overflow((uint64_t)number, units[i].factor, ret_bytes);
  }
  return false;
}

static bool parse_switch(Str text, bool *ret) {
  static const char *const on[] = {"on", "true", "yes", "1"}, *const off[] = {"off", "false", "no", "0"};
  for (size_t i = 0; i < 4; i++) {
    if (str_equal_ignore_case(text, str_of(on[i]))) return *ret = true, true;
    if (str_equal_ignore_case(text, str_of(off[i]))) return *ret = false, true;
  }
  return false;
}

static bool parse_choice(const char *choices, Str text, int *ret) {
  Str rest = str_of(choices), choice;
  for (int i = 0; str_split_next(&rest, '|', &choice); i++)
    if (str_equal(choice, text)) return *ret = i, true;
  return false;
}

static Code bad_value(OptionsParse *parse, const OptionSpec *spec, Str text, const char *wanted) {
  return error_set(parse->err, CODE_BAD_REQUEST, "--%s wants %s, not \"%.*s\"", spec->name, wanted, (int)(text.len > 80 ? 80 : text.len),
                   text.ptr);
}

static Code set_number(OptionsParse *parse, const OptionSpec *spec, Str text, uint64_t *member) {
  uint64_t number = 0;
  int64_t signed_number = 0;
  const char *wanted = "a whole number";
  bool is_valid = false;
  if (spec->kind == OPTION_SIZE) {
    wanted = "a size such as 64KiB or 1MiB";
    is_valid = option_size_parse(text, &number);
  } else if (spec->kind == OPTION_DURATION) {
    wanted = "a duration such as 500ms, 30s or 1h";
    is_valid = duration_parse(text, &signed_number) && signed_number >= 0;
    number = is_valid ? (uint64_t)signed_number / 1000 : 0;
  } else {
    is_valid = str_parse_int64(text, &signed_number) && signed_number >= 0;
    number = is_valid ? (uint64_t)signed_number : 0;
  }
  if (!is_valid) return bad_value(parse, spec, text, wanted);
  if (number < spec->min || (spec->max != 0 && number > spec->max))
    return error_set(parse->err, CODE_BAD_REQUEST, "--%s must be %s%llu%s, not \"%.*s\"", spec->name,
                     number < spec->min ? "at least " : "at most ", (unsigned long long)(number < spec->min ? spec->min : spec->max),
                     spec->kind == OPTION_DURATION ? "ms" : "", STR_ARGS(text));
  *member = number;
  return CODE_OK;
}

static Code set_value(OptionsParse *parse, size_t index, Str text) {
  const OptionSpec *spec = &parse->table->options[index];
  void *member = parse->target + spec->offset;
  Error *err = parse->err;
  bool is_on = false;
  switch (spec->kind) {
    case OPTION_TEXT: *(Str *)member = text; return CODE_OK;
    case OPTION_LIST:
      if (!VEC_PUSH(parse->arena, &parse->lists[index], text)) return error_no_memory(err);
      *(OptionList *)member = (OptionList){parse->lists[index].items, parse->lists[index].count};
      return CODE_OK;
    case OPTION_FLAG:
      if (!parse_switch(text, &is_on)) return bad_value(parse, spec, text, "on or off");
      *(bool *)member = is_on;
      return CODE_OK;
    case OPTION_SWITCH:
      if (!parse_switch(text, &is_on)) return bad_value(parse, spec, text, "on or off");
      *(OptionSwitch *)member = is_on ? SWITCH_ON : SWITCH_OFF;
      return CODE_OK;
    case OPTION_CHOICE:
      if (!parse_choice(spec->choices, text, (int *)member)) {
        char wanted[96];
        (void)snprintf(wanted, sizeof wanted, "one of %s", spec->choices);
        return bad_value(parse, spec, text, wanted);
      }
      return CODE_OK;
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION: return set_number(parse, spec, text, (uint64_t *)member);
  }
  return CODE_OK;
}

static Code unknown_option(OptionsParse *parse, Str name) {
  const char *names[OPTIONS_MAX + 1];
  for (size_t i = 0; i < parse->table->option_count; i++) names[i] = parse->table->options[i].name;
  names[parse->table->option_count] = "help";
  const char *near = option_nearest(name, names, parse->table->option_count + 1);
  if (near == NULL)
    return error_set(parse->err, CODE_BAD_REQUEST, "there is no option --%.*s", (int)(name.len > 60 ? 60 : name.len), name.ptr);
  return error_set(parse->err, CODE_BAD_REQUEST, "there is no option --%.*s: did you mean --%s?", (int)(name.len > 60 ? 60 : name.len),
                   name.ptr, near);
}

/* `arg` is "--name" or "--name=value"; `next` the argument behind it, or NULL. */
static Code take_option(OptionsParse *parse, Str arg, const char *next, bool *ret_used_next) {
  Str body = str_slice(arg, 2, arg.len);
  size_t equals = str_find_byte(body, '=', 0);
  Str name = str_slice(body, 0, equals);
  bool has_value = equals < body.len;
  Str value = has_value ? str_slice(body, equals + 1, body.len) : (Str){NULL, 0};
  bool is_negated = false;
  size_t index = 0;
  for (;; index++) {
    if (index == parse->table->option_count) return unknown_option(parse, name);
    const OptionSpec *spec = &parse->table->options[index];
    if (str_equal(name, str_of(spec->name))) break;
    is_negated = (spec->kind == OPTION_FLAG || spec->kind == OPTION_SWITCH) && str_starts_with(name, STR("no-")) &&
                 str_equal(str_slice(name, 3, name.len), str_of(spec->name));
    if (is_negated) break;
  }
  const OptionSpec *spec = &parse->table->options[index];
  bool is_switch = spec->kind == OPTION_FLAG || spec->kind == OPTION_SWITCH;
  if (!has_value && is_switch)
    value = is_negated ? STR("off") : STR("on");
  else if (has_value && is_negated)
    return error_set(parse->err, CODE_BAD_REQUEST, "--no-%s takes no value", spec->name);
  else if (!has_value && next == NULL)
    return error_set(parse->err, CODE_BAD_REQUEST, "--%s needs a value: --%s %s", spec->name, spec->name, spec->value);
  else if (!has_value)
    value = str_of(next);
  *ret_used_next = !has_value && !is_switch;
  if (parse->is_given[index] && spec->kind != OPTION_LIST)
    return error_set(parse->err, CODE_BAD_REQUEST, "--%s is given twice", spec->name);
  parse->is_given[index] = true;
  return set_value(parse, index, value);
}

static void environment_name(const char *option, char out[OPTION_NAME_MAX + 8]) {
  size_t n = 0;
  for (const char *prefix = "CAISSON_"; *prefix != '\0'; prefix++) out[n++] = *prefix;
  for (; *option != '\0' && n < OPTION_NAME_MAX + 7; option++)
    out[n++] = *option == '-' ? '_' : (char)(*option >= 'a' && *option <= 'z' ? *option - 'a' + 'A' : *option);
  out[n] = '\0';
}

static Code set_list(OptionsParse *parse, size_t index, Str text) {
  Str rest = text, part;
  while (str_split_next(&rest, ',', &part)) {
    part = str_trim(part);
    if (part.len != 0) TRY(set_value(parse, index, part));
  }
  return CODE_OK;
}

/* An empty environment variable counts as not set, as in a Compose file's "CAISSON_STORE=". */
static Code fill_not_given(OptionsParse *parse, OptionsGetenvFn *environment) {
  for (size_t i = 0; i < parse->table->option_count; i++) {
    const OptionSpec *spec = &parse->table->options[i];
    if (parse->is_given[i]) continue;
    char name[OPTION_NAME_MAX + 8];
    environment_name(spec->name, name);
    const char *text = environment(name);
    bool is_set = text != NULL && *text != '\0';
    if (!is_set) text = spec->fallback;
    if (text == NULL) continue;
    Code code = spec->kind == OPTION_LIST ? set_list(parse, i, str_of(text)) : set_value(parse, i, str_of(text));
    if (code == CODE_OK) continue;
    Error inner = parse->err != NULL ? *parse->err : (Error){0};
    return is_set ? error_set(parse->err, code, "%s: %.150s", name, inner.text) : code;
  }
  return CODE_OK;
}

static bool is_help(const char *const *args, size_t arg_count, OptionsOutcome *ret) {
  for (size_t i = 0; i < arg_count && strcmp(args[i], "--") != 0; i++) {
    bool is_short = strcmp(args[i], "--help") == 0 || strcmp(args[i], "-h") == 0;
    if (!is_short && strcmp(args[i], "--help-all") != 0) continue;
    *ret = is_short ? OPTIONS_HELP : OPTIONS_HELP_ALL;
    return true;
  }
  return false;
}

static Code take_arguments(OptionsParse *parse, const char *const *args, size_t arg_count, StrVec *positional) {
  bool is_only_positional = false;
  for (size_t i = 0; i < arg_count; i++) {
    Str arg = str_of(args[i]);
    bool used_next = false;
    if (!is_only_positional && str_equal(arg, STR("--"))) {
      is_only_positional = true;
    } else if (!is_only_positional && str_starts_with(arg, STR("--"))) {
      TRY(take_option(parse, arg, i + 1 < arg_count ? args[i + 1] : NULL, &used_next));
      i += used_next;
    } else if (!is_only_positional && arg.len > 1 && arg.ptr[0] == '-') {
      return error_set(parse->err, CODE_BAD_REQUEST, "there is no option %.*s", (int)(arg.len > 60 ? 60 : arg.len), arg.ptr);
    } else if (!VEC_PUSH(parse->arena, positional, arg)) {
      return error_no_memory(parse->err);
    }
  }
  return CODE_OK;
}

/* The word of the usage that tells of argument `index`: in quotes it may have spaces. */
static Str argument_name(const OptionTable *table, size_t index) {
  Str rest = str_of(table->arguments), word;
  while (str_split_next(&rest, ' ', &word)) {
    if (word.len > 0 && word.ptr[0] == '\'' && rest.ptr != NULL) {
      size_t end = str_find_byte(rest, '\'', 0);
      word.len += 1 + end + (end < rest.len ? 1 : 0);
      rest = str_slice(rest, end + 2, rest.len);
    }
    if (index-- == 0) return str_ends_with(word, STR("...")) ? str_slice(word, 0, word.len - 3) : word;
  }
  return STR("an argument");
}

Code options_parse(const OptionTable *table, const char *const *args, size_t arg_count, OptionsGetenvFn *environment, Arena *arena,
                   void *target, OptionsOutcome *ret_outcome, OptionList *ret_positional, Error *err) {
  if (is_help(args, arg_count, ret_outcome)) return CODE_OK;
  assert(table->option_count <= OPTIONS_MAX);
  OptionsParse parse = {.table = table, .arena = arena, .target = target, .err = err};
  StrVec positional = {0};
  TRY(take_arguments(&parse, args, arg_count, &positional));
  if (positional.count < table->positional_min) {
    Str missing = argument_name(table, positional.count);
    return error_set(err, CODE_BAD_REQUEST, "%.*s is missing: caisson %s %s", STR_ARGS(missing), table->command, table->arguments);
  }
  if (positional.count > table->positional_max)
    return error_set(err, CODE_BAD_REQUEST, "one argument too many: \"%.*s\"",
                     (int)(positional.items[table->positional_max].len > 80 ? 80 : positional.items[table->positional_max].len),
                     positional.items[table->positional_max].ptr);
  TRY(fill_not_given(&parse, environment));
  *ret_outcome = OPTIONS_PARSED;
  *ret_positional = (OptionList){positional.items, positional.count};
  return CODE_OK;
}
