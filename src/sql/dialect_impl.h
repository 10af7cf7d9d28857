/* dialect_impl.h - what a dialect says of itself; for dialects, the writers of SQL and the planner. Nothing here is a driver: all of it is
 * text. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/value.h"
#include "contract/model.h"
#include "contract/regex_syntax.h"
#include "sql/dialect.h"

/* What is spelled differently. In a template %1, %2 … stand for operands, which are closed expressions (a column, a parameter, a call or
 * parenthesised). Every template yields NULL when an operand is NULL. */
typedef enum SqlTemplate {
  /* Exact 64-bit arithmetic; NULL on overflow and division by zero; division truncates. */
  SQL_INT_ADD = 0,
  SQL_INT_SUBTRACT,
  SQL_INT_MULTIPLY,
  SQL_INT_DIVIDE,
  SQL_INT_MODULO,
  SQL_INT_NEGATE,
  /* Doubles; NULL where the result isn't finite. */
  SQL_FLOAT_ADD,
  SQL_FLOAT_SUBTRACT,
  SQL_FLOAT_MULTIPLY,
  SQL_FLOAT_DIVIDE,
  SQL_FLOAT_NEGATE,
  /* Up to 38 digits; NULL beyond them. */
  SQL_DECIMAL_ADD,
  SQL_DECIMAL_SUBTRACT,
  SQL_DECIMAL_MULTIPLY,
  SQL_DECIMAL_NEGATE,
  /* A duration is an integer of microseconds. NULL outside the years 1 to 9999. */
  SQL_TIMESTAMP_ADD,
  SQL_TIMESTAMP_SUBTRACT,
  SQL_TIMESTAMP_DIFFERENCE,
  SQL_INT_TO_FLOAT,
  SQL_INT_TO_DECIMAL,
  SQL_DECIMAL_TO_FLOAT,
  SQL_STRING_SIZE, /* code points */
  SQL_BYTES_SIZE,
  SQL_LIST_SIZE, /* of a stored list or a list parameter */
  /* By bytes, as conditions. */
  SQL_STARTS_WITH,
  SQL_ENDS_WITH,
  SQL_CONTAINS,
  SQL_MATCHES,
  SQL_STARTS_WITH_RANGE, /* the same for a column and a parameter, as a range that an index serves; len 0: not known */
  /* Aggregates. Sums of integers and decimals are exact whatever their size, as canonical decimal text; averages are doubles made from the
     exact sum. */
  SQL_SUM_EXACT,
  SQL_SUM_FLOAT,
  SQL_AVERAGE_EXACT,
  SQL_AVERAGE_FLOAT,
  SQL_TEMPLATE_COUNT
} SqlTemplate;

/* A word, or the words of a phrase, to search for in texts. Whatever stands in it, it is no syntax. */
typedef struct SqlSearchTerm {
  Str text;
  bool is_prefix; /* the last word may go on */
} SqlSearchTerm;

enum { SQL_VALUE_TYPES = VALUE_ROWS + 1 };

/* The table of changes (query/change_feed.h), whose statements no contract decides. */
typedef struct SqlChanges {
  bool is_serial; /* one transaction writes at a time, and numbers are in the order of commits */
  Str tables[2];  /* make it and its index where they aren't there; ptr NULL: no more */
  Str insert;     /* time, table, kind, key, the row before */
  Str insert_run; /* time, table, kind, an array of keys, how many they are: one change for each, in this order */
  Str head;       /* transactions before this one are all over; the last number; the transaction and the number behind what was pruned */
  Str range;      /* transactions from, and before; behind a number; at most so many */
  Str prune;      /* older than; numbers below this one; at most so many */
} SqlChanges;

struct SqlDialect {
  Str name;
  char param_sigil;                 /* '?' in ?3, '$' in $3 */
  Str param_casts[SQL_VALUE_TYPES]; /* written behind a parameter of the type; len 0: none */
  Str true_text, false_text;
  Str boolean_test;                /* behind a Boolean that stands as a condition, spelled so that an index on it serves; len 0: none */
  Str collations[SQL_VALUE_TYPES]; /* behind an operand of a comparison or a sort, with its leading space; len 0: none */
  bool has_plain_equality;         /* texts that are equal are so under every collation: = and IN need none, so that any index serves */
  bool has_nulls_largest;          /* the order of nulls is already ours */
  Str row_lock; /* behind a SELECT, before the alias of the table whose rows stay as they are until the transaction's end; len 0: others
                   can't write anyway */
  Str templates[SQL_TEMPLATE_COUNT];
  SqlChanges changes;
  Str idempotency_table; /* makes the table of kept answers (query/idempotency.c) where it isn't there */
  /* `column` (alias and name, quoted) in canonical form: as a value of the field's type is passed as a parameter. Without a collation.
   * `is_plain`: of a row of parameters. */
  void (*write_canonical)(Buf *out, Str column, const Field *field, bool is_plain);
  /* `column` in a form that the driver decodes; NULL: as it is. */
  void (*write_readable)(Buf *out, Str column, const Field *field);
  /* The name of the collation that an operand needs only because of its column (one declared as ignoring case, say); len 0: none. */
  Str (*column_collation)(const Field *field);
  /* The column's own form is not its canonical one, but parameters can be brought to it for = and the order of keys, so that an index
   * serves: a uuid that is a text to everybody else. Where a parameter can't be brought to it, it is null. All three may be NULL: no such
   * fields. */
  bool (*has_own_form)(const Field *field);
  /* Behind a parameter that is compared with the column's own form; len 0: as param_casts has it. */
  Str (*field_cast)(const Field *field);
  /* Behind a parameter that is stored in the column. */
  void (*write_stored_cast)(Buf *out, const Field *field);
  /* A member of a JSON document as a canonical value of `type` (the last member's): NULL where it is missing, null or of another type. */
  void (*write_member)(Buf *out, Str document, const Str *names, size_t name_count, FieldType type);
  /* A FROM item with one column `value`: the items of a list as canonical values of `type`. The list is a parameter or a stored one (JSON).
   */
  void (*write_each)(Buf *out, Str list, ValueType type, bool is_param);
  /* operand IN the items of a list parameter, so that an index on the operand serves. NULL items match nothing. */
  void (*write_in_list)(Buf *out, Str operand, Str list, ValueType type,
                        const Field *own); /* own: whose own form the operand is; NULL: canonical */
  /* A FROM item of rows whose columns are the items of list parameters, $first and those behind it, one for each of `keys`, in the form
   * that the keys' columns are compared in: k0, k1 …, then n, counted from 1. With it and LATERAL one statement reads the nested lists of
   * all parents. NULL: a statement is a function call here, and is run once for each parent. */
  void (*write_parents)(Buf *out, const Field *const *keys, size_t key_count, uint32_t first_param);
  /* Full-text search; both NULL where there is none. A FROM item of the rows in which the pattern, a parameter's value, is found: their
   * keys as k0, k1 …, and found_rank, the best the smallest. It stands behind the table that is searched, whose alias with its dot is
   * `row`: it may look at that row alone. A row's rank depends on that row and the pattern alone, so that a page's cursor stays right while
   * others come and go, and nothing is told of rows that are not shown. */
  void (*write_search)(Buf *out, const Resource *resource, Str row, Str param);
  /* That parameter's value: all of the terms, in some of resource->search by their index. */
  void (*write_search_pattern)(Buf *out, const SqlSearchTerm *terms, size_t term_count, const uint32_t *columns, size_t column_count);
  /* The value of SQL_MATCHES' second operand; NULL: the pattern as it was written. */
  void (*write_regex)(Buf *out, const RegexNode *node);
};

/* Appends the template with its operands. */
void sql_write_template(Buf *out, const SqlDialect *dialect, SqlTemplate which, const Str *operands, size_t operand_count);
/* 'text' with quotes doubled. For names from the contract only, never for a caller's values. */
void sql_write_string(Buf *out, Str text);

/* What select.c shares with expr_sql.c. */
typedef struct SqlWriter SqlWriter;
typedef struct SqlScope SqlScope;
/* CASE stored WHEN … THEN … END: an enum's name from its stored one. */
void sql_write_enum_name(Buf *out, Str stored, const EnumType *type);
/* The collation that a comparison of the column needs, with its leading space; mostly nothing. */
void sql_write_collation(const SqlWriter *writer, Buf *out, const SqlScope *scope, const Field *field);
/* The column has a form of its own beside the canonical one. */
static inline bool sql_has_own_form(const SqlDialect *dialect, const Field *field) {
  return dialect->has_own_form != NULL && dialect->has_own_form(field);
}
