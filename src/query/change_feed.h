/* change_feed.h - the table caisson_changes: a row for each row that a write creates, updates or deletes, made in the same transaction, and
 * read again in the order of commits. What all loops of a process share of it. Nobody else's writes are seen here. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "query/change_position.h"
#include "store/store.h"

typedef enum ChangeKind { CHANGE_CREATED = 1, CHANGE_UPDATED, CHANGE_DELETED } ChangeKind;

typedef struct ChangeFeedOptions {
  bool is_on;
  int64_t kept_us;       /* rows that are older are let go … */
  int64_t rows_max;      /* … and those beyond so many, the oldest first; the newest row always stays */
  size_t watches_max;    /* in the process */
  uint32_t heartbeat_ms; /* of a watch to which nothing is sent */
  uint32_t lag_ms;       /* how long a watch may take nothing */
  uint32_t poll_ms;      /* how often others' changes are looked for where nothing tells of them */
} ChangeFeedOptions;

/* A reader that wants to be told of commits: one a loop. */
typedef struct ChangeListener ChangeListener;
struct ChangeListener {
  Loop *loop;
  LoopMessage message; /* `run` is called on the loop: look again */
  _Atomic bool is_posted;
  ChangeListener *next; /* the feed's own */
};

typedef struct ChangeFeed {
  ChangeFeedOptions options;
  Store *store;
  bool is_recording; /* the table is there */
  bool is_serial;    /* one transaction writes at a time: the order of numbers is that of commits */
  Str refusal;       /* why there is nothing to watch, where it is not; static */
  StoreStatement insert, insert_run, head, range, prune;
  const StoreStatement *read_statements[2];
  StorePlan read;             /* head, range */
  _Atomic size_t listening;   /* listeners */
  _Atomic size_t watches;     /* open, in the process */
  _Atomic uint64_t recorded;  /* rows since the last pruning */
  _Atomic bool has_pruner;    /* a loop prunes */
  _Atomic uint64_t sent, cut; /* events; watches that were ended because they took nothing */
  pthread_mutex_t lock;
  ChangeListener *listeners; /* under `lock` */
} ChangeFeed;

/* What `read`'s statements give. */
enum { CHANGE_HEAD_HORIZON = 0, CHANGE_HEAD_LAST, CHANGE_HEAD_FLOOR_TRANSACTION, CHANGE_HEAD_FLOOR, CHANGE_HEAD_COLUMNS };
enum { CHANGE_TRANSACTION = 0, CHANGE_SEQ, CHANGE_SOURCE, CHANGE_KIND, CHANGE_KEY, CHANGE_BEFORE, CHANGE_COLUMNS };
/* The parameters of range. */
enum { CHANGE_RANGE_FROM = 0, CHANGE_RANGE_TO, CHANGE_RANGE_BEHIND, CHANGE_RANGE_LIMIT, CHANGE_RANGE_PARAMS };

/* Makes the table where the database is ours and it isn't there. Without one the feed records nothing and refuses watches. */
Code change_feed_create(Store *store, const ChangeFeedOptions *options, ChangeFeed **ret, Error *err);
void change_feed_destroy(ChangeFeed *feed); /* nobody listens any more; NULL is fine */

/* On the listener's loop. */
void change_feed_listen(ChangeFeed *feed, ChangeListener *listener);
void change_feed_stop_listening(ChangeFeed *feed, ChangeListener *listener);
/* A commit of this process has added rows: whoever listens is told, here and in other instances. Any thread. */
void change_feed_wake(ChangeFeed *feed);
