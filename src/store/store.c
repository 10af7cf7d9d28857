/* store.c - chooses a driver by the URL's scheme and forwards to it. */
#include "store/store.h"

#include <stdatomic.h>
#include <stdio.h>

#include "store/store_registry.h"

uint64_t store_statement_id(void) {
  /* The one counter that is the process's own: statements are made by every loop, and each connection knows them by this number alone. */
  static _Atomic uint64_t last_id;
  return atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
}

static bool is_key_of(const Field *field, const Resource *resource) {
  return field != NULL && field->resource == resource && field->is_key;
}

bool store_column_names_row(const StoreStatement *statement, size_t index, const Resource *resource) {
  bool has_order = false; /* which has the whole key, whatever was selected */
  for (size_t i = 0; i < statement->column_count && !has_order; i++) has_order = is_key_of(statement->columns[i].key, resource);
  const StoreColumn *column = &statement->columns[index];
  return is_key_of(has_order ? column->key : column->field, resource);
}

static bool driver_serves(const StoreDriver *driver, Str url) {
  for (size_t i = 0; i < sizeof driver->schemes / sizeof driver->schemes[0]; i++) {
    if (driver->schemes[i].len > 0 && str_starts_with(url, driver->schemes[i])) return true;
  }
  return driver->serves != NULL && driver->serves(url);
}

const StoreDriver *store_driver_of(Str url) {
  size_t count = 0;
  const StoreDriver *const *drivers = store_drivers(&count);
  for (size_t i = 0; i < count; i++) {
    if (driver_serves(drivers[i], url)) return drivers[i];
  }
  return NULL;
}

const char *store_forms(char text[STORE_FORMS_BYTES]) {
  size_t count = 0, len = 0;
  const StoreDriver *const *drivers = store_drivers(&count);
  for (size_t i = 0; i < count && len < STORE_FORMS_BYTES; i++) {
    const char *between = i == 0 ? "" : i + 1 < count ? ", " : " or ";
    int written = snprintf(text + len, STORE_FORMS_BYTES - len, "%s%.*s", between, STR_ARGS(drivers[i]->form));
    len += written > 0 ? (size_t)written : 0;
  }
  return text;
}

Str store_url_or_default(Str given, Str service_name, Arena *arena) {
  return given.len > 0 ? given : arena_printf(arena, "sqlite:./%.*s.db", STR_ARGS(service_name));
}

Code store_open(const StoreOptions *options, Store **ret, Error *err) {
  const StoreDriver *driver = store_driver_of(options->url);
  if (driver != NULL) return driver->open(options, ret, err);
  char forms[STORE_FORMS_BYTES];
  return error_set(err, CODE_BAD_REQUEST, "no store is served at such a URL: a store is %s", store_forms(forms));
}

void store_close(Store *store) {
  if (store != NULL) store->driver->close(store);
}

Code store_session_open(Store *store, Loop *loop, StoreSession **ret, Error *err) {
  return store->driver->session_open(store, loop, ret, err);
}

void store_session_close(StoreSession *session) {
  if (session != NULL) session->driver->session_close(session);
}

void store_read(StoreSession *session, StoreRead *read) { session->driver->read(session, read); }

void store_write(StoreSession *session, StoreWrite *write) { session->driver->write(session, write); }

StoreLine store_line(StoreSession *session, const StorePlan *plan) { return session->driver->line(session, plan); }

Code store_txn_run(StoreTxn *txn, const StoreStatement *statement, const Value *params, StoreRowFn *row, void *context,
                   int64_t *ret_changes, StoreConflict *ret_conflict, Error *err) {
  return txn->driver->txn_run(txn, statement, params, row, context, ret_changes, ret_conflict, err);
}

Code store_txn_read(StoreTxn *txn, StoreRead *read, Error *err) { return txn->driver->txn_read(txn, read, err); }
