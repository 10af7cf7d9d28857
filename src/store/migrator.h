/* migrator.h - what a store does for migrations: tells its layout, runs statements, keeps other migrators away. Blocking, on a connection
 * of its own, one thread at a time: for commands. What is to be run is decided above (migrate/). */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "store/layout.h"

typedef struct Store Store;
typedef struct Migrator Migrator;
typedef struct StoreMigrator StoreMigrator;
typedef struct StoreStatement StoreStatement;                             /* store.h */
typedef Code StoreRowFn(void *context, const Value *columns, Error *err); /* store.h */

/* ptr NULL: null. Borrowed until it returns. */
typedef Code MigratorRowFn(void *context, const Str *columns, Error *err);

enum { MIGRATOR_COLUMNS_MAX = 8 };

typedef enum MigratorMode {
  MIGRATOR_READS = 0,
  /* Shuts out other writers, until it is closed or (where is_atomic) from begin to commit. */
  MIGRATOR_WRITES,
  /* For what serving does at its start: a look, and one transaction, which from begin to commit shuts out other writers. Nothing of it
   * lasts longer, so the connection may be a pooler's. No whole tables, no scratch. */
  MIGRATOR_ADDS
} MigratorMode;

/* How it is opened is the driver's affair (StoreDriver.migrator_open). */
typedef Code MigratorOpenFn(Store *store, int64_t lock_timeout_ms, MigratorMode mode, Migrator **ret, Error *err);

typedef struct MigratorChange {
  Str sql;  /* one or more statements, NUL-terminated */
  Str text; /* "the search index of notes is missing" */
} MigratorChange;

typedef struct MigratorChanges {
  VEC(MigratorChange) items;
} MigratorChanges;

struct StoreMigrator {
  Str dialect;    /* "sqlite" */
  bool is_atomic; /* a whole migration is one transaction, which shuts out other migrators as well */
  /* @search needs tables beside the resource's own, which a database that others made does not get. */
  bool search_needs_tables;
  bool has_schemas; /* "crm.clients" is the table clients of the schema crm */
  /* What the contract wants. Needs no database. CODE_CONFLICT: a column's type is none. */
  Code (*layout_of)(const Contract *contract, Arena *arena, Layout *ret, Error *err);
  bool (*types_equal)(Str a, Str b);
  LayoutNamesEqualFn *names_equal;   /* of tables and columns */
  void (*close)(Migrator *migrator); /* NULL is fine */
  /* What is there. `contract` (may be NULL) names the schemas that are looked at. *ret_is_ours: made by Caisson, or still empty. */
  Code (*read)(Migrator *migrator, const Contract *contract, Arena *arena, Layout *ret, bool *ret_is_ours, Error *err);
  Code (*begin)(Migrator *migrator, Error *err);
  /* CODE_CONFLICT: a reference to nothing would be left. */
  Code (*commit)(Migrator *migrator, Error *err);
  void (*rollback)(Migrator *migrator); /* nothing where no transaction is open */
  /* One statement. CODE_CONFLICT: rows that are there don't fit; CODE_TIMEOUT: a lock; CODE_BAD_REQUEST: no such SQL. The text is the
   * database's own, for operators. */
  Code (*execute)(Migrator *migrator, const char *sql, Error *err);
  /* Columns as texts, at most MIGRATOR_COLUMNS_MAX. */
  Code (*query)(Migrator *migrator, const char *sql, size_t column_count, MigratorRowFn *row, void *context, Error *err);
  /* Inside a transaction, in front of a migration's statements: what hangs on the tables and can be made again lets go. NULL: nothing does.
   */
  Code (*prepare)(Migrator *migrator, Error *err);
  /* What would bring that to the contract where it isn't. NULL: nothing hangs on tables. */
  Code (*derive)(Migrator *migrator, const Contract *contract, Arena *arena, MigratorChanges *ret, Error *err);
  /* Says that Caisson has made this database. */
  Code (*mark)(Migrator *migrator, Error *err);
  /* An empty place of one's own, which nobody else sees; gone when the migrator is closed. The store may stay as it is. */
  Code (*scratch)(Migrator *migrator, Error *err);

  /* ---- whole tables, for copies (migrate/copy.h) ---- */

  /* From here on one state of everything is read, and nothing is written, until rollback. */
  Code (*snapshot)(Migrator *migrator, Error *err);
  /* The rows of a statement without parameters, one after the other, however many; inside a transaction. A value that doesn't fit its
   * column's type is CODE_INTERNAL. */
  Code (*scan)(Migrator *migrator, const StoreStatement *statement, StoreRowFn *row, void *context, Error *err);
  /* Rows for one table, inside a transaction: begin, add each (a value for each stored field, in order), end, in which the database may
   * still refuse what was added before: CODE_CONFLICT. Nothing else runs on the migrator in between. */
  Code (*fill_begin)(Migrator *migrator, const Resource *resource, Error *err);
  Code (*fill_add)(Migrator *migrator, const Value *row, Error *err);
  Code (*fill_end)(Migrator *migrator, Error *err);
};

/* Drivers embed this as the first member. */
struct Migrator {
  const StoreMigrator *calls;
};
