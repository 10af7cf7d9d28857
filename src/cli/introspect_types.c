/* introspect_types.c - one table of spellings, asked in order; a declared type that says nothing is known by the values that are there. */
#include "cli/introspect_types.h"

#include "base/decimal.h"

/* Matched against the declared type in capitals, without what is in parentheses. */
static const struct {
  const char *part;
  const char *type;
  bool is_whole;
} spellings[] = {
    {"ID_TEXT", "ID", true},
    {"DECIMAL_TEXT", "Decimal", true},
    {"DATETIME_TEXT", "DateTime", true},
    {"DATE_TEXT", "Date", true},
    {"UUID_TEXT", "UUID", true},
    {"JSON_TEXT", "JSON", true},
    {"EMAIL_TEXT", "Email", true},
    {"URL_TEXT", "URL", true},
    {"BOOL", "Boolean", false},
    {"TIMESTAMP", "DateTime", false},
    {"DATETIME", "DateTime", false},
    {"DATE", "Date", true},
    {"TIME", "String", true},
    {"UUID", "UUID", true},
    {"GUID", "UUID", true},
    {"UNIQUEIDENTIFIER", "UUID", true},
    {"JSON", "JSON", false},
    {"DECIMAL", "Decimal", false},
    {"NUMERIC", "Decimal", false},
    {"NUMBER", "Decimal", true},
    {"MONEY", "Decimal", false},
    {"BIGINT", "BigInt", false},
    {"BIG INT", "BigInt", false},
    {"INT8", "BigInt", true},
    {"INT64", "BigInt", true},
    {"INTERVAL", "String", true},
    {"POINT", "String", true},
    {"INT", "Int", false},
    {"CHAR", "String", false},
    {"CLOB", "String", false},
    {"TEXT", "String", false},
    {"STRING", "String", false},
    {"BLOB", "Bytes", false},
    {"BINARY", "Bytes", false},
    {"BYTEA", "Bytes", true},
    {"REAL", "Float", false},
    {"FLOA", "Float", false},
    {"DOUB", "Float", false},
};

/* What Caisson declares for each type; store/sqlite_ddl.c. */
static const struct {
  const char *type, *declared;
} own[] = {
    {"ID", "ID_TEXT"},       {"String", "TEXT"},          {"Int", "INTEGER"},     {"BigInt", "BIGINT"},
    {"Float", "REAL"},       {"Decimal", "DECIMAL_TEXT"}, {"Boolean", "BOOLEAN"}, {"DateTime", "DATETIME_TEXT"},
    {"Date", "DATE_TEXT"},   {"UUID", "UUID_TEXT"},       {"JSON", "JSON_TEXT"},  {"Bytes", "BLOB"},
    {"Email", "EMAIL_TEXT"}, {"URL", "URL_TEXT"},
};

enum { TYPE_TEXT_MAX = 64 };

static Str upper_base(Str declared, char out[TYPE_TEXT_MAX]) {
  Str base = str_trim(str_slice(declared, 0, str_find_byte(declared, '(', 0)));
  base = str_slice(base, 0, TYPE_TEXT_MAX);
  for (size_t i = 0; i < base.len; i++) out[i] = base.ptr[i] >= 'a' && base.ptr[i] <= 'z' ? (char)(base.ptr[i] - 'a' + 'A') : base.ptr[i];
  return (Str){out, base.len};
}

static const char *type_by_spelling(Str base) {
  for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
    Str part = str_of(spellings[i].part);
    if (spellings[i].is_whole ? str_equal(base, part) : str_contains(base, part)) return spellings[i].type;
  }
  return NULL;
}

static bool is_large(const CatalogValues *values) { return values->has_integer && (values->min < INT32_MIN || values->max > INT32_MAX); }

static const char *type_by_values(const CatalogValues *values) {
  if (values->has_text) return "String";
  if (values->has_bytes) return "Bytes";
  if (values->has_real) return "Float";
  if (values->has_integer) return is_large(values) ? "BigInt" : "Int";
  return "String";
}

/* The nth number in the parentheses; -1 where there is none. */
static int64_t type_argument(Str declared, size_t nth) {
  size_t open = str_find_byte(declared, '(', 0), close = str_find_byte(declared, ')', open);
  Str rest = str_slice(declared, open + 1, close), part;
  int64_t number = -1;
  if (open >= declared.len || close >= declared.len) return -1;
  for (size_t i = 0; str_split_next(&rest, ',', &part); i++)
    if (i == nth) return str_parse_int64(str_trim(part), &number) && number >= 0 ? number : -1;
  return -1;
}

static bool is_default_spelling(const char *type, Str declared) {
  if (declared.len == 0) return true;
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
    if (strcmp(own[i].type, type) == 0) return str_equal_ignore_case(declared, str_of(own[i].declared));
  return false;
}

ColumnShape column_shape(const CatalogColumn *column) {
  char bytes[TYPE_TEXT_MAX];
  Str declared = column->underlying.len > 0 ? column->underlying : column->type;
  const char *type = type_by_spelling(upper_base(declared, bytes));
  if (type == NULL) type = type_by_values(&column->values);
  if (strcmp(type, "Int") == 0 && is_large(&column->values)) type = "BigInt";
  bool is_default =
      column->type_form == CATALOG_TYPE_SPELLED ? is_default_spelling(type, column->type) : column->type_form == CATALOG_TYPE_OWN;
  ColumnShape shape = {
      .type = type, .is_list = column->is_list, .precision = -1, .scale = -1, .length_max = -1, .is_column_type_default = is_default};
  if (column->is_list) return shape; /* @length and @decimal of a list are the list's own */
  int64_t first = type_argument(declared, 0), second = type_argument(declared, 1);
  if (strcmp(type, "String") == 0 && first > 0) shape.length_max = first;
  if (strcmp(type, "Decimal") == 0 && first > 0 && first <= DECIMAL_DIGITS_MAX && second <= first) {
    shape.precision = (int)first;
    shape.scale = second < 0 ? 0 : (int)second; /* NUMERIC(10) has no fraction, says the SQL standard */
  }
  return shape;
}
