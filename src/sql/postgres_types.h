/* postgres_types.h - which PostgreSQL type a field's column has: for the dialect, which casts, and for the store, which makes tables. Text
 * only. */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "contract/model.h"

/* Families of types between which a value needs no conversion of ours. */
typedef enum PostgresKind {
  POSTGRES_TEXT = 0, /* text, varchar, name */
  POSTGRES_PADDED,   /* char(n): its padding is no part of the value */
  POSTGRES_UUID,
  POSTGRES_INTEGER, /* smallint, integer, bigint */
  POSTGRES_NUMERIC,
  POSTGRES_REAL,
  POSTGRES_DOUBLE,
  POSTGRES_BOOLEAN,
  POSTGRES_TIMESTAMPTZ,
  POSTGRES_TIMESTAMP,
  POSTGRES_DATE,
  POSTGRES_JSON,
  POSTGRES_JSONB,
  POSTGRES_BYTEA,
  POSTGRES_ARRAY,
  POSTGRES_OTHER /* an enum, a domain, citext, inet …: read and written as text */
} PostgresKind;

/* The column's type where the contract gives it one that PostgreSQL may have (@column(type:)); len 0: Caisson's own. A contract that was
 * introspected from another store keeps that one's names, NVARCHAR(160), which are none here. */
Str postgres_given_type(const Field *field);
/* The type that Caisson gives the field's column, with its brackets for a list: "uuid", "text", "numeric", "bigint[]". Without precision.
 */
Str postgres_own_type(const Field *field);
/* The kind of the column: the given type's where there is one, else postgres_own_type's. */
PostgresKind postgres_kind(const Field *field);
/* The kind of a type as it is written in SQL: "character varying(20)", "timestamp(3) without time zone", "_int4". */
PostgresKind postgres_kind_of(Str type);
