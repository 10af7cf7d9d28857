/* postgres_connection.c - see postgres_connection.h. */
#include "store/postgres_connection.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "store/postgres_error.h"

enum { STATEMENTS_MAX = 500, PENDING_MIN = 64, POLL_SLICE_MS = 50, PARAMS_MAX = 65535 };

int64_t postgres_clock_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- opening ---- */

static void ignore_notice(void *context, const PGresult *result) {
  (void)context;
  (void)result;
}

/* Step by step, so that a thread that is to end needn't sit out a server that doesn't answer. */
static Code connect_within(PGconn *pg, const PostgresTarget *target, PostgresPatienceFn *patience, void *context, Error *err) {
  int64_t deadline_us = postgres_clock_us() + target->connect_timeout_us;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    struct pollfd watch = {.fd = PQsocket(pg), .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
    int ready = poll(&watch, 1, POLL_SLICE_MS);
    if (patience != NULL && !patience(context)) return error_set(err, CODE_UNAVAILABLE, "the store is being closed");
    if (postgres_clock_us() > deadline_us) return error_set(err, CODE_UNAVAILABLE, "the database does not answer");
    if (ready > 0) state = PQconnectPoll(pg);
    if (ready < 0 && errno != EINTR) return postgres_error_unreachable(target, pg, err);
  }
  return state == PGRES_POLLING_OK ? CODE_OK : postgres_error_unreachable(target, pg, err);
}

static bool is_pooler_speaking(PGconn *pg) {
  Str message = str_of(PQerrorMessage(pg));
  return str_contains(message, STR("unsupported startup parameter"));
}

static Code connect_once(PostgresTarget *target, bool is_plain, PostgresPatienceFn *patience, void *context, PGconn **ret,
                         bool *ret_is_pooler, Error *err) {
  PGconn *pg = PQconnectStartParams(target->keywords, is_plain ? target->plain_values : target->values, 0);
  TRY_ALLOC(pg);
  PQsetNoticeReceiver(pg, ignore_notice, NULL);
  bool is_begun = PQstatus(pg) != CONNECTION_BAD;
  Code code = is_begun ? connect_within(pg, target, patience, context, err) : postgres_error_unreachable(target, pg, err);
  if (code == CODE_OK) {
    *ret = pg;
    return CODE_OK;
  }
  *ret_is_pooler = is_pooler_speaking(pg);
  PQfinish(pg);
  return code;
}

/* A pooler refuses settings at the start; what it takes is learnt once for all connections. */
static Code connect_any(PostgresTarget *target, PostgresPatienceFn *patience, void *context, PGconn **ret, Error *err) {
  bool is_pooler = false;
  bool is_plain = atomic_load(&target->is_pooled);
  Code code = connect_once(target, is_plain, patience, context, ret, &is_pooler, err);
  if (code == CODE_OK || is_plain || !is_pooler) return code;
  TRY(connect_once(target, true, patience, context, ret, &is_pooler, err));
  atomic_store(&target->is_pooled, true);
  atomic_store(&target->is_prepared, false);
  return CODE_OK;
}

static Code connection_set_up(PostgresConnection *connection, Error *err) {
  connection->statements = postgres_statements_create(STATEMENTS_MAX);
  connection->params = arena_create(0);
  connection->row = arena_create(0);
  TRY_ALLOC(connection->statements);
  TRY_ALLOC(connection->params);
  TRY_ALLOC(connection->row);
  if (PQsetnonblocking(connection->pg, 1) != 0 || PQenterPipelineMode(connection->pg) != 1)
    return postgres_error_lost(connection->target, connection->pg, err);
  return CODE_OK;
}

Code postgres_connection_open(PostgresTarget *target, PostgresPatienceFn *patience, void *context, PostgresConnection **ret, Error *err) {
  PGconn *pg = NULL;
  TRY(connect_any(target, patience, context, &pg, err));
  PostgresConnection *connection = memory_alloc(sizeof *connection);
  if (connection == NULL) {
    PQfinish(pg);
    return error_no_memory(err);
  }
  *connection = (PostgresConnection){.pg = pg, .target = target};
  Code code = connection_set_up(connection, err);
  if (code == CODE_OK)
    *ret = connection;
  else
    postgres_connection_close(connection);
  return code;
}

void postgres_connection_close(PostgresConnection *connection) {
  if (connection == NULL) return;
  PostgresPending pending;
  while (postgres_next_lost(connection, &pending)) postgres_pending_done(&pending);
  PQfinish(connection->pg);
  postgres_statements_destroy(connection->statements);
  arena_destroy(connection->params);
  arena_destroy(connection->row);
  memory_free(connection->values);
  memory_free(connection->pending);
  memory_free(connection);
}

/* ---- out ---- */

/* libpq may fail without the connection's having ended, where its own memory is out: what was sent by then is never asked for again, and
 * nobody may take its answer for his. */
static Code lost(PostgresConnection *connection, Error *err) {
  connection->is_given_up = true;
  return postgres_error_lost(connection->target, connection->pg, err);
}

static Code pending_grow(PostgresConnection *connection, Error *err) {
  size_t cap = connection->cap == 0 ? PENDING_MIN : 2 * connection->cap;
  PostgresPending *pending = memory_alloc(cap * sizeof *pending);
  TRY_ALLOC(pending);
  for (size_t i = 0; i < connection->count && connection->cap > 0; i++)
    pending[i] = connection->pending[(connection->first + i) % connection->cap];
  memory_free(connection->pending);
  connection->pending = pending;
  connection->first = 0;
  connection->cap = cap;
  return CODE_OK;
}

/* Room comes first: what was sent must be waited for, which on a connection that is given up would be for ever. */
static Code pending_reserve(PostgresConnection *connection, size_t more, Error *err) {
  if (postgres_connection_is_broken(connection)) return lost(connection, err);
  while (connection->count + more > connection->cap) TRY(pending_grow(connection, err));
  return CODE_OK;
}

static void pending_push(PostgresConnection *connection, PostgresPending pending) {
  assert(connection->count < connection->cap);
  connection->pending[(connection->first + connection->count++) % connection->cap] = pending;
}

typedef struct ParamArrays {
  const char **bytes;
  int *lengths, *formats;
  Oid *types;
} ParamArrays;

static Code params_write(PostgresConnection *connection, const StoreStatement *shape, const PostgresStatement *statement,
                         const Value *params, ParamArrays *ret, Error *err) {
  Arena *arena = connection->params;
  arena_reset(arena);
  *ret = (ParamArrays){ARENA_ARRAY(arena, const char *, shape->param_count), ARENA_ARRAY(arena, int, shape->param_count),
                       ARENA_ARRAY(arena, int, shape->param_count), ARENA_ARRAY(arena, Oid, shape->param_count)};
  TRY_ALLOC(ret->bytes);
  TRY_ALLOC(ret->lengths);
  TRY_ALLOC(ret->formats);
  TRY_ALLOC(ret->types);
  if (shape->param_count > PARAMS_MAX) return error_set(err, CODE_TOO_LARGE, "a statement takes %d values at most", PARAMS_MAX);
  for (size_t i = 0; i < shape->param_count; i++) {
    PostgresParam param;
    TRY(postgres_param_write(&params[i], shape->param_types[i], statement->forms[i], arena, &param, err));
    ret->bytes[i] = param.bytes;
    ret->lengths[i] = param.length;
    ret->formats[i] = param.format;
    ret->types[i] = param.type;
  }
  return CODE_OK;
}

static bool has_executes(const PostgresConnection *connection) {
  for (size_t i = 0; i < connection->count; i++) {
    if (connection->pending[(connection->first + i) % connection->cap].statement != NULL) return true;
  }
  return false;
}

static Code statements_bound(PostgresConnection *connection, Error *err) {
  char name[POSTGRES_NAME_MAX], sql[POSTGRES_NAME_MAX + 16];
  if (has_executes(connection)) return CODE_OK;
  while (postgres_statements_evict(connection->statements, name)) {
    if (name[0] == '\0') continue;
    snprintf(sql, sizeof sql, "DEALLOCATE %s", name);
    TRY(postgres_send_control(connection, sql, err));
  }
  return CODE_OK;
}

static Code send_prepare(PostgresConnection *connection, PostgresStatement *statement, const StoreStatement *shape, const char *sql,
                         const ParamArrays *params, StoreRead *read, Error *err) {
  postgres_statement_rename(connection->statements, statement);
  if (PQsendPrepare(connection->pg, statement->name, sql, (int)shape->param_count, params->types) != 1) return lost(connection, err);
  statement->state = POSTGRES_PREPARING;
  pending_push(connection, (PostgresPending){.command = POSTGRES_PREPARE, .statement = statement, .shape = shape, .read = read});
  return CODE_OK;
}

Code postgres_send(PostgresConnection *connection, const StoreStatement *shape, const Value *params, StoreRead *read, size_t index,
                   size_t run, Error *err) {
  enum { SENT_MAX = 3 }; /* a PREPARE, an EXECUTE, and the sync behind them, lest what is sent can't be closed */
  TRY(pending_reserve(connection, SENT_MAX, err));
  TRY(statements_bound(connection, err));
  TRY(pending_reserve(connection, SENT_MAX, err));
  PostgresStatement *statement = postgres_statement_get(connection->statements, shape);
  TRY_ALLOC(statement);
  ParamArrays arrays;
  TRY(params_write(connection, shape, statement, params, &arrays, err));
  bool is_prepared = atomic_load_explicit(&connection->target->is_prepared, memory_order_relaxed);
  int is_sent;
  if (!is_prepared || statement->state == POSTGRES_UNPREPARED) {
    Str sql = arena_str(connection->params, shape->sql);
    TRY_ALLOC(sql.ptr);
    if (is_prepared) TRY(send_prepare(connection, statement, shape, sql.ptr, &arrays, read, err));
    if (!is_prepared)
      is_sent = PQsendQueryParams(connection->pg, sql.ptr, (int)shape->param_count, arrays.types, arrays.bytes, arrays.lengths,
                                  arrays.formats, 1);
  }
  if (is_prepared)
    is_sent =
        PQsendQueryPrepared(connection->pg, statement->name, (int)shape->param_count, arrays.bytes, arrays.lengths, arrays.formats, 1);
  if (is_sent != 1) return lost(connection, err);
  pending_push(
      connection,
      (PostgresPending){.command = POSTGRES_EXECUTE, .statement = statement, .shape = shape, .read = read, .index = index, .run = run});
  return CODE_OK;
}

Code postgres_send_control(PostgresConnection *connection, const char *sql, Error *err) {
  TRY(pending_reserve(connection, 1, err));
  if (PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0) != 1) return lost(connection, err);
  pending_push(connection, (PostgresPending){.command = POSTGRES_CONTROL});
  return CODE_OK;
}

Code postgres_send_settings(PostgresConnection *connection, Error *err) {
  char sql[256];
  snprintf(sql, sizeof sql,
           "SELECT set_config('statement_timeout', '%lld', true), set_config('lock_timeout', '4000', true), "
           "set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true), set_config('jit', 'off', true)",
           (long long)(connection->target->statement_timeout_us / 1000));
  return postgres_send_control(connection, sql, err);
}

Code postgres_send_sync(PostgresConnection *connection, Error *err) {
  TRY(pending_reserve(connection, 1, err));
  if (PQpipelineSync(connection->pg) != 1) return lost(connection, err);
  pending_push(connection, (PostgresPending){.command = POSTGRES_SYNC});
  return CODE_OK;
}

Code postgres_flush(PostgresConnection *connection, bool *ret_is_left, Error *err) {
  int left = PQflush(connection->pg);
  if (left < 0) return lost(connection, err);
  *ret_is_left = left > 0;
  return CODE_OK;
}

/* ---- in ---- */

Code postgres_receive(PostgresConnection *connection, Error *err) {
  return PQconsumeInput(connection->pg) == 1 ? CODE_OK : lost(connection, err);
}

bool postgres_connection_waiting(const PostgresConnection *connection, size_t at, const StoreRead **ret) {
  if (at >= connection->count) return false;
  *ret = connection->pending[(connection->first + at) % connection->cap].read;
  return true;
}

void postgres_pending_done(PostgresPending *pending) {
  if (pending->result != NULL) PQclear(pending->result);
  pending->result = NULL;
}

PostgresOutcome postgres_outcome(const PostgresPending *pending) {
  switch (pending->result == NULL ? PGRES_FATAL_ERROR : PQresultStatus(pending->result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
    case PGRES_PIPELINE_SYNC: return POSTGRES_OK;
    case PGRES_PIPELINE_ABORTED: return POSTGRES_SKIPPED;
    default: return POSTGRES_FAILED;
  }
}

/* What a command's end says of its statement. */
static void statement_note(const PostgresConnection *connection, const PostgresPending *pending) {
  PostgresStatement *statement = pending->statement;
  PostgresOutcome outcome = postgres_outcome(pending);
  (void)connection;
  if (statement == NULL || (pending->command == POSTGRES_EXECUTE && outcome == POSTGRES_OK)) return;
  if (pending->command == POSTGRES_PREPARE) {
    if (statement->state == POSTGRES_PREPARING) statement->state = outcome == POSTGRES_OK ? POSTGRES_PREPARED : POSTGRES_UNPREPARED;
    return;
  }
  if (outcome != POSTGRES_FAILED || pending->result == NULL) return;
  PostgresRemedy remedy = postgres_error_remedy(pending->result);
  if (remedy == POSTGRES_REMEDY_PREPARE || remedy == POSTGRES_REMEDY_UNPREPARED) statement->state = POSTGRES_UNPREPARED;
}

static bool pending_pop(PostgresConnection *connection, PostgresPending *ret) {
  if (connection->count == 0) return false;
  *ret = connection->pending[connection->first];
  connection->first = (connection->first + 1) % connection->cap;
  connection->count--;
  statement_note(connection, ret);
  return true;
}

/* A failed PREPARE is its statement's failure: the EXECUTE behind it would only say that it was skipped. */
static bool is_handed_out(const PostgresPending *pending) {
  return pending->command != POSTGRES_PREPARE || postgres_outcome(pending) == POSTGRES_FAILED;
}

static bool pending_is_complete(PostgresPending *head, PGresult *result) {
  if (result == NULL) return head->command != POSTGRES_SYNC || head->result != NULL;
  if (head->result != NULL) PQclear(head->result);
  head->result = result;
  return PQresultStatus(result) == PGRES_PIPELINE_SYNC;
}

bool postgres_next(PostgresConnection *connection, PostgresPending *ret) {
  while (connection->count > 0 && !postgres_connection_is_broken(connection) && PQisBusy(connection->pg) == 0) {
    PostgresPending *head = &connection->pending[connection->first];
    PGresult *result = PQgetResult(connection->pg);
    if (result == NULL && head->command == POSTGRES_SYNC) return false;
    if (!pending_is_complete(head, result)) continue;
    pending_pop(connection, ret);
    if (is_handed_out(ret)) return true;
    postgres_pending_done(ret);
  }
  return false;
}

bool postgres_next_lost(PostgresConnection *connection, PostgresPending *ret) {
  while (pending_pop(connection, ret)) {
    if (ret->command != POSTGRES_PREPARE) return true;
    postgres_pending_done(ret);
  }
  return false;
}

/* ---- rows ---- */

static Code values_reserve(PostgresConnection *connection, size_t count, Error *err) {
  if (count <= connection->value_count) return CODE_OK;
  Value *values = memory_realloc(connection->values, count * sizeof *values);
  TRY_ALLOC(values);
  connection->values = values;
  connection->value_count = count;
  return CODE_OK;
}

static Str row_bytes(const PostgresPending *pending, int row, size_t column) {
  return (Str){PQgetvalue(pending->result, row, (int)column), (size_t)PQgetlength(pending->result, row, (int)column)};
}

static Code row_value(PostgresConnection *connection, const PostgresPending *pending, int row, size_t column, Value *ret) {
  uint32_t type = PQftype(pending->result, (int)column);
  return postgres_value_read(type, row_bytes(pending, row, column), &pending->shape->columns[column], connection->row, ret);
}

/* "7,tea": the row's key as far as its parts are texts or numbers. */
static void key_write(PostgresConnection *connection, const PostgresPending *pending, int row, const Resource *resource, char *out,
                      size_t out_size) {
  size_t written = 0;
  out[0] = '\0';
  for (size_t i = 0; i < pending->shape->column_count; i++) {
    Value value;
    if (!store_column_names_row(pending->shape, i, resource) || row_value(connection, pending, row, i, &value) != CODE_OK) continue;
    const char *between = written > 0 ? "," : "";
    int len = 0;
    if (value.type == VALUE_INT) len = snprintf(out + written, out_size - written, "%s%lld", between, (long long)value.integer);
    if (value.type == VALUE_TEXT) len = snprintf(out + written, out_size - written, "%s%.*s", between, STR_ARGS(utf8_cut(value.text, 60)));
    if (len < 0 || (size_t)len >= out_size - written) return;
    written += (size_t)len;
  }
}

static Code misfit_error(PostgresConnection *connection, const PostgresPending *pending, int row, size_t column, Error *err) {
  const Field *field = pending->shape->columns[column].field;
  if (field == NULL || field->resource == NULL)
    return error_set(err, CODE_INTERNAL, "a computed value (column %zu) doesn't fit its type", column + 1);
  char key[120];
  key_write(connection, pending, row, field->resource, key, sizeof key);
  return error_set(err, CODE_INTERNAL, "the value stored in %.*s.%.*s doesn't fit the type %.*s%s%s", STR_ARGS(field->resource->table),
                   STR_ARGS(field->column), STR_ARGS(field_type_name(field)), key[0] == '\0' ? "" : ", in the row with the key ", key);
}

static Code row_read(PostgresConnection *connection, const PostgresPending *pending, int row, Error *err) {
  const StoreStatement *shape = pending->shape;
  for (size_t i = 0; i < shape->column_count; i++) {
    Value *value = &connection->values[i];
    if (PQgetisnull(pending->result, row, (int)i)) {
      *value = value_null();
      continue;
    }
    Code code = row_value(connection, pending, row, i, value);
    if (code == CODE_UNAVAILABLE) return error_no_memory(err);
    if (code != CODE_OK) return misfit_error(connection, pending, row, i, err);
  }
  return CODE_OK;
}

Code postgres_rows_read(PostgresConnection *connection, const PostgresPending *pending, StoreRowFn *row, void *context, Error *err) {
  const StoreStatement *shape = pending->shape;
  int count = PQntuples(pending->result);
  if (row == NULL || count == 0) return CODE_OK;
  if ((size_t)PQnfields(pending->result) < shape->column_count) return error_set(err, CODE_INTERNAL, "a statement gave too few columns");
  TRY(values_reserve(connection, shape->column_count, err));
  for (int i = 0; i < count; i++) {
    arena_reset(connection->row);
    TRY(row_read(connection, pending, i, err));
    TRY(row(context, connection->values, err));
  }
  return CODE_OK;
}

/* ---- for threads ---- */

bool postgres_connection_is_alive(PostgresConnection *connection) {
  Error err;
  struct pollfd watch = {.fd = PQsocket(connection->pg), .events = POLLIN};
  /* The farewell first, then the end. */
  for (int i = 0; i < 4; i++) {
    if (postgres_connection_is_broken(connection)) return false;
    if (poll(&watch, 1, 0) <= 0) return true;
    if (postgres_receive(connection, &err) != CODE_OK) return false;
  }
  return true;
}

Code postgres_connection_wait(PostgresConnection *connection, int64_t deadline_us, Error *err) {
  for (;;) {
    bool is_left = false;
    if (postgres_connection_is_broken(connection)) return lost(connection, err);
    TRY(postgres_flush(connection, &is_left, err));
    int64_t left_us = deadline_us - postgres_clock_us();
    if (left_us <= 0) {
      /* Nothing of what it may say later may be taken for an answer to something else. */
      connection->is_given_up = true;
      return error_set(err, CODE_UNAVAILABLE, "the database does not answer");
    }
    struct pollfd watch = {.fd = PQsocket(connection->pg), .events = (short)(POLLIN | (is_left ? POLLOUT : 0))};
    int ready = poll(&watch, 1, left_us > INT64_C(1000000) ? 1000 : (int)(left_us / 1000 + 1));
    if (ready < 0 && errno != EINTR) return lost(connection, err);
    if (ready <= 0 || (watch.revents & ~POLLOUT) == 0) continue;
    return postgres_receive(connection, err);
  }
}
