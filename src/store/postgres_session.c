/* postgres_session.c - one loop's session. Reads wait in lanes; at the end of a turn every idle link takes a batch from the lane whose head
 * has waited longest. Links are opened as they are needed, by the keeper. Writes of a turn go to the writers together. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "store/postgres_store.h"

enum { TICK_MS = 50, CANCEL_AGAIN_US = 1000 * 1000 };

int64_t postgres_jitter_us(int64_t delay_us) {
  /* No secret hangs on it. */
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t mixed = ((uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&now) * UINT64_C(0x9E3779B97F4A7C15);
  return delay_us / 2 + (int64_t)((mixed >> 33) % (uint64_t)(delay_us / 2 + 1));
}

void postgres_time_in(int64_t delay_us, struct timespec *ret) {
  clock_gettime(CLOCK_REALTIME, ret);
  int64_t ns = ret->tv_nsec + (delay_us % 1000000) * 1000;
  ret->tv_sec += (time_t)(delay_us / 1000000 + ns / 1000000000);
  ret->tv_nsec = (long)(ns % 1000000000);
}

/* ---- reads ---- */

static PostgresLane lane_of(const StorePlan *plan) {
  if (atomic_load_explicit(&plan->is_slow, memory_order_relaxed)) return POSTGRES_LANE_ALONE;
  bool is_single = plan->count == 1 && (plan->is_repeated == NULL || !plan->is_repeated[0]);
  return is_single ? POSTGRES_LANE_SINGLE : POSTGRES_LANE_SNAPSHOT;
}

bool postgres_read_is_unwanted(const StoreRead *read, int64_t now_us) {
  return (read->deadline_us != 0 && now_us > read->deadline_us) || (read->is_abandoned != NULL && *read->is_abandoned);
}

Code postgres_read_give_up(StoreRead *read) { return error_set(&read->error, CODE_TIMEOUT, "nobody waits for the answer any more"); }

void postgres_session_finish_read(PostgresSession *session, StoreRead *read) {
  postgres_count(&session->store->reads, 1);
  if (read->error.code != CODE_OK) postgres_count(&session->store->errors, 1);
  read->done(read, read->error.code, &read->error);
}

void postgres_session_again(PostgresSession *session, StoreRead *read) {
  if (++read->attempts >= POSTGRES_ATTEMPTS_MAX) {
    if (read->error.code == CODE_OK)
      read->error.code = error_set(&read->error, CODE_UNAVAILABLE, "the connection to the database was lost");
    postgres_session_finish_read(session, read);
    return;
  }
  read->error.code = CODE_OK;
  read->restart(read);
  store_read_push_first(&session->lanes[POSTGRES_LANE_ALONE], read);
}

void postgres_session_read(StoreSession *base, StoreRead *read) {
  PostgresSession *session = (PostgresSession *)base;
  read->session = base;
  read->attempts = 0;
  read->since_us = loop_monotonic_us(session->loop);
  store_read_push(&session->lanes[lane_of(read->plan)], read);
}

void postgres_session_write(StoreSession *base, StoreWrite *write) {
  PostgresSession *session = (PostgresSession *)base;
  write->session = base;
  write->since_us = loop_monotonic_us(session->loop);
  store_write_push(&session->writes, write);
}

StoreLine postgres_session_line(StoreSession *base, const StorePlan *plan) {
  PostgresSession *session = (PostgresSession *)base;
  if (plan == NULL) {
    StoreLine line = postgres_writers_line(session->store);
    line.waiting += session->writes.count;
    return line;
  }
  PostgresLane lane = lane_of(plan);
  return (StoreLine){.waiting = session->lanes[lane].count, .each_ns = pace_each_ns(&session->paces[lane]) / (int64_t)session->link_count};
}

/* ---- links ---- */

static bool has_waiting(const PostgresSession *session) {
  for (size_t lane = 0; lane < POSTGRES_LANES; lane++) {
    if (session->lanes[lane].first != NULL) return true;
  }
  return false;
}

static void link_on_ready(void *context, bool is_readable, bool is_writable) {
  PostgresLink *link = context;
  if (is_readable) postgres_batch_receive(link);
  if (is_writable && link->connection != NULL) postgres_link_flush(link);
}

void postgres_link_flush(PostgresLink *link) {
  bool is_left = false;
  Error err = {0};
  Code code = postgres_flush(link->connection, &is_left, &err);
  if (code != CODE_OK)
    postgres_session_link_lost(link, &err);
  else
    loop_poll_watch(link->poll, true, is_left);
}

static void link_close(PostgresLink *link) {
  postgres_cancel_forget(link);
  if (link->connection != NULL) postgres_pool_closed(link->session->store, link->session);
  loop_poll_destroy(link->poll);
  postgres_connection_close(link->connection);
  if (link->state == POSTGRES_LINK_BUSY && link->is_alone) link->session->links_alone--;
  link->poll = NULL;
  link->connection = NULL;
  link->is_alone = false;
  link->state = POSTGRES_LINK_CLOSED;
}

/* Idle, and others wait for a connection: it is theirs now. */
static void link_share(PostgresLink *link) {
  PostgresSession *session = link->session;
  PostgresStore *store = session->store;
  PostgresClaim claim;
  if (!atomic_load(&store->pool.has_waiters) || session->is_closed) return;
  if (!postgres_pool_claim(store, POSTGRES_GIVER_LINK, session, !has_waiting(session), &claim)) return;
  PostgresConnection *connection = link->connection;
  loop_poll_destroy(link->poll);
  link->poll = NULL;
  link->connection = NULL;
  link->state = POSTGRES_LINK_CLOSED;
  postgres_pool_deliver(store, claim, connection);
}

static void link_settle(PostgresLink *link) {
  link->state = link->cancel == NULL ? POSTGRES_LINK_IDLE : POSTGRES_LINK_SETTLING;
  if (link->state == POSTGRES_LINK_IDLE) link_share(link);
}

void postgres_session_link_idle(PostgresLink *link) {
  if (link->is_alone) link->session->links_alone--;
  link->is_alone = false;
  link_settle(link);
}

static void session_settle(PostgresSession *session) {
  for (size_t i = 0; i < session->link_count; i++) {
    PostgresLink *link = &session->links[i];
    if (postgres_cancel_is_back(link) && link->state == POSTGRES_LINK_SETTLING) link_settle(link);
  }
}

static void session_share(PostgresSession *session) {
  for (size_t i = 0; i < session->link_count && !has_waiting(session); i++) {
    if (session->links[i].state == POSTGRES_LINK_IDLE) link_share(&session->links[i]);
  }
}

void postgres_session_link_lost(PostgresLink *link, const Error *error) {
  PostgresSession *session = link->session;
  StoreReadQueue reads = link->reads;
  PostgresPending pending;
  link->reads = (StoreReadQueue){0};
  (void)error;
  while (!link->is_transaction && link->state == POSTGRES_LINK_BUSY && postgres_next_lost(link->connection, &pending)) {
    if (pending.command == POSTGRES_EXECUTE && pending.read != link->unprepared) store_read_push(&reads, pending.read);
    postgres_pending_done(&pending);
  }
  link_close(link);
  for (StoreRead *read; (read = store_read_pop(&reads)) != NULL;) postgres_session_again(session, read);
}

/* Adopts a connection that the keeper has made. */
static void link_adopt(PostgresLink *link) {
  Error err = {0};
  Code code = loop_poll_create(link->session->loop, PQsocket(link->connection->pg), link_on_ready, link, &link->poll, &err);
  if (code != CODE_OK) {
    link_close(link);
    return;
  }
  link->state = POSTGRES_LINK_IDLE;
  loop_poll_watch(link->poll, true, false);
}

void postgres_session_link_opened(PostgresLink *link) {
  PostgresSession *session = link->session;
  pthread_mutex_lock(&session->lock);
  bool is_closed = session->is_closed;
  if (!is_closed) {
    link->next = session->links_opened;
    session->links_opened = link;
    if (!session->is_posted) loop_post(session->loop, &session->message);
    session->is_posted = true;
  }
  pthread_mutex_unlock(&session->lock);
  if (!is_closed) return;
  postgres_pool_closed(session->store, session);
  postgres_connection_close(link->connection);
  link->connection = NULL;
}

static PostgresLink *link_in_state(PostgresSession *session, PostgresLinkState state) {
  for (size_t i = 0; i < session->link_count; i++) {
    if (session->links[i].state == state) return &session->links[i];
  }
  return NULL;
}

/* One at a time: where the server is far away or gone, more would only queue up. */
static void link_want(PostgresSession *session) {
  PostgresLink *link = link_in_state(session, POSTGRES_LINK_OPENING) != NULL ? NULL : link_in_state(session, POSTGRES_LINK_CLOSED);
  if (link == NULL) return;
  link->state = POSTGRES_LINK_OPENING;
  postgres_pool_want(session->store, link);
}

/* ---- the end of a turn ---- */

static bool lane_may_run(const PostgresSession *session, size_t lane) {
  if (session->lanes[lane].first == NULL) return false;
  /* Slow reads leave a link for the quick ones. */
  return lane != POSTGRES_LANE_ALONE || session->links_alone + 1 < session->link_count || session->links_alone == 0;
}

static bool lane_next(const PostgresSession *session, PostgresLane *ret) {
  const StoreRead *oldest = NULL;
  for (size_t lane = 0; lane < POSTGRES_LANES; lane++) {
    const StoreRead *head = session->lanes[lane].first;
    if (!lane_may_run(session, lane) || (oldest != NULL && oldest->since_us <= head->since_us)) continue;
    oldest = head;
    *ret = (PostgresLane)lane;
  }
  return oldest != NULL;
}

static void session_time(PostgresSession *session) {
  if (session->is_timing || session->is_closed) return;
  session->is_timing = true;
  loop_timer_start(session->timer, TICK_MS, TICK_MS);
}

static void session_flush_writes(PostgresSession *session) {
  if (session->writes.count == 0) return;
  StoreWriteQueue writes = session->writes;
  session->writes = (StoreWriteQueue){0};
  session->writes_pending += writes.count;
  postgres_writers_submit(session->store, &writes);
}

static void session_flush(void *context) {
  PostgresSession *session = context;
  PostgresLane lane;
  session_flush_writes(session);
  for (PostgresLink *link; (link = link_in_state(session, POSTGRES_LINK_IDLE)) != NULL && lane_next(session, &lane);)
    postgres_batch_begin(link, lane);
  if (lane_next(session, &lane)) link_want(session);
  if (has_waiting(session) || link_in_state(session, POSTGRES_LINK_BUSY) != NULL) session_time(session);
}

/* ---- what takes too long ---- */

static void lane_expire(PostgresSession *session, StoreReadQueue *lane, int64_t now_us) {
  StoreReadQueue kept = {0};
  for (StoreRead *read; (read = store_read_pop(lane)) != NULL;) {
    bool is_late = postgres_read_is_unwanted(read, now_us);
    if (now_us - read->since_us <= session->store->acquire_timeout_us && !is_late) {
      store_read_push(&kept, read);
      continue;
    }
    read->error.code = is_late ? postgres_read_give_up(read)
                               : error_set(&read->error, CODE_UNAVAILABLE, "no connection to the database became free in time");
    postgres_session_finish_read(session, read);
  }
  /* What `done` has asked for stands in the lane by now. */
  if (kept.last != NULL) {
    kept.last->next = lane->first;
    if (lane->last == NULL) lane->last = kept.last;
    lane->first = kept.first;
    lane->count += kept.count;
  }
}

static bool link_is_working(const PostgresLink *link) { return link->state == POSTGRES_LINK_BUSY || link->state == POSTGRES_LINK_SETTLING; }

/* Again, where it has missed: a pooler drops one for a statement that still waits for its connection. */
static bool link_may_cancel(const PostgresLink *link, int64_t now_us) {
  return link->state == POSTGRES_LINK_BUSY && link->cancel == NULL && now_us >= link->cancel_again_us;
}

static void session_tick(void *context) {
  PostgresSession *session = context;
  int64_t now_us = loop_monotonic_us(session->loop);
  Error err = {0};
  bool is_busy = false;
  for (size_t i = 0; i < session->link_count; i++) {
    PostgresLink *link = &session->links[i];
    if (link_is_working(link) && now_us > link->deadline_us) postgres_session_link_lost(link, &err);
    if (link_may_cancel(link, now_us) && postgres_batch_is_unwanted(link, now_us)) postgres_cancel_begin(link, now_us + CANCEL_AGAIN_US);
    is_busy = is_busy || link_is_working(link);
  }
  for (size_t lane = 0; lane < POSTGRES_LANES; lane++) lane_expire(session, &session->lanes[lane], now_us);
  if (is_busy || has_waiting(session)) return;
  session->is_timing = false;
  loop_timer_stop(session->timer);
}

/* ---- the way back from other threads ---- */

/* Under the session's lock. */
static void session_wake(PostgresSession *session) {
  pthread_cond_signal(&session->finished);
  if (session->is_posted || session->is_closed) return;
  session->is_posted = true;
  loop_post(session->loop, &session->message);
}

void postgres_session_wake(PostgresSession *session) {
  pthread_mutex_lock(&session->lock);
  session_wake(session);
  pthread_mutex_unlock(&session->lock);
}

void postgres_sessions_wake(PostgresStore *store) {
  pthread_mutex_lock(&store->sessions_lock);
  for (PostgresSession *session = store->sessions; session != NULL; session = session->next) postgres_session_wake(session);
  pthread_mutex_unlock(&store->sessions_lock);
}

void postgres_session_finish_writes(StoreWriteQueue *writes) {
  for (StoreWrite *write; (write = store_write_pop(writes)) != NULL;) {
    PostgresSession *session = (PostgresSession *)write->session;
    pthread_mutex_lock(&session->lock);
    store_write_push(&session->writes_finished, write);
    session_wake(session);
    pthread_mutex_unlock(&session->lock);
  }
}

static void session_deliver(PostgresSession *session, StoreWriteQueue *writes) {
  session->writes_pending -= writes->count;
  for (StoreWrite *write; (write = store_write_pop(writes)) != NULL;) write->done(write, write->code, &write->error);
}

static void session_on_message(void *context) {
  PostgresSession *session = context;
  pthread_mutex_lock(&session->lock);
  StoreWriteQueue writes = session->writes_finished;
  PostgresLink *opened = session->links_opened;
  session->writes_finished = (StoreWriteQueue){0};
  session->links_opened = NULL;
  session->is_posted = false;
  pthread_mutex_unlock(&session->lock);
  if (session->is_closed) return;
  for (PostgresLink *link = opened, *next; link != NULL; link = next) {
    next = link->next;
    link_adopt(link);
  }
  session_deliver(session, &writes);
  session_settle(session);
  session_share(session);
}

/* ---- opening and closing ---- */

static Code session_init(PostgresSession *session, Error *err) {
  TRY(loop_timer_create(session->loop, session_tick, session, &session->timer, err));
  pthread_mutex_init(&session->lock, NULL);
  pthread_cond_init(&session->finished, NULL);
  session->hook = (LoopHook){.run = session_flush, .context = session};
  session->message = (LoopMessage){.run = session_on_message, .context = session};
  session->link_count = session->store->links_per_session;
  for (size_t i = 0; i < session->link_count; i++) session->links[i].session = session;
  loop_hook_add(session->loop, &session->hook);
  return CODE_OK;
}

Code postgres_session_open(Store *base, Loop *loop, StoreSession **ret, Error *err) {
  PostgresStore *store = (PostgresStore *)base;
  PostgresSession *session = memory_alloc(sizeof *session);
  TRY_ALLOC(session);
  memset(session, 0, sizeof *session);
  session->base = (StoreSession){base->driver, base};
  session->store = store;
  session->loop = loop;
  Code code = session_init(session, err);
  if (code != CODE_OK) {
    memory_free(session);
    return code;
  }
  pthread_mutex_lock(&store->sessions_lock);
  session->next = store->sessions;
  store->sessions = session;
  pthread_mutex_unlock(&store->sessions_lock);
  /* The first request should not wait for the first connection. */
  link_want(session);
  *ret = &session->base;
  return CODE_OK;
}

/* What is under way is waited for; what still waits for a link is refused. */
static void session_finish_reads(PostgresSession *session) {
  Error err = {0};
  for (size_t i = 0; i < session->link_count; i++) {
    PostgresLink *link = &session->links[i];
    while (link->state == POSTGRES_LINK_BUSY) {
      if (postgres_connection_wait(link->connection, postgres_clock_us() + session->store->target.statement_timeout_us, &err) != CODE_OK)
        postgres_session_link_lost(link, &err);
      else
        postgres_batch_receive(link);
    }
  }
  for (size_t lane = 0; lane < POSTGRES_LANES; lane++) {
    for (StoreRead *read; (read = store_read_pop(&session->lanes[lane])) != NULL;) {
      read->error.code = error_set(&read->error, CODE_UNAVAILABLE, "the store is being closed");
      postgres_session_finish_read(session, read);
    }
  }
}

static void session_finish_writes(PostgresSession *session) {
  session_flush_writes(session);
  while (session->writes_pending > 0) {
    pthread_mutex_lock(&session->lock);
    while (session->writes_finished.count == 0) pthread_cond_wait(&session->finished, &session->lock);
    StoreWriteQueue writes = session->writes_finished;
    session->writes_finished = (StoreWriteQueue){0};
    pthread_mutex_unlock(&session->lock);
    session_deliver(session, &writes);
    session_flush_writes(session);
  }
}

/* The session's memory stays until the store is closed, since a message to the loop may be on its way. */
void postgres_session_close(StoreSession *base) {
  PostgresSession *session = (PostgresSession *)base;
  session_finish_reads(session);
  session_finish_writes(session);
  session_finish_reads(session);
  pthread_mutex_lock(&session->lock);
  session->is_closed = true;
  PostgresLink *opened = session->links_opened;
  session->links_opened = NULL;
  pthread_mutex_unlock(&session->lock);
  postgres_pool_forget(session->store, session);
  for (; opened != NULL; opened = opened->next) link_close(opened);
  for (size_t i = 0; i < session->link_count; i++) {
    if (session->links[i].state != POSTGRES_LINK_OPENING) link_close(&session->links[i]);
  }
  loop_hook_remove(session->loop, &session->hook);
  loop_timer_destroy(session->timer);
  session->timer = NULL;
}

void postgres_session_destroy(PostgresSession *session) {
  assert(session->is_closed);
  pthread_cond_destroy(&session->finished);
  pthread_mutex_destroy(&session->lock);
  memory_free(session);
}
