/* plan_cache.h - compiled plans by the shape of what they do, and single statements of writes likewise. Entries live as long as the cache: a plan that is in use is never
 * dropped. Beyond `plans_max` distinct shapes nothing more is kept: the caller then compiles for the one request. */
#pragma once
#include "base/arena.h"
#include "store/store.h"

typedef struct PlanCache PlanCache;

/* NULL when memory is out. */
PlanCache *plan_cache_create(size_t plans_max);
void plan_cache_destroy(PlanCache *cache); /* NULL is fine */

/* What was put for the shape; NULL where nothing was. Any thread, where the cache is made so: one lock, held for a lookup. */
void *plan_cache_get(PlanCache *cache, Str shape);
/* The arena that a new entry's parts are to be made in; NULL where the cache is full. Must go to plan_cache_put or be destroyed. */
Arena *plan_cache_begin(PlanCache *cache);
/* Keeps `entry`, made in `arena`. Where another thread was faster its entry stays and is returned. */
void *plan_cache_put(PlanCache *cache, Str shape, Arena *arena, void *entry);
