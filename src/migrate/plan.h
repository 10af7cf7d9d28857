/* plan.h - the one planner: from two layouts, the typed steps that lead from one to the other; what data must be looked at first; and what
 * no step can do. It knows no store's SQL (script.h writes that) and touches no database. */
#pragma once
#include "base/buf.h"
#include "store/migrator.h"

typedef enum StepKind {
  STEP_DROP_FOREIGN_KEY = 0,
  STEP_DROP_INDEX,
  STEP_RENAME_TABLE,
  STEP_RENAME_COLUMN,
  STEP_RENAME_CHECK,
  STEP_RENAME_FOREIGN_KEY,
  STEP_RENAME_INDEX,
  STEP_CREATE_TABLE,
  STEP_ADD_COLUMN,
  STEP_CHANGE_TYPE,
  STEP_CHANGE_DEFAULT,
  STEP_CHANGE_VALUES, /* of an enum */
  STEP_SET_REQUIRED,
  STEP_SET_OPTIONAL,
  STEP_ADD_FOREIGN_KEY,
  STEP_ADD_INDEX,
  STEP_DROP_COLUMN,
  STEP_DROP_TABLE,
  STEP_CHECK_LIMITS /* nothing is run: @length and @range are the server's; only the data is looked at */
} StepKind;

/* What belongs to the step's kind is set; `from` as it is before the migration, `to` as it is behind it. */
typedef struct Step {
  StepKind kind;
  const LayoutTable *from, *to;
  const LayoutColumn *from_column, *to_column;
  const LayoutIndex *from_index, *to_index;
  const LayoutForeignKey *from_key, *to_key; /* ADD, DROP: the other one is what it replaces, or is replaced by; NULL: nothing */
  bool is_destructive;
  bool is_on_new_table;
  Str text; /* "column products.stock is dropped" */
} Step;

/* A table on both sides, and its columns. */
typedef struct ColumnPair {
  const LayoutColumn *from, *to; /* one may be NULL */
} ColumnPair;
typedef struct TablePair {
  const LayoutTable *from, *to; /* one may be NULL */
  VEC(ColumnPair) columns;
} TablePair;

typedef struct MigrationPlan {
  VEC(TablePair) tables;
  VEC(Step) steps; /* in an order in which they can run */
  Buf refusals;    /* a line each: what is not migrated; then nothing is */
} MigrationPlan;

/* `is_backwards`: `from` is the newer one, whose @renamed are followed the other way. `to` is a contract's layout. */
Code migration_plan(const StoreMigrator *store, const Layout *from, const Layout *to, bool is_backwards, Arena *arena, MigrationPlan *ret,
                    Error *err);
/* Every value that `fewer` allows, `more` does. */
bool migration_values_include(const LayoutColumn *more, const LayoutColumn *fewer);
/* How a change of type is done. */
typedef enum Conversion { CONVERSION_NONE = 0, CONVERSION_SAME, CONVERSION_WIDER, CONVERSION_NARROWER } Conversion;
Conversion migration_conversion(FieldType from, FieldType to);
