/* expr_world.h - a small contract with random rows, in memory and in an SQLite database, and who may see what of it. */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "contract/expr.h"
#include "contract/load.h"
#include "sql/select.h"

typedef struct Random {
  uint64_t state;
} Random;
uint64_t random_next(Random *random);
static inline size_t random_below(Random *random, size_t n) { return (size_t)(random_next(random) % n); }
static inline bool random_one_in(Random *random, size_t n) { return random_below(random, n) == 0; }

enum { ROWS_MAX = 64, TABLES_MAX = 8 };

typedef struct Table {
  const Resource *resource;
  Value *rows;  /* count × stored_count */
  Value *views; /* the same as a client sees it: hidden fields are null */
  bool *is_visible;
  size_t count;
  const Value *pointers[ROWS_MAX];
} Table;

typedef struct World {
  Arena *arena;
  Contract *contract;
  Table tables[TABLES_MAX];
  size_t table_count;
  sqlite3 *db;
  Caller caller;
  JsonValue claims;
  int64_t now_us;
  ExprResolver resolver;      /* sees everything */
  ExprResolver view_resolver; /* sees what the client sees */
} World;

World *world_create(Random *random);
void world_destroy(World *world);
const Table *world_table(const World *world, const char *resource);
static inline const Value *table_row(const Table *table, size_t i) { return table->rows + i * table->resource->stored_count; }
static inline const Value *table_view(const Table *table, size_t i) { return table->views + i * table->resource->stored_count; }

/* The rules of the client's view: those of the contract, reduced for the world's caller. */
const Expr *world_row_rule(void *world, const Resource *resource);
const Expr *world_field_rule(void *world, const Field *field);

/* A random value of the field; the same pools as expr_random's literals. */
Value world_random_value(Random *random, Arena *arena, const Field *field);
Value world_random_scalar(Random *random, ExprType type);
Str world_random_name(Random *random, const EnumType *type);
