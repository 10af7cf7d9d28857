/* watch.h - the change feed as faces subscribe to it: REST's SSE, GraphQL's subscriptions, gRPC's Watch. A Watch is a standing list:
 * whenever a committed write makes a row of it appear, change or go, its owner is sent an event, in commit order for each row, at least
 * once, under the access that the caller has at that moment.
 *
 * How to subscribe (all of it on the loop's own thread):
 *   1. The request goes through the usual steps as a LIST (decode, then engine_authorize refuses with 401 or 403 what no row could allow).
 *   2. The face fills a Watch on the request's arena and calls watch_open. Where that refuses (no feed, too many watches, a position that
 * is no longer kept), *ret_problem says why and the watch was never there: an ordinary error answer.
 *   3. `started` is called once with the position from which the watch goes on: now the answer's head may go out. Then `send` for each
 * event, `beat` when nothing was sent for --watch-heartbeat, and `ended` once, as the last call: without `started` before it where the
 * position turns out to be too old (an ordinary error answer again). None of them is called from within watch_open. Who goes on after
 * `ended` opens the next watch in a later turn of the loop: of this turn's all are ended.
 *   4. A client that leaves: watch_close, after which `ended` still comes (perhaps before watch_close returns) with a NULL problem. Until
 *      then everything that the Watch points to stays in place: its caller, selection, filter, encoder and contract.
 *
 * Backpressure: `send` returns false when its reader has had enough; then nothing more is sent until watch_ready. Nothing is queued here
 * for such a watch but its position: it goes on from the table of changes. One that does not become ready within --watch-lag is ended with
 * CODE_RATE_LIMITED and its last position, as is one whose position has been pruned meanwhile (CODE_PRECONDITION_FAILED).
 * Other ends: the token's expiry (CODE_UNAUTHENTICATED), the server's (CODE_UNAVAILABLE), a reloaded contract (CODE_UNAVAILABLE: come back
 * with the position). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/change_position.h"
#include "query/engine.h"

typedef enum WatchKind {
  WATCH_CREATED = 0, /* a row came into the watch: made, or it has become visible or begun to match */
  WATCH_UPDATED,
  WATCH_DELETED, /* a row of the watch was deleted */
  WATCH_REMOVED  /* it is still there perhaps, but no longer visible, or no longer matches */
} WatchKind;

typedef struct WatchEvent {
  WatchKind kind;
  Str position;     /* opaque text: `after` of whoever comes back */
  const Value *key; /* as the API gives it: one value for each of resource->keys */
  Str content;      /* CREATED, UPDATED: what `write` made of the row; else ptr NULL */
} WatchEvent;

typedef struct Watch Watch;

/* How a face writes rows and events. Watches with the same encoder, form, list, selection and the same residue of their rules share one
 * evaluation: `write` and `frame` are called for one of them in the name of all, so that what they write may depend on nothing else. */
typedef struct WatchEncoder {
  /* One row as the face shows it, behind what is in `out`; values stand in the selection's order and are borrowed. Perhaps on a store's
   * thread; the watch's arena must not be used. */
  Code (*write)(Watch *watch, const Selection *selection, const Value *values, Buf *out, Error *err);
  /* The event as bytes that are the same for all: handed to `send` as they are. On the loop. NULL: `send` gets an empty frame. */
  void (*frame)(Watch *watch, const WatchEvent *event, Buf *out);
  /* For this watch alone; on the loop. False: no more until watch_ready. */
  bool (*send)(Watch *watch, const WatchEvent *event, Str frame);
  void (*started)(Watch *watch, Str position);
  void (*beat)(Watch *watch, Str position);                          /* everything up to the position has been sent; NULL: not wanted */
  void (*ended)(Watch *watch, const Problem *problem, Str position); /* problem NULL: watch_close. The problem lives until it returns */
} WatchEncoder;

struct Watch {
  /* Filled by the face, on an arena that lives until `ended` has returned. */
  Operation
      operation;    /* ACTION_LIST: resource, selection, list.filter, list.scope, caller, now_us; order, page and search are passed over */
  const Value *key; /* one row only, as Operation.key; NULL: all that the list has */
  const WatchEncoder *encoder;
  void *context;      /* the face's own */
  Str form;           /* whatever else decides what encoder->write and frame make: response names, a format */
  Str after;          /* the position to go on from; ptr NULL: from now on */
  int64_t expires_us; /* of the caller's token, wall clock; 0: never */
  Arena *arena;
  /* The hub's own. */
  struct WatchHub *hub;
  Engine *engine;
  struct WatchGroup *group;
  Watch *next, *previous; /* of the group */
  ChangePosition at;
  const Expr *verdict; /* read rule and filter, reduced for the caller; now() stays */
  Selection *keyed;    /* operation.selection with the key behind it */
  Str shape;           /* what it shares with others */
  Str key_text;        /* of `key`; ptr NULL: all */
  uint64_t shape_hash;
  uint64_t round; /* of the lane's reads: the first that began after it was opened */
  uint64_t sent_ms, full_ms;
  const char *end_detail;
  Code end_code;
  bool is_far;   /* the verdict looks at more than the row */
  bool is_plain; /* the selection is made of the row's own fields, without rules of theirs */
  bool is_started, is_full, is_behind, is_closing;
};

/* CODE_OK: callbacks will come. Else *ret_problem, on the watch's arena. */
Code watch_open(Engine *engine, Watch *watch, const Problem **ret_problem);
void watch_ready(Watch *watch); /* `send` returned false, and there is room again */
void watch_close(Watch *watch); /* `ended` will come, or has come when this returns; once, and not after `ended` */

/* ---- for the server: one hub a loop ---- */

typedef struct WatchHub WatchHub;
struct ChangeFeed;

Code watch_hub_create(Loop *loop, StoreSession *session, struct ChangeFeed *feed, WatchHub **ret, Error *err);
/* Every watch is ended with the problem's code and text: a drain, a contract that was read again. `is_last`: none is opened any more. */
void watch_hub_end_all(WatchHub *hub, Code code, const char *detail, bool is_last); /* `detail` is static */
size_t watch_hub_count(const WatchHub *hub);                                        /* watches that are open */
/* Behind the last watch: `idle` is called once nothing of the hub's is under way in the store, perhaps at once. */
void watch_hub_drain(WatchHub *hub, LoopFn *idle, void *context);
void watch_hub_stop(WatchHub *hub);    /* the loop runs no more, and is still there; NULL is fine */
void watch_hub_destroy(WatchHub *hub); /* stopped, and the loop is gone; NULL is fine */
