/* postgres_batch.c - the reads that one link has under way. Single statements go out behind one sync; an error there ends its own read and
 * skips those behind it, which run again with a sync of their own. Reads of several statements share one transaction, so that they see one
 * state, level by level: the rows of a level say what the next one asks for. */
#include "store/postgres_store.h"

enum { SINGLES_MAX = 128, SNAPSHOTS_MAX = 32 };
/* A statement that takes longer holds up those behind it: it will run alone. And when one counts as quick again. */
static const int64_t SLOW_US = 30000, QUICK_US = 5000;
static const int64_t BATCH_US = 50000;
/* In a batch of fewer reads the way there and back counts for too much. */
enum { PACED_BATCH_MIN = 8 };

static PostgresStore *store_of(const PostgresLink *link) { return link->session->store; }

/* ---- sending ---- */

static Code send_sync(PostgresLink *link, Error *err) {
  TRY(postgres_send_sync(link->connection, err));
  link->syncs++;
  return CODE_OK;
}

static bool is_repeated(const StoreRead *read, size_t index) { return read->plan->is_repeated != NULL && read->plan->is_repeated[index]; }

/* All runs of one statement. *ret_sent (may be NULL): whether there was any. */
static Code send_statement(PostgresLink *link, StoreRead *read, size_t index, bool *ret_sent, Error *err) {
  const Value *params = NULL;
  for (size_t run = 0; read->bind(read, index, &params); run++) {
    TRY(postgres_send(link->connection, read->plan->statements[index], params, read, index, run, err));
    if (ret_sent != NULL) *ret_sent = true;
    if (!is_repeated(read, index)) break;
  }
  return CODE_OK;
}

static uint32_t level_max_of(const StoreRead *read) { return read->plan->levels == NULL ? 0 : read->plan->levels[read->plan->count - 1]; }

static Code send_level(PostgresLink *link, Error *err) {
  for (StoreRead *read = link->reads.first; read != NULL; read = read->next) {
    for (size_t i = 0; i < read->plan->count; i++) {
      bool is_wanted = read->error.code == CODE_OK && (read->plan->levels == NULL ? 0 : read->plan->levels[i]) == link->level;
      if (is_wanted) TRY(send_statement(link, read, i, NULL, err));
    }
  }
  /* The end needs no turn of its own. */
  if (link->level == link->level_max) {
    TRY(postgres_send_control(link->connection, "COMMIT", err));
    link->is_ending = true;
  }
  return send_sync(link, err);
}

static Code send_transaction(PostgresLink *link, Error *err) {
  const StoreRead *first = link->reads.first;
  bool is_plain = link->level_max == 0 && first != NULL && first->next == NULL && first->plan->count == 1;
  TRY(postgres_send_control(link->connection, is_plain ? "BEGIN READ ONLY" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err));
  if (atomic_load_explicit(&store_of(link)->target.is_pooled, memory_order_relaxed)) TRY(postgres_send_settings(link->connection, err));
  return send_level(link, err);
}

static Code send_singles(PostgresLink *link, StoreReadQueue *reads, Error *err) {
  for (StoreRead *read; (read = store_read_pop(reads)) != NULL;) {
    bool is_sent = false;
    Code code = send_statement(link, read, 0, &is_sent, &read->error);
    if (is_sent && code == CODE_OK) continue;
    if (code != CODE_OK && postgres_connection_is_broken(link->connection)) {
      postgres_session_again(link->session, read);
      return error_set(err, code, "%s", read->error.text);
    }
    read->error.code = code;
    postgres_session_finish_read(link->session, read);
  }
  return send_sync(link, err);
}

static void take(StoreReadQueue *from, size_t max, StoreReadQueue *ret) {
  for (size_t i = 0; i < max && from->first != NULL; i++) {
    StoreRead *read = store_read_pop(from);
    read->error.code = CODE_OK;
    store_read_push(ret, read);
  }
}

static void busy(PostgresLink *link) {
  PostgresSession *session = link->session;
  int64_t now_us = loop_monotonic_us(session->loop);
  link->state = POSTGRES_LINK_BUSY;
  link->answered_us = now_us;
  link->deadline_us = now_us + session->store->target.statement_timeout_us + POSTGRES_GRACE_US;
}

static bool needs_transaction(const PostgresLink *link, PostgresLane lane, const StoreReadQueue *reads) {
  if (lane == POSTGRES_LANE_SNAPSHOT || atomic_load_explicit(&store_of(link)->target.is_pooled, memory_order_relaxed)) return true;
  if (reads->first == NULL) return false;
  const StorePlan *plan = reads->first->plan;
  return plan->count > 1 || (plan->is_repeated != NULL && plan->is_repeated[0]);
}

/* As many as are soon done: whoever is in a batch waits for all before him, and others for the link. */
static size_t batch_size(const PostgresSession *session, PostgresLane lane) {
  static const size_t reads_max[POSTGRES_LANES] = {SINGLES_MAX, SNAPSHOTS_MAX, 1};
  size_t soon = pace_room(pace_each_ns(&session->paces[lane]), BATCH_US, 1);
  return soon < reads_max[lane] ? soon : reads_max[lane];
}

void postgres_batch_begin(PostgresLink *link, PostgresLane lane) {
  StoreReadQueue reads = {0};
  Error err = {0};
  PostgresSession *session = link->session;
  take(&session->lanes[lane], batch_size(session, lane), &reads);
  busy(link);
  link->begun_us = link->answered_us;
  link->batch_count = reads.count;
  link->lane = lane;
  link->is_alone = lane == POSTGRES_LANE_ALONE;
  if (link->is_alone) link->session->links_alone++;
  link->is_transaction = needs_transaction(link, lane, &reads);
  link->is_failed = link->is_ending = link->is_cancelled = false;
  link->cancel_again_us = 0;
  link->level = link->level_max = 0;
  link->syncs = 0;
  link->unprepared = NULL;
  postgres_count(&store_of(link)->read_batches, 1);
  Code code;
  if (link->is_transaction) {
    link->reads = reads;
    reads = (StoreReadQueue){0};
    for (const StoreRead *read = link->reads.first; read != NULL; read = read->next) {
      if (level_max_of(read) > link->level_max) link->level_max = level_max_of(read);
    }
    code = send_transaction(link, &err);
  } else {
    code = send_singles(link, &reads, &err);
  }
  for (StoreRead *read; (read = store_read_pop(&reads)) != NULL;) postgres_session_again(link->session, read);
  if (code != CODE_OK)
    postgres_session_link_lost(link, &err);
  else
    postgres_link_flush(link);
}

/* ---- receiving ---- */

typedef struct BatchRow {
  StoreRead *read;
  size_t index;
} BatchRow;

static Code on_row(void *context, const Value *columns, Error *err) {
  const BatchRow *at = context;
  return at->read->row(at->read, at->index, columns, err);
}

static void read_rows(PostgresLink *link, const PostgresPending *pending) {
  StoreRead *read = pending->read;
  BatchRow at = {read, pending->index};
  if (read->error.code != CODE_OK) return;
  read->run = pending->run;
  read->error.code = postgres_rows_read(link->connection, pending, on_row, &at, &read->error);
}

/* What took long while others waited behind it. */
static void note_pace(PostgresLink *link, StorePlan *plan) {
  int64_t now_us = loop_monotonic_us(link->session->loop), spent_us = now_us - link->answered_us;
  link->answered_us = now_us;
  bool was_slow = atomic_load_explicit(&plan->is_slow, memory_order_relaxed);
  if (!was_slow && spent_us > SLOW_US) {
    atomic_store_explicit(&plan->is_slow, true, memory_order_relaxed);
    postgres_count(&store_of(link)->slow_reads, 1);
  } else if (was_slow && link->is_alone && spent_us < QUICK_US) {
    atomic_store_explicit(&plan->is_slow, false, memory_order_relaxed);
  }
}

/* True: the failure is not the read's own, and it may be tried again. */
static bool is_curable(PostgresLink *link, const PostgresPending *pending) {
  PostgresRemedy remedy = pending->result == NULL ? POSTGRES_REMEDY_RECONNECT : postgres_error_remedy(pending->result);
  if (remedy == POSTGRES_REMEDY_UNPREPARED) atomic_store(&store_of(link)->target.is_prepared, false);
  return remedy != POSTGRES_REMEDY_NONE;
}

static bool is_unwanted(const PostgresLink *link, const StoreRead *read) {
  return postgres_read_is_unwanted(read, loop_monotonic_us(link->session->loop));
}

/* True: it ran into the cancellation of another. */
static bool is_hit(const PostgresLink *link, const StoreRead *read) { return link->is_cancelled && read->error.code == CODE_TIMEOUT; }

static void single_answer(PostgresLink *link, const PostgresPending *pending) {
  PostgresSession *session = link->session;
  StoreRead *read = pending->read;
  switch (postgres_outcome(pending)) {
    case POSTGRES_OK:
      read_rows(link, pending);
      postgres_session_finish_read(session, read);
      return;
    case POSTGRES_FAILED:
      read->error.code = postgres_error_set(&store_of(link)->target, pending->result, &read->error);
      bool is_wanted = !is_unwanted(link, read);
      if (!is_wanted) read->error.code = postgres_read_give_up(read);
      if (is_wanted && (is_curable(link, pending) || is_hit(link, read)))
        postgres_session_again(session, read);
      else
        postgres_session_finish_read(session, read);
      return;
    case POSTGRES_SKIPPED: postgres_session_again(session, read); return;
  }
}

static void transaction_answer(PostgresLink *link, const PostgresPending *pending) {
  StoreRead *read = pending->read;
  PostgresOutcome outcome = postgres_outcome(pending);
  if (outcome == POSTGRES_OK && read != NULL) read_rows(link, pending);
  if (outcome != POSTGRES_FAILED) return;
  link->is_failed = true;
  Error error = {0};
  error.code = postgres_error_set(&store_of(link)->target, pending->result, &error);
  /* A failed BEGIN or COMMIT is nobody's own. */
  if (read == NULL || is_curable(link, pending)) return;
  read->error = error;
  if (is_unwanted(link, read))
    read->error.code = postgres_read_give_up(read);
  else if (is_hit(link, read))
    read->error.code = CODE_OK;
}

/* The PREPARE of a single read may fail: its EXECUTE, which was skipped then, is no answer any more. */
static void answer(PostgresLink *link, PostgresPending *pending) {
  if (pending->read != NULL && pending->read == link->unprepared) {
    link->unprepared = NULL;
    return;
  }
  if (pending->command == POSTGRES_EXECUTE && pending->read != NULL) note_pace(link, pending->read->plan);
  if (link->is_transaction) {
    transaction_answer(link, pending);
  } else if (pending->read != NULL) {
    if (pending->command == POSTGRES_PREPARE) link->unprepared = pending->read;
    single_answer(link, pending);
  }
}

static void transaction_end(PostgresLink *link) {
  PostgresSession *session = link->session;
  bool is_failed = link->is_failed;
  StoreReadQueue reads = link->reads;
  link->reads = (StoreReadQueue){0};
  for (StoreRead *read; (read = store_read_pop(&reads)) != NULL;) {
    if (is_failed && read->error.code == CODE_OK)
      postgres_session_again(session, read);
    else
      postgres_session_finish_read(session, read);
  }
}

static Code transaction_go_on(PostgresLink *link, Error *err) {
  if (link->is_failed) {
    TRY(postgres_send_control(link->connection, "ROLLBACK", err));
    link->is_ending = true;
    return send_sync(link, err);
  }
  link->level++;
  return send_level(link, err);
}

static void note_batch(PostgresLink *link) {
  Pace *pace = &link->session->paces[link->lane];
  int64_t spent_us = loop_monotonic_us(link->session->loop) - link->begun_us;
  if (link->batch_count >= PACED_BATCH_MIN || link->is_alone)
    pace_add(pace, spent_us, link->batch_count);
  else
    pace_add_at_most(pace, spent_us, link->batch_count);
}

/* A sync came: the unit is over. */
static void unit_end(PostgresLink *link) {
  Error err = {0};
  link->syncs--;
  if (link->syncs > 0) return;
  /* A COMMIT that was skipped ends nothing. */
  bool is_over = !link->is_transaction || (link->is_ending && (!link->is_failed || link->level == UINT32_MAX));
  if (is_over) {
    note_batch(link);
    if (link->is_transaction) transaction_end(link);
    postgres_session_link_idle(link);
    return;
  }
  Code code = transaction_go_on(link, &err);
  if (link->is_failed) link->level = UINT32_MAX;
  if (code != CODE_OK) postgres_session_link_lost(link, &err);
}

/* Which of them the server works on can't be seen: it keeps its answers until a sync. */
bool postgres_batch_is_unwanted(const PostgresLink *link, int64_t now_us) {
  const StoreRead *read = NULL;
  if (now_us - link->answered_us < SLOW_US) return false;
  for (size_t i = 0; postgres_connection_waiting(link->connection, i, &read); i++) {
    if (read != NULL && read != link->unprepared && postgres_read_is_unwanted(read, now_us)) return true;
  }
  return false;
}

void postgres_batch_receive(PostgresLink *link) {
  PostgresConnection *connection = link->connection;
  PostgresPending pending;
  Error err = {0};
  Code code = postgres_receive(connection, &err);
  link->deadline_us = loop_monotonic_us(link->session->loop) + store_of(link)->target.statement_timeout_us + POSTGRES_GRACE_US;
  while (link->state == POSTGRES_LINK_BUSY && postgres_next(connection, &pending)) {
    if (pending.command == POSTGRES_SYNC)
      unit_end(link);
    else
      answer(link, &pending);
    postgres_pending_done(&pending);
  }
  if (link->connection == NULL) return;
  if (code != CODE_OK || postgres_connection_is_broken(connection)) postgres_session_link_lost(link, &err);
}
