/* postgres_target.c - the address, as libpq reads it, and what every connection is told besides. */
#include "store/postgres_target.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_library.h"

enum { ADDRESS_BYTES_MAX = 8192, LOCK_TIMEOUT_MS = 4000, IDLE_IN_TRANSACTION_TIMEOUT_MS = 30000 };
static const int64_t CONNECT_TIMEOUT_US = 5000000;

static bool is_url(Str address) { return str_starts_with(address, STR("postgresql://")) || str_starts_with(address, STR("postgres://")); }

static bool is_keyword(Str name) {
  Error err = {0};
  if (postgres_library_load(&err) != CODE_OK) return false;
  PQconninfoOption *known = PQconndefaults();
  bool is_known = false;
  for (const PQconninfoOption *option = known; option != NULL && option->keyword != NULL && !is_known; option++)
    is_known = str_equal(str_of(option->keyword), name);
  PQconninfoFree(known);
  return is_known;
}

bool postgres_address_is(Str address) {
  if (is_url(address)) return true;
  size_t equals = str_find_byte(address, '=', 0);
  return equals < address.len && is_keyword(str_trim(str_slice(address, 0, equals)));
}

/* Their message may quote any part of the address, the password too. */
static Code address_parse(Str address, Arena *arena, PQconninfoOption **ret, Error *err) {
  bool is_sound = address.len <= ADDRESS_BYTES_MAX && memchr(address.ptr, '\0', address.len) == NULL;
  Str text = arena_str(arena, address);
  TRY_ALLOC(text.ptr);
  char *message = NULL;
  *ret = is_sound ? PQconninfoParse(text.ptr, &message) : NULL;
  if (message != NULL) PQfreemem(message);
  if (*ret != NULL) return CODE_OK;
  return error_set(err, CODE_BAD_REQUEST,
                   "the store's address can't be read: it is written postgresql://user@host:port/database?parameter=value, or as libpq's "
                   "host=… dbname=…");
}

typedef struct Parameters {
  const char **keywords, **values, **plain_values;
  size_t count;
} Parameters;

static void add(Parameters *parameters, const char *keyword, const char *value, const char *plain_value) {
  parameters->keywords[parameters->count] = keyword;
  parameters->values[parameters->count] = value;
  parameters->plain_values[parameters->count++] = plain_value;
}

/* A session's settings travel with the connection's first packet, so that they cost no round trip. What the address says itself comes
 * behind ours and wins. */
static const char *session_options(const char *given, int64_t statement_timeout_us, Arena *arena) {
  return arena_printf(arena,
                      "-c statement_timeout=%lld -c lock_timeout=%d -c idle_in_transaction_session_timeout=%d -c jit=off -c TimeZone=UTC "
                      "-c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 -c standard_conforming_strings=on -c "
                      "client_min_messages=error %s",
                      (long long)(statement_timeout_us / 1000), LOCK_TIMEOUT_MS, IDLE_IN_TRANSACTION_TIMEOUT_MS, given)
      .ptr;
}

static const char *kept(Arena *arena, const char *text) { return arena_str(arena, str_of(text)).ptr; }

static Code parameters_fill(Parameters *parameters, const PQconninfoOption *given, const PostgresTarget *target, Arena *arena, Error *err) {
  const char *options = "", *application = "caisson";
  for (const PQconninfoOption *option = given; option->keyword != NULL; option++) {
    if (option->val == NULL || option->val[0] == '\0') continue;
    const char *keyword = kept(arena, option->keyword), *value = kept(arena, option->val);
    TRY_ALLOC(keyword);
    TRY_ALLOC(value);
    if (strcmp(keyword, "options") == 0)
      options = value;
    else if (strcmp(keyword, "application_name") == 0)
      application = value;
    else if (strcmp(keyword, "client_encoding") != 0)
      add(parameters, keyword, value, value);
  }
  const char *all = session_options(options, target->statement_timeout_us, arena);
  TRY_ALLOC(all);
  add(parameters, "options", all, NULL);
  add(parameters, "application_name", application, application);
  add(parameters, "client_encoding", "UTF8", "UTF8");
  add(parameters, NULL, NULL, NULL);
  return CODE_OK;
}

static int64_t connect_timeout_us(const PQconninfoOption *given) {
  for (const PQconninfoOption *option = given; option->keyword != NULL; option++) {
    if (strcmp(option->keyword, "connect_timeout") != 0 || option->val == NULL) continue;
    long seconds = strtol(option->val, NULL, 10);
    if (seconds > 0 && seconds < 3600) return (int64_t)seconds * 1000000;
  }
  return CONNECT_TIMEOUT_US;
}

Code postgres_target_init(PostgresTarget *target, const StoreOptions *options, Arena *arena, Error *err) {
  TRY(postgres_library_load(err));
  PQconninfoOption *given = NULL;
  TRY(address_parse(options->url, arena, &given, err));
  size_t count = 4;
  for (const PQconninfoOption *option = given; option->keyword != NULL; option++) count++;
  Parameters parameters = {ARENA_ARRAY(arena, const char *, count), ARENA_ARRAY(arena, const char *, count),
                           ARENA_ARRAY(arena, const char *, count), 0};
  Code code = parameters.keywords == NULL || parameters.values == NULL || parameters.plain_values == NULL ? error_no_memory(err) : CODE_OK;
  target->statement_timeout_us = options->statement_timeout_us > 0 ? options->statement_timeout_us : INT64_C(5000000);
  target->connect_timeout_us = connect_timeout_us(given);
  if (code == CODE_OK) code = parameters_fill(&parameters, given, target, arena, err);
  PQconninfoFree(given);
  target->keywords = parameters.keywords;
  target->values = parameters.values;
  target->plain_values = parameters.plain_values;
  target->report = options->report;
  target->report_context = options->report_context;
  atomic_init(&target->is_pooled, false);
  atomic_init(&target->is_prepared, options->prepared != STORE_PREPARED_OFF);
  return code;
}
