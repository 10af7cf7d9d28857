/* value.h - one typed value, as rules, plans, stores and results pass it. By value; what it points to is borrowed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef enum ValueType {
  VALUE_NULL = 0,
  VALUE_BOOL,
  VALUE_INT,       /* Int and BigInt: 64 bits */
  VALUE_FLOAT,     /* never NaN or infinite */
  VALUE_DECIMAL,   /* text: canonical (base/decimal.h) */
  VALUE_TEXT,      /* text: valid UTF-8 without NUL. ID, String, UUID, Email, URL, enum (its stored name) */
  VALUE_BYTES,     /* text: any bytes */
  VALUE_TIMESTAMP, /* integer: microseconds since 1970-01-01T00:00:00Z */
  VALUE_DATE,      /* integer: days since 1970-01-01 */
  VALUE_DURATION,  /* integer: microseconds */
  VALUE_JSON,      /* text: a JSON document, compact; also embedded objects, and lists as the store holds them */
  VALUE_LIST,      /* list: of scalars */
  VALUE_ROW,       /* row: a to-one relation in a Result (query/result.h) */
  VALUE_ROWS       /* rows: a to-many relation in a Result (query/result.h) */
} ValueType;

typedef struct Value Value;
typedef struct ValueList {
  const Value *items;
  size_t count;
} ValueList;

struct Value {
  ValueType type;
  union {
    bool boolean;
    int64_t integer;
    double number;
    Str text;
    ValueList list;
    const Value *row; /* values in the selection's order */
    const struct ResultRows *rows;
  };
};

static inline Value value_null(void) { return (Value){.type = VALUE_NULL}; }
static inline Value value_bool(bool b) { return (Value){.type = VALUE_BOOL, .boolean = b}; }
static inline Value value_int(int64_t n) { return (Value){.type = VALUE_INT, .integer = n}; }
/* Zero has no sign: not every store keeps it. */
static inline Value value_float(double n) { return (Value){.type = VALUE_FLOAT, .number = n == 0 ? 0 : n}; }
static inline Value value_text(Str s) { return (Value){.type = VALUE_TEXT, .text = s}; }
static inline Value value_decimal(Str canonical) { return (Value){.type = VALUE_DECIMAL, .text = canonical}; }
static inline bool value_is_null(const Value *v) { return v->type == VALUE_NULL; }
