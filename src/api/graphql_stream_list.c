#include "api/graphql_stream_list.h"

#include "base/memory.h"
#include "codec/hash.h"

struct GraphqlStreamHolder {
  GraphqlStreamHolder *next; /* of the same bucket */
  GraphqlStreamOwner owner;
  size_t count;         /* of his streams on the list */
  size_t waiting_bytes; /* of them: graphql_stream_list_largest's */
};

static size_t bucket_of(Str key) { return hash64(key) & (GRAPHQL_STREAM_BUCKETS - 1); }

/* ---- Owners ---- */

static bool is_same(const GraphqlStreamOwner *a, const GraphqlStreamOwner *b) {
  return str_equal(a->who, b->who) && str_equal(a->certificate, b->certificate);
}

static GraphqlStreamHolder *holder_create(const GraphqlStreamOwner *owner) {
  Str who = owner->who, certificate = owner->certificate;
  GraphqlStreamHolder *holder = memory_alloc(sizeof *holder + who.len + certificate.len);
  if (holder == NULL) return NULL;
  char *texts = (char *)(holder + 1);
  *holder = (GraphqlStreamHolder){.owner = {{texts, who.len}, {texts + who.len, certificate.len}}};
  if (who.len > 0) memcpy(texts, who.ptr, who.len);
  if (certificate.len > 0) memcpy(texts + who.len, certificate.ptr, certificate.len);
  return holder;
}

static GraphqlStreamHolder **link_of(GraphqlStreamList *list, const GraphqlStreamOwner *owner) {
  GraphqlStreamHolder **link = &list->holders[bucket_of(owner->who)];
  while (*link != NULL && !is_same(&(*link)->owner, owner)) link = &(*link)->next;
  return link;
}

/* With one stream more. NULL when memory is out. */
static GraphqlStreamHolder *enter_holder(GraphqlStreamList *list, const GraphqlStreamOwner *owner) {
  GraphqlStreamHolder **link = link_of(list, owner);
  if (*link == NULL) *link = holder_create(owner);
  if (*link != NULL) (*link)->count++;
  return *link;
}

static void leave_holder(GraphqlStreamList *list, GraphqlStreamHolder *holder) {
  if (--holder->count > 0) return;
  *link_of(list, &holder->owner) = holder->next;
  memory_free(holder);
}

bool graphql_stream_list_is_of(const GraphqlStreamPlace *place, const GraphqlStreamOwner *owner) {
  const GraphqlStreamOwner *own = &place->holder->owner;
  return (owner->who.ptr == NULL || str_equal(own->who, owner->who)) && str_equal(own->certificate, owner->certificate);
}

/* ---- The list ---- */

GraphqlStreamPlace *graphql_stream_list_find(GraphqlStreamList *list, Str token) {
  GraphqlStreamPlace *place = list->buckets[bucket_of(token)];
  while (place != NULL && !str_equal(place->token, token)) place = place->in_bucket;
  return place;
}

void graphql_stream_list_await_no_more(GraphqlStreamList *list, GraphqlStreamPlace *place) {
  if (!place->is_awaited) return;
  place->is_awaited = false;
  *(place->older == NULL ? &list->oldest : &place->older->newer) = place->newer;
  *(place->newer == NULL ? &list->newest : &place->newer->older) = place->older;
}

bool graphql_stream_list_remove(GraphqlStreamList *list, GraphqlStreamPlace *place) {
  if (place->holder == NULL) return false;
  GraphqlStreamPlace **link = &list->buckets[bucket_of(place->token)];
  while (*link != place) link = &(*link)->in_bucket;
  *link = place->in_bucket;
  place->in_bucket = NULL;
  list->count--;
  graphql_stream_list_await_no_more(list, place);
  leave_holder(list, place->holder);
  place->holder = NULL;
  return true;
}

static void add(GraphqlStreamList *list, GraphqlStreamPlace *place, GraphqlStreamHolder *holder) {
  GraphqlStreamPlace **bucket = &list->buckets[bucket_of(place->token)];
  place->in_bucket = *bucket;
  *bucket = place;
  place->older = list->newest;
  place->newer = NULL;
  *(list->newest == NULL ? &list->oldest : &list->newest->newer) = place;
  list->newest = place;
  place->is_awaited = true;
  place->holder = holder;
  list->count++;
}

static GraphqlStreamPlace *take(GraphqlStreamList *list, GraphqlStreamPlace *place, GraphqlStreamPlace *taken) {
  (void)graphql_stream_list_remove(list, place);
  place->in_bucket = taken;
  return place;
}

GraphqlStreamPlace *graphql_stream_list_take_expired(GraphqlStreamList *list, uint64_t now_ms) {
  GraphqlStreamPlace *taken = NULL;
  while (list->oldest != NULL && list->oldest->expires_ms <= now_ms) taken = take(list, list->oldest, taken);
  return taken;
}

/* ---- Too many ---- */

static GraphqlStreamPlace *oldest_of(const GraphqlStreamList *list, const GraphqlStreamHolder *holder) {
  GraphqlStreamPlace *place = list->oldest;
  while (place != NULL && place->holder != holder) place = place->newer;
  return place;
}

/* The oldest of the owner who has most, and not fewer than this one will have; where others have as many his own. */
static GraphqlStreamPlace *oldest_of_most(const GraphqlStreamList *list, const GraphqlStreamHolder *holder) {
  GraphqlStreamPlace *goes = oldest_of(list, holder);
  size_t most = goes == NULL ? holder->count - 1 : holder->count;
  for (GraphqlStreamPlace *place = list->oldest; place != NULL; place = place->newer) {
    if (place->holder->count <= most) continue;
    goes = place;
    most = place->holder->count;
  }
  return goes;
}

/* `holder` counts the place that is wanted. */
static Code make_room(GraphqlStreamList *list, const GraphqlStreamHolder *holder, GraphqlStreamPlace **taken) {
  size_t share = list->streams_max - list->streams_max / GRAPHQL_STREAM_OWNER_SHARE;
  bool has_share = holder->count > share;
  if (!has_share && list->count < list->streams_max) return CODE_OK;
  GraphqlStreamPlace *goes = has_share ? oldest_of(list, holder) : oldest_of_most(list, holder);
  if (goes == NULL) return has_share ? CODE_RATE_LIMITED : CODE_UNAVAILABLE;
  *taken = take(list, goes, *taken);
  return CODE_OK;
}

Code graphql_stream_list_add(GraphqlStreamList *list, GraphqlStreamPlace *place, const GraphqlStreamOwner *owner,
                             GraphqlStreamPlace **taken) {
  GraphqlStreamHolder *holder = enter_holder(list, owner);
  if (holder == NULL) return CODE_UNAVAILABLE;
  Code code = make_room(list, holder, taken);
  if (code == CODE_OK)
    add(list, place, holder);
  else
    leave_holder(list, holder);
  return code;
}

/* ---- Too much ---- */

static size_t waiting_of(const GraphqlStreamPlace *place) { return atomic_load_explicit(&place->waiting_bytes, memory_order_relaxed); }

static void sum_holders(GraphqlStreamList *list) {
  for (size_t i = 0; i < GRAPHQL_STREAM_BUCKETS; i++) {
    for (GraphqlStreamHolder *holder = list->holders[i]; holder != NULL; holder = holder->next) holder->waiting_bytes = 0;
  }
  for (size_t i = 0; i < GRAPHQL_STREAM_BUCKETS; i++) {
    for (const GraphqlStreamPlace *place = list->buckets[i]; place != NULL; place = place->in_bucket)
      place->holder->waiting_bytes += waiting_of(place);
  }
}

GraphqlStreamPlace *graphql_stream_list_largest(GraphqlStreamList *list) {
  GraphqlStreamPlace *largest = NULL;
  size_t most = 0;
  sum_holders(list);
  for (size_t i = 0; i < GRAPHQL_STREAM_BUCKETS; i++) {
    for (GraphqlStreamPlace *place = list->buckets[i]; place != NULL; place = place->in_bucket) {
      size_t waiting = waiting_of(place), of_holder = place->holder->waiting_bytes;
      size_t best = largest == NULL ? 0 : largest->holder->waiting_bytes;
      if (waiting == 0 || of_holder < best || (of_holder == best && waiting <= most)) continue;
      largest = place;
      most = waiting;
    }
  }
  return largest;
}
