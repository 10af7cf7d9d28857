/* graphql_stream_list.h - which event streams there are, whose they are, and which has to go where there are too many or too much waits
 * for their readers. Bookkeeping alone, for graphql_streams.c: the lock is the caller's, who also ends what is taken from the list.
 *
 * Nobody can take what others need: an owner has at most half of the streams (all strangers are one owner, as nothing tells one from
 * another), and whoever has to go is of the owner who has most. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/graphql_streams.h"

/* One owner may have a half of all streams, as one connection may have half of the requests in flight. */
enum { GRAPHQL_STREAM_OWNER_SHARE = 2, GRAPHQL_STREAM_BUCKETS = 1024 /* a power of two */ };

typedef struct GraphqlStreamHolder GraphqlStreamHolder; /* an owner, as long as a stream of his is on the list */

typedef struct GraphqlStreamPlace {
  Str token;
  uint64_t expires_ms;
  atomic_size_t waiting_bytes;                          /* any thread */
  GraphqlStreamHolder *holder;                          /* NULL: it is not on the list */
  struct GraphqlStreamPlace *in_bucket, *older, *newer; /* of the same bucket, or of those taken; of those that nobody reads */
  bool is_awaited;                                      /* nobody reads it */
} GraphqlStreamPlace;

typedef struct GraphqlStreamList {
  size_t streams_max, count;
  GraphqlStreamPlace *oldest, *newest; /* of those that nobody reads */
  GraphqlStreamPlace *buckets[GRAPHQL_STREAM_BUCKETS];
  GraphqlStreamHolder *holders[GRAPHQL_STREAM_BUCKETS];
} GraphqlStreamList;

/* Where there is no room something must go that nobody reads: of the same owner where he has his share, else of the owner who has most, if
 * that is no less than this one has. It is linked before `*taken` by in_bucket. CODE_RATE_LIMITED: the owner has too many;
 * CODE_UNAVAILABLE: there are too many, or memory is out. */
Code graphql_stream_list_add(GraphqlStreamList *list, GraphqlStreamPlace *place, const GraphqlStreamOwner *owner,
                             GraphqlStreamPlace **taken);
/* NULL: there is none. */
GraphqlStreamPlace *graphql_stream_list_find(GraphqlStreamList *list, Str token);
/* owner->who.ptr NULL: whoever has the same certificate. The place is on the list. */
bool graphql_stream_list_is_of(const GraphqlStreamPlace *place, const GraphqlStreamOwner *owner);
/* Somebody reads it. */
void graphql_stream_list_await_no_more(GraphqlStreamList *list, GraphqlStreamPlace *place);
/* False: it was not there. */
bool graphql_stream_list_remove(GraphqlStreamList *list, GraphqlStreamPlace *place);
/* Those whose time is over, linked by in_bucket. */
GraphqlStreamPlace *graphql_stream_list_take_expired(GraphqlStreamList *list, uint64_t now_ms);
/* Of the owner whose streams have most waiting the one that has most. NULL: nothing waits. */
GraphqlStreamPlace *graphql_stream_list_largest(GraphqlStreamList *list);
