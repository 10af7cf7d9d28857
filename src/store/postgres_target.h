/* postgres_target.h - where a database is and how its connections are set up. The address may hold a password: it is shown nowhere. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "store/store.h"

typedef struct PostgresTarget {
  const char *const *keywords; /* libpq's parameters, NULL-terminated, as PQconnectStartParams takes them */
  const char *const *values;
  const char *const *plain_values; /* the same without `options`, which poolers refuse */
  int64_t statement_timeout_us;
  int64_t connect_timeout_us;
  _Atomic bool is_pooled;   /* a pooler is between: nothing set on a connection stays */
  _Atomic bool is_prepared; /* statements are prepared by name */
  void (*report)(void *context, Str text);
  void *report_context;
} PostgresTarget;

/* A URL (postgresql://, postgres://) or a libpq connection string (host=… dbname=…)? */
bool postgres_address_is(Str address);
/* CODE_BAD_REQUEST without a word of the address where it can't be read. All on the arena. */
Code postgres_target_init(PostgresTarget *target, const StoreOptions *options, Arena *arena, Error *err);
