/* postgres_copy.h - whole rows in the text form that COPY takes (https://www.postgresql.org/docs/15/sql-copy.html, "Text Format"). Bytes
 * only: the connection is postgres_migrator.c's. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "contract/model.h"

enum { POSTGRES_COPY_BYTES = 64 * 1024 }; /* sent off when so much is there */

typedef struct PostgresCopy {
  const Resource *resource;
  Arena *arena; /* of one value; NULL: nothing is being copied */
  Buf rows;     /* not yet sent */
} PostgresCopy;

/* COPY table (columns) FROM STDIN. */
void postgres_copy_write_begin(Buf *out, const Resource *resource);
/* A SELECT that has the keys that the database numbers go on behind the largest that was copied. False: there are none. */
bool postgres_copy_write_numbers(Buf *out, const Resource *resource);
Code postgres_copy_init(PostgresCopy *copy, const Resource *resource, Error *err);
void postgres_copy_done(PostgresCopy *copy);
/* A value for each stored field, in order. */
Code postgres_copy_write_row(PostgresCopy *copy, const Value *row, Error *err);
