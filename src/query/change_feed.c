#include "query/change_feed.h"

#include "base/memory.h"
#include "sql/dialect_impl.h"

static const ValueType insert_params[] = {VALUE_INT, VALUE_TEXT, VALUE_INT, VALUE_TEXT, VALUE_TEXT};
static const ValueType run_params[] = {VALUE_INT, VALUE_TEXT, VALUE_INT, VALUE_TEXT, VALUE_INT};
static const ValueType range_params[CHANGE_RANGE_PARAMS] = {VALUE_INT, VALUE_INT, VALUE_INT, VALUE_INT};
static const ValueType prune_params[] = {VALUE_INT, VALUE_INT, VALUE_INT};
static const StoreColumn head_columns[CHANGE_HEAD_COLUMNS] = {
    {.type = VALUE_INT}, {.type = VALUE_INT}, {.type = VALUE_INT}, {.type = VALUE_INT}};
static const StoreColumn range_columns[CHANGE_COLUMNS] = {
    [CHANGE_TRANSACTION] = {.type = VALUE_INT}, [CHANGE_SEQ] = {.type = VALUE_INT},  [CHANGE_SOURCE] = {.type = VALUE_TEXT},
    [CHANGE_KIND] = {.type = VALUE_INT},        [CHANGE_KEY] = {.type = VALUE_TEXT}, [CHANGE_BEFORE] = {.type = VALUE_TEXT},
};

static StoreStatement write_statement(Str sql, const ValueType *params, size_t count) {
  return (StoreStatement){.id = store_statement_id(), .sql = sql, .param_types = params, .param_count = count, .is_write = true};
}

static StoreStatement read_statement(Str sql, const StoreColumn *columns, size_t column_count, const ValueType *params, size_t count) {
  return (StoreStatement){.id = store_statement_id(),
                          .sql = sql,
                          .columns = columns,
                          .column_count = column_count,
                          .param_types = params,
                          .param_count = count};
}

static void make_statements(ChangeFeed *feed, const SqlChanges *sql) {
  static const uint32_t levels[] = {0, 1};
  feed->insert = write_statement(sql->insert, insert_params, sizeof insert_params / sizeof insert_params[0]);
  feed->insert_run = write_statement(sql->insert_run, run_params, sizeof run_params / sizeof run_params[0]);
  feed->prune = write_statement(sql->prune, prune_params, sizeof prune_params / sizeof prune_params[0]);
  feed->head = read_statement(sql->head, head_columns, CHANGE_HEAD_COLUMNS, NULL, 0);
  feed->range = read_statement(sql->range, range_columns, CHANGE_COLUMNS, range_params, CHANGE_RANGE_PARAMS);
  feed->read_statements[0] = &feed->head;
  feed->read_statements[1] = &feed->range;
  feed->read.statements = feed->read_statements;
  feed->read.levels = levels;
  feed->read.count = 2;
}

/* Any thread. */
static void wake_listeners(void *context) {
  ChangeFeed *feed = context;
  if (atomic_load_explicit(&feed->listening, memory_order_acquire) == 0) return;
  pthread_mutex_lock(&feed->lock);
  for (ChangeListener *listener = feed->listeners; listener != NULL; listener = listener->next) {
    if (!atomic_exchange(&listener->is_posted, true)) loop_post(listener->loop, &listener->message);
  }
  pthread_mutex_unlock(&feed->lock);
}

Code change_feed_create(Store *store, const ChangeFeedOptions *options, ChangeFeed **ret, Error *err) {
  ChangeFeed *feed = memory_alloc(sizeof *feed);
  TRY_ALLOC(feed);
  memset(feed, 0, sizeof *feed);
  feed->options = *options;
  feed->store = store;
  const SqlChanges *sql = &store->driver->dialect->changes;
  feed->is_serial = sql->is_serial;
  make_statements(feed, sql);
  pthread_mutex_init(&feed->lock, NULL);
  feed->refusal = STR("this server keeps no record of changes (--changes off)");
  if (options->is_on && store->driver->changes_open != NULL) {
    bool is_there = false;
    Code code = store->driver->changes_open(store, &is_there, err);
    if (code != CODE_OK) return change_feed_destroy(feed), code;
    feed->is_recording = is_there;
    if (is_there && store->driver->changes_listen != NULL) code = store->driver->changes_listen(store, wake_listeners, feed, err);
    if (code != CODE_OK) return change_feed_destroy(feed), code;
    feed->refusal = STR("this database was not made by Caisson: no record of changes is put into it, so that there is nothing to watch");
  }
  *ret = feed;
  return CODE_OK;
}

void change_feed_destroy(ChangeFeed *feed) {
  if (feed == NULL) return;
  pthread_mutex_destroy(&feed->lock);
  memory_free(feed);
}

void change_feed_listen(ChangeFeed *feed, ChangeListener *listener) {
  pthread_mutex_lock(&feed->lock);
  listener->next = feed->listeners;
  feed->listeners = listener;
  atomic_fetch_add(&feed->listening, 1);
  pthread_mutex_unlock(&feed->lock);
}

void change_feed_stop_listening(ChangeFeed *feed, ChangeListener *listener) {
  pthread_mutex_lock(&feed->lock);
  for (ChangeListener **link = &feed->listeners; *link != NULL; link = &(*link)->next) {
    if (*link != listener) continue;
    *link = listener->next;
    atomic_fetch_sub(&feed->listening, 1);
    break;
  }
  pthread_mutex_unlock(&feed->lock);
}

void change_feed_wake(ChangeFeed *feed) {
  wake_listeners(feed);
  if (feed->store->driver->changes_tell != NULL) feed->store->driver->changes_tell(feed->store);
}
