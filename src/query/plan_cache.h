/* plan_cache.h - compiled plans by the shape of what they do, and the statements of writes likewise. The least recently used gives way to a
 * new one; what is in use stays until its last user's arena goes. Any thread: one lock, held for a lookup. */
#pragma once
#include "base/arena.h"
#include "store/store.h"

typedef struct PlanCache PlanCache;

/* NULL when memory is out. `plans_max` 0: nothing is kept, each plan is its user's alone. */
PlanCache *plan_cache_create(size_t plans_max);
/* What all plans' arenas hold together, above which the least recently used go; before the first one is put. */
void plan_cache_bound(PlanCache *cache, size_t bytes_max);
void plan_cache_destroy(PlanCache *cache); /* nothing of it is in use; NULL is fine */

/* What was put for the shape, in use until `user` is reset or destroyed; NULL where there is nothing, or memory is out. */
void *plan_cache_get(PlanCache *cache, Str shape, Arena *user);
/* Keeps `plan`, all of which lives in `arena`; the arena is the cache's from now on, whatever is returned. Where another thread was faster
 * its plan is the one that is kept and returned. In use as with get; NULL when memory is out. */
void *plan_cache_put(PlanCache *cache, Str shape, Arena *arena, void *plan, Arena *user);
