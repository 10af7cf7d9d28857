/* folder.h - a folder of migrations: NNNN_name/{up.sql,down.sql,contract.graphql}, in the order of their numbers. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"
#include "contract/model.h"
#include "store/migrator.h"

typedef struct Migration {
  int64_t number;
  Str name; /* "0002_more_stock" */
  Str up, down, contract_text;
  Str checksum; /* of the three */
  Contract *contract;
  Layout layout; /* of that contract */
} Migration;

typedef struct MigrationFolder {
  Str path;
  bool is_there;
  VEC(Migration) migrations;
} MigrationFolder;

/* Contracts are loaded, and destroyed with the arena. CODE_CONFLICT: what stands there is no series of migrations for this store. */
Code migration_folder_read(Str path, const StoreMigrator *store, Arena *arena, MigrationFolder *ret, Error *err);
/* A contract's text, loaded; destroyed with the arena. `name` is for messages. */
Code migration_contract_load(Str name, Str text, Arena *arena, Contract **ret, Error *err);
/* Letters, digits, "-" and "_", at most 80. */
bool migration_name_is_valid(Str name);
/* Makes the folders and the three files. *ret_name: "0002_more_stock". */
Code migration_folder_write(const MigrationFolder *folder, Str name, Str up, Str down, Str contract, Arena *arena, Str *ret_name,
                            Error *err);
Str migration_checksum(Str up, Str down, Str contract, Arena *arena); /* ptr NULL when memory is out */
