/* worker.h - one event loop with everything that it owns: a way to the store, an engine, a server, a log. Workers share nothing that is
 * written but HttpShared. */
#pragma once
#include <pthread.h>

#include "auth/authenticator.h"
#include "http/server.h"
#include "observe/access_log.h"
#include "query/engine.h"
#include "server/config.h"
#include "server/generation.h"
#include "server/trace.h"

enum { RESIDENTS_MAX = 16 };

/* What all workers share. */
typedef struct ServerShared {
  const ServeConfig *config;
  Str jwt_secret;
  Store *store;
  IdempotencyKeys *idempotency_keys;
  struct ChangeFeed *feed;
  struct GraphqlStreams *graphql_streams; /* NULL: none are served */
  HttpShared http;
  Tls *tls; /* NULL: cleartext */
  struct Worker **workers;
  size_t worker_count;
  _Atomic size_t retired_count; /* of the loops' generations that were replaced and have requests yet */
  const Expr *explain_rule;     /* who may ask with Prefer: explain; NULL: nobody */
  _Atomic bool is_started;      /* every listener is open */
} ServerShared;

/* A generation as one loop serves it. */
typedef struct Serving {
  Generation *generation;
  size_t request_count; /* under way */
  struct Serving *next; /* Worker.retired */
  Engine *engines[];    /* one a version */
} Serving;

typedef struct Worker {
  ServerShared *shared;
  size_t index; /* in shared->workers */
  Loop *loop;
  StoreSession *session;
  struct WatchHub *hub;
  HttpServer *http;
  void *residents[RESIDENTS_MAX]; /* the first worker's, in the list's order (server/resident.h); NULL: not there */
  size_t draining_count;          /* what is not drained yet, of the server and the residents */
  HttpLimits limits;
  HttpHandler handler;
  Serving *serving;   /* what new requests get */
  Serving *retired;   /* older ones, with requests under way */
  size_t loose_count; /* requests under way that no contract serves any more */
  Authenticator *authenticator;
  AccessLog *log; /* NULL: off */
  LoopTimer *log_timer;
  bool is_log_timer_set;
  LoopHook end_of_turn;
  TraceSource ids;
  LoopMessage drain_message, adopt_message;
  LoopTimer *adopt_timer;        /* where there was no memory to adopt one */
  _Atomic(Generation *) adopted; /* on its way with adopt_message; NULL: none is */
  pthread_t thread;
} Worker;

/* On the starting thread; the loop is not running yet. */
Code worker_create(ServerShared *shared, size_t index, Generation *generation, Worker **ret, Error *err);
void worker_destroy(Worker *worker); /* its loop has ended, and it is idle; NULL is fine */
/* No request is under way: false where a drain had to close some. */
bool worker_is_idle(const Worker *worker);
/* The first worker's, once all listeners are open: its residents begin. `addresses` has room for one more of each behind its items. */
Code worker_start_residents(Worker *worker, OptionList *addresses, Error *err);
/* Runs the loop until it has drained. */
void worker_run(Worker *worker);
/* Any thread, once: the worker finishes what has begun, then its loop ends. */
void worker_post_drain(Worker *worker);
/* Any thread. Takes a hold of its own; of two that come at once the later one is taken. */
void worker_post_adopt(Worker *worker, Generation *generation);

/* A request begins on the current serving, and gives it back. */
Serving *worker_serving_acquire(Worker *worker);
void worker_serving_release(Worker *worker, Serving *serving);
