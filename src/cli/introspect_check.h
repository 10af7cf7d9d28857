/* introspect_check.h - a CHECK constraint of a database, told in the rule language where it can be. Null passes a CHECK, and a rule must be
 * true, so every comparison is written beside `x == null ||`. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

typedef struct CheckColumn {
  Str column;
  Str field;
  const char *type; /* the contract's: "Int", "String", an enum's name … */
  bool is_enum;
  bool is_required;
} CheckColumn;

/* `sql` as PostgreSQL prints a constraint: CHECK ((price > (0)::numeric)). ptr NULL: it can't be told, or memory is out. */
Str check_translate(Str sql, const CheckColumn *columns, size_t count, Arena *arena);
