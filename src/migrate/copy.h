/* copy.h - everything of one store into another: the tables are made, the rows copied and compared, all in one transaction of the target.
 */
#pragma once
#include "base/vec.h"
#include "store/store.h"

typedef struct CopiedTable {
  Str table;
  int64_t rows;
  uint64_t sum[2]; /* copy_sum.h: of both sides */
} CopiedTable;

typedef VEC(CopiedTable) CopiedTables;

typedef enum CopyStage { COPY_ROWS = 0, COPY_INDEXES, COPY_COMPARISON } CopyStage;

typedef struct CopyOptions {
  const Contract *contract;
  Store *from, *to;
  int64_t lock_timeout_ms;
  /* How far it is: `done` of `total` rows in this stage. Called often; NULL: nobody wants to know. */
  void (*progress)(void *context, CopyStage stage, Str table, int64_t done, int64_t total);
  void *context;
} CopyOptions;

/* CODE_CONFLICT: what is there, or what was to be copied, isn't as it should be; *ret_details says more, in lines. Whatever fails, the
 * target is as it was. CODE_TIMEOUT: a lock did not come in time. */
Code store_copy(const CopyOptions *options, Arena *arena, CopiedTables *ret, Str *ret_details, Error *err);
