/* migrate.h - what `caisson migrate` does, for whoever asks for it. */
#pragma once
#include "migrate/folder.h"
#include "migrate/ledger.h"
#include "store/store.h"

typedef struct MigrateOptions {
  Store *store; /* NULL: for migrate_new, which needs none */
  const StoreMigrator *calls;
  const Contract *contract; /* today's */
  Str contract_text;
  Str folder;
  int64_t to; /* -1: not given */
  bool is_destruction_allowed;
  bool is_dry_run;
  int64_t lock_timeout_ms;
  void (*say)(void *context, Str line); /* a result, as soon as it is one */
  void *context;
} MigrateOptions;

/* All of these: CODE_CONFLICT: refused, or not as it should be; *ret_details says more, in lines. CODE_TIMEOUT: a lock did not come in
 * time. */
Code migrate_new(const MigrateOptions *options, Str name, Arena *arena, Str *ret_details, Error *err);
Code migrate_plan(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
Code migrate_apply(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
Code migrate_status(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
Code migrate_rollback(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
Code migrate_verify(const MigrateOptions *options, Arena *arena, Str *ret_details, Error *err);
