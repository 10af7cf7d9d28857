/* replicas.h - a database and copies of it that follow: one store, whose writes go to the database and whose reads go to a copy that is
 * near enough. Which copy that is, each pulse of its own tells; a copy that is away or too far behind gets no reads. */
#pragma once
#include "store/store.h"

typedef struct StoreReplicaOptions {
  StoreOptions primary; /* copies are opened with the same, but for the URL */
  const Str *urls;
  size_t count;
  int64_t lag_us_max; /* further behind, nobody reads from it */
} StoreReplicaOptions;

/* As store_open; a copy that can't be reached comes in later. CODE_BAD_REQUEST: a store that has no copies. */
Code store_open_replicated(const StoreReplicaOptions *options, Store **ret, Error *err);
