/* sqlite_functions.c - see sqlite_functions.h. All are deterministic and innocuous: an index or a view may use them, and they do nothing
 * but compute. */
#include "store/sqlite_functions.h"

#include <stdlib.h>

#include "base/datetime.h"
#include "base/utf8.h"
#include "contract/expr_value.h"
#include "contract/regex.h"
#include "store/sqlite_value.h"

typedef void SqliteFn(sqlite3_context *context, int count, sqlite3_value **args);

/* ---- arguments and results ---- */

static Str text_of(sqlite3_value *value) {
  const char *text = (const char *)sqlite3_value_text(value);
  return (Str){text == NULL ? "" : text, text == NULL ? 0 : (size_t)sqlite3_value_bytes(value)};
}

static bool has_null(int count, sqlite3_value **args) {
  for (int i = 0; i < count; i++) {
    if (sqlite3_value_type(args[i]) == SQLITE_NULL) return true;
  }
  return false;
}

/* What the registration said: which of a family of functions this is. */
static int which(sqlite3_context *context) { return (int)(intptr_t)sqlite3_user_data(context); }

static void result_text(sqlite3_context *context, Str text) {
  sqlite3_result_text64(context, text.len == 0 ? "" : text.ptr, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void sqlite_result_value(sqlite3_context *context, const Value *value) {
  char text[TIMESTAMP_TEXT_MAX];
  switch (value->type) {
    case VALUE_BOOL: sqlite3_result_int(context, value->boolean); break;
    case VALUE_INT:
    case VALUE_DURATION: sqlite3_result_int64(context, value->integer); break;
    case VALUE_FLOAT: sqlite3_result_double(context, value->number); break;
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_JSON: result_text(context, value->text); break;
    case VALUE_BYTES: sqlite3_result_blob64(context, value->text.len == 0 ? "" : value->text.ptr, value->text.len, SQLITE_TRANSIENT); break;
    case VALUE_TIMESTAMP: result_text(context, (Str){text, timestamp_write_fixed(value->integer, text)}); break;
    case VALUE_DATE: result_text(context, (Str){text, date_write(value->integer, text)}); break;
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_ROW:
    case VALUE_ROWS: sqlite3_result_null(context); break;
  }
}

/* ---- arithmetic ---- */

static void int_arithmetic(sqlite3_context *context, int count, sqlite3_value **args) {
  int64_t result = 0;
  if (has_null(count, args)) return;
  if (expr_int_arithmetic((ExprKind)which(context), sqlite3_value_int64(args[0]), sqlite3_value_int64(args[1]), &result)) {
    sqlite3_result_int64(context, result);
  }
}

static void float_arithmetic(sqlite3_context *context, int count, sqlite3_value **args) {
  double result = 0;
  if (has_null(count, args)) return;
  if (expr_float_arithmetic((ExprKind)which(context), sqlite3_value_double(args[0]), sqlite3_value_double(args[1]), &result)) {
    sqlite3_result_double(context, result);
  }
}

static void decimal_arithmetic(sqlite3_context *context, int count, sqlite3_value **args) {
  DecimalText result;
  if (has_null(count, args)) return;
  if (expr_decimal_arithmetic((ExprKind)which(context), text_of(args[0]), text_of(args[1]), &result))
    result_text(context, decimal_str(&result));
}

static void decimal_to_float(sqlite3_context *context, int count, sqlite3_value **args) {
  DecimalText decimal;
  if (has_null(count, args) || !decimal_parse(text_of(args[0]), &decimal)) return;
  sqlite3_result_double(context, decimal_to_double(decimal_str(&decimal)));
}

static void timestamp_shift(sqlite3_context *context, int count, sqlite3_value **args) {
  int64_t time = 0, result = 0;
  if (has_null(count, args) || !timestamp_parse(text_of(args[0]), &time)) return;
  if (!expr_timestamp_shift((ExprKind)which(context), time, sqlite3_value_int64(args[1]), &result)) return;
  sqlite_result_value(context, &(Value){.type = VALUE_TIMESTAMP, .integer = result});
}

static void timestamp_difference(sqlite3_context *context, int count, sqlite3_value **args) {
  int64_t left = 0, right = 0;
  if (has_null(count, args) || !timestamp_parse(text_of(args[0]), &left) || !timestamp_parse(text_of(args[1]), &right)) return;
  sqlite3_result_int64(context, left - right); /* years 1 to 9999 in microseconds: no overflow */
}

/* ---- text ---- */

static void size(sqlite3_context *context, int count, sqlite3_value **args) {
  if (!has_null(count, args)) sqlite3_result_int64(context, (sqlite3_int64)utf8_length(text_of(args[0])));
}

static void starts_with(sqlite3_context *context, int count, sqlite3_value **args) {
  if (!has_null(count, args)) sqlite3_result_int(context, str_starts_with(text_of(args[0]), text_of(args[1])));
}

static void ends_with(sqlite3_context *context, int count, sqlite3_value **args) {
  if (!has_null(count, args)) sqlite3_result_int(context, str_ends_with(text_of(args[0]), text_of(args[1])));
}

/* The least value above every text that starts with the argument: its last byte counted up, or an empty blob, which is above all text. */
static void prefix_end(sqlite3_context *context, int count, sqlite3_value **args) {
  if (has_null(count, args)) return;
  Str prefix = text_of(args[0]);
  if (prefix.len == 0) {
    sqlite3_result_zeroblob(context, 0);
    return;
  }
  char *end = (char *)malloc(prefix.len);
  if (end == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  memcpy(end, prefix.ptr, prefix.len);
  end[prefix.len - 1] = (char)(end[prefix.len - 1] + 1); /* no byte of UTF-8 is 0xFF */
  sqlite3_result_text64(context, end, prefix.len, free, SQLITE_UTF8);
}

static void arena_release(void *arena) { arena_destroy((Arena *)arena); }

/* The pattern is a parameter: compiled once a statement's run. */
typedef struct CompiledPattern {
  Arena *arena;
  Regex *regex;
} CompiledPattern;

static Code pattern_compile(Str pattern, CompiledPattern **ret) {
  Arena *arena = arena_create(0);
  CompiledPattern *compiled = arena == NULL ? NULL : ARENA_NEW(arena, CompiledPattern);
  Code code = compiled == NULL ? CODE_UNAVAILABLE : regex_compile(pattern, arena, &compiled->regex, NULL);
  if (code != CODE_OK) {
    arena_destroy(arena);
    return code;
  }
  compiled->arena = arena;
  *ret = compiled;
  return CODE_OK;
}

static void pattern_release(void *compiled) { arena_destroy(((CompiledPattern *)compiled)->arena); }

static void matches(sqlite3_context *context, int count, sqlite3_value **args) {
  if (has_null(count, args)) return;
  CompiledPattern *compiled = (CompiledPattern *)sqlite3_get_auxdata(context, 1);
  bool is_new = compiled == NULL;
  Code code = is_new ? pattern_compile(text_of(args[1]), &compiled) : CODE_OK;
  if (code == CODE_UNAVAILABLE) {
    sqlite3_result_error_nomem(context);
    return;
  }
  if (code != CODE_OK) {
    sqlite3_result_error(context, "the pattern can't be compiled", -1);
    return;
  }
  bool is_match = false;
  /* A search that was given up has not matched. */
  if (!regex_matches(compiled->regex, text_of(args[0]), &is_match)) is_match = false;
  sqlite3_result_int(context, is_match);
  if (is_new) sqlite3_set_auxdata(context, 1, compiled, pattern_release);
}

/* ---- JSON ---- */

ExprType sqlite_type_named(Str name) {
  static const struct {
    Str name;
    ExprType type;
  } types[] = {{STR_INIT("int"), EXPR_TYPE_INT},
               {STR_INIT("float"), EXPR_TYPE_FLOAT},
               {STR_INIT("decimal"), EXPR_TYPE_DECIMAL},
               {STR_INIT("bool"), EXPR_TYPE_BOOL},
               {STR_INIT("timestamp"), EXPR_TYPE_TIMESTAMP},
               {STR_INIT("date"), EXPR_TYPE_DATE},
               {STR_INIT("bytes"), EXPR_TYPE_BYTES},
               {STR_INIT("json"), EXPR_TYPE_JSON}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (str_equal(types[i].name, name)) return types[i].type;
  }
  return EXPR_TYPE_STRING;
}

/* caisson_member(document, type, name, …): from an object to a member of it, and on. */
static void member(sqlite3_context *context, int count, sqlite3_value **args) {
  if (count < 3 || has_null(count, args)) return;
  Arena *arena = arena_create(0);
  JsonValue json;
  Value value = value_null();
  Code code = arena == NULL ? CODE_UNAVAILABLE : json_parse(text_of(args[0]), JSON_DEPTH_DEFAULT, arena, &json, NULL);
  bool has_memory = code != CODE_UNAVAILABLE;
  if (code == CODE_OK) {
    const JsonValue *found = &json;
    for (int i = 2; i < count && found != NULL; i++) found = json_get(found, text_of(args[i]));
    has_memory = expr_value_of_json(found, sqlite_type_named(text_of(args[1])), EXPR_TYPE_NULL, arena, &value);
  }
  if (has_memory)
    sqlite_result_value(context, &value);
  else
    sqlite3_result_error_nomem(context);
  if (arena != NULL) arena_release(arena);
}

/* Of a JSON array; anything else is an empty list. */
static void list_size(sqlite3_context *context, int count, sqlite3_value **args) {
  if (has_null(count, args)) return;
  Arena *arena = arena_create(0);
  Value list = value_null();
  if (arena != NULL && expr_list_of_json_text(text_of(args[0]), EXPR_TYPE_STRING, arena, &list)) {
    sqlite3_result_int64(context, (sqlite3_int64)list.list.count);
  } else {
    sqlite3_result_error_nomem(context);
  }
  if (arena != NULL) arena_release(arena);
}

/* ---- columns in another form than ours ---- */

static void foreign(sqlite3_context *context, int count, sqlite3_value **args) {
  SqliteScratch scratch;
  Value value = value_null();
  if (has_null(count, args)) return;
  /* None of these types needs memory. */
  if (sqlite_foreign_value(args[0], (ValueType)which(context), NULL, &scratch, &value) == CODE_OK) sqlite_result_value(context, &value);
}

/* ---- registration ---- */

typedef struct SqliteFunction {
  const char *name;
  int arg_count;
  int which;
  SqliteFn *call;
} SqliteFunction;

static const SqliteFunction functions[] = {
    {"caisson_int_add", 2, EXPR_ADD, int_arithmetic},
    {"caisson_int_subtract", 2, EXPR_SUB, int_arithmetic},
    {"caisson_int_multiply", 2, EXPR_MUL, int_arithmetic},
    {"caisson_int_divide", 2, EXPR_DIV, int_arithmetic},
    {"caisson_int_modulo", 2, EXPR_MOD, int_arithmetic},
    {"caisson_float_add", 2, EXPR_ADD, float_arithmetic},
    {"caisson_float_subtract", 2, EXPR_SUB, float_arithmetic},
    {"caisson_float_multiply", 2, EXPR_MUL, float_arithmetic},
    {"caisson_float_divide", 2, EXPR_DIV, float_arithmetic},
    {"caisson_decimal_add", 2, EXPR_ADD, decimal_arithmetic},
    {"caisson_decimal_subtract", 2, EXPR_SUB, decimal_arithmetic},
    {"caisson_decimal_multiply", 2, EXPR_MUL, decimal_arithmetic},
    {"caisson_decimal_to_float", 1, 0, decimal_to_float},
    {"caisson_timestamp_add", 2, EXPR_ADD, timestamp_shift},
    {"caisson_timestamp_subtract", 2, EXPR_SUB, timestamp_shift},
    {"caisson_timestamp_difference", 2, 0, timestamp_difference},
    {"caisson_size", 1, 0, size},
    {"caisson_starts_with", 2, 0, starts_with},
    {"caisson_ends_with", 2, 0, ends_with},
    {"caisson_prefix_end", 1, 0, prefix_end},
    {"caisson_matches", 2, 0, matches},
    {"caisson_member", -1, 0, member},
    {"caisson_list_size", 1, 0, list_size},
    {"caisson_boolean", 1, VALUE_BOOL, foreign},
    {"caisson_integer", 1, VALUE_INT, foreign},
    {"caisson_float", 1, VALUE_FLOAT, foreign},
    {"caisson_decimal", 1, VALUE_DECIMAL, foreign},
    {"caisson_datetime", 1, VALUE_TIMESTAMP, foreign},
    {"caisson_date", 1, VALUE_DATE, foreign},
    {"caisson_text", 1, VALUE_TEXT, foreign},
};

static int compare_decimals(void *unused, int a_len, const void *a, int b_len, const void *b) {
  (void)unused;
  return decimal_compare((Str){(const char *)a, (size_t)a_len}, (Str){(const char *)b, (size_t)b_len});
}

int sqlite_functions_register(sqlite3 *db) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const SqliteFunction *function = &functions[i];
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int result = sqlite3_create_function_v2(db, function->name, function->arg_count, flags, (void *)(intptr_t)function->which,
                                            function->call, NULL, NULL, NULL);
    if (result != SQLITE_OK) return result;
  }
  int result = sqlite3_create_collation_v2(db, "decimal", SQLITE_UTF8, NULL, compare_decimals, NULL);
  return result == SQLITE_OK ? sqlite_each_register(db) : result;
}
