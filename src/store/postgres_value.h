/* postgres_value.h - values on the wire: parameters out, columns in. Results come in binary form, which saves both sides the writing and
 * reading of text; parameters go in binary form where their length is fixed, else as text. No connection, no libpq: bytes only.
 *
 * What a parameter must look like is said by the cast behind it in the statement's text ($3::uuid), which sql/dialect_postgres.c wrote:
 * a text that is no uuid goes as null, and a JSON array that is to be stored in an array column goes as an array. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/value.h"
#include "store/store.h"

/* The object ids of built-in types, which are the same in every PostgreSQL. */
enum {
  PG_BOOL = 16,
  PG_BYTEA = 17,
  PG_CHAR = 18,
  PG_NAME = 19,
  PG_INT8 = 20,
  PG_INT2 = 21,
  PG_INT4 = 23,
  PG_TEXT = 25,
  PG_JSON = 114,
  PG_FLOAT4 = 700,
  PG_FLOAT8 = 701,
  PG_BPCHAR = 1042,
  PG_VARCHAR = 1043,
  PG_DATE = 1082,
  PG_TIMESTAMP = 1114,
  PG_TIMESTAMPTZ = 1184,
  PG_NUMERIC = 1700,
  PG_UUID = 2950,
  PG_JSONB = 3802
};

/* What the cast behind a parameter asks for. */
typedef enum PostgresForm {
  POSTGRES_FORM_UNUSED = 0, /* the text doesn't name it: one of the plan's other statements does */
  POSTGRES_FORM_PLAIN,
  POSTGRES_FORM_UUID,      /* ::uuid */
  POSTGRES_FORM_ARRAY,     /* ::text[] and the like */
  POSTGRES_FORM_UUID_ARRAY /* ::uuid[] */
} PostgresForm;

/* The forms of parameters 1 to `count`, read from the statement's text. What stands in quotes is no parameter. */
void postgres_forms_read(Str sql, PostgresForm *forms, size_t count);

/* One parameter as PQsendQueryPrepared takes it. */
typedef struct PostgresParam {
  const char *bytes; /* NULL: null. Text ends with NUL */
  int length;
  int format;    /* 1: binary */
  uint32_t type; /* 0: the server infers it from the cast */
} PostgresParam;

/* The type that a parameter is declared as when its statement is prepared. */
uint32_t postgres_param_type(ValueType type);
/* `type` is the declared one, for nulls. Texts are copied to the arena where they need a NUL. CODE_UNAVAILABLE without memory. */
Code postgres_param_write(const Value *value, ValueType type, PostgresForm form, Arena *arena, PostgresParam *ret, Error *err);

/* A binary column of the type `oid` as `shape` wants it; not for nulls. What had to be written anew lives on the arena, the rest points
 * into `bytes`. CODE_INTERNAL where it doesn't fit, CODE_UNAVAILABLE without memory. Any bytes may be given. */
Code postgres_value_read(uint32_t oid, Str bytes, const StoreColumn *shape, Arena *arena, Value *ret);
