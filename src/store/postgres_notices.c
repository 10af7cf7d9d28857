/* postgres_notices.c - instances tell one another of commits by NOTIFY, on a connection and a thread of their own: in a write's transaction
 * it would take a lock that all commits of the cluster share. What is told is only that there is something; what got lost is found by
 * looking. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/postgres_query.h"
#include "store/postgres_store.h"

enum { RETRY_MS = 500, LOOK_MS = 1000, YIELD_MS = 60000 };
static const int64_t COMMAND_TIMEOUT_US = 5000000;

struct PostgresNotices {
  PostgresStore *store;
  StoreHeardFn *heard;
  void *context;
  pthread_t thread;
  int wake; /* an eventfd */
  _Atomic bool is_closing, is_told;
};

static bool is_patient(void *context) {
  const PostgresNotices *notices = context;
  return !atomic_load(&notices->is_closing);
}

static void take_wake(PostgresNotices *notices) {
  uint64_t count = 0;
  ssize_t taken = read(notices->wake, &count, sizeof count);
  (void)taken;
}

/* False: the connection is lost. */
static bool tell_and_hear(PostgresNotices *notices, PostgresConnection *connection) {
  Error err;
  if (atomic_exchange(&notices->is_told, false) &&
      postgres_command(connection, "NOTIFY caisson_changes", COMMAND_TIMEOUT_US, NULL, &err) != CODE_OK)
    return false;
  if (PQconsumeInput(connection->pg) == 0) return false;
  bool is_heard = false;
  for (PGnotify *notice; (notice = PQnotifies(connection->pg)) != NULL; PQfreemem(notice))
    is_heard = is_heard || notice->be_pid != PQbackendPID(connection->pg);
  if (is_heard) notices->heard(notices->context);
  return !postgres_connection_is_broken(connection);
}

static void wait_for(PostgresNotices *notices, const PostgresConnection *connection, int timeout_ms) {
  struct pollfd fds[] = {{.fd = notices->wake, .events = POLLIN},
                         {.fd = connection == NULL ? -1 : PQsocket(connection->pg), .events = POLLIN}};
  if (poll(fds, sizeof fds / sizeof fds[0], timeout_ms) > 0 && (fds[0].revents & POLLIN) != 0) take_wake(notices);
}

/* Without notices changes are found by looking, a little later: where reads and writes lack connections, this one is theirs. */
static bool must_yield(PostgresNotices *notices) { return atomic_load(&notices->is_closing) || postgres_pool_is_scarce(notices->store); }

static void listen_on(PostgresNotices *notices, PostgresConnection *connection) {
  Error err;
  if (postgres_command(connection, "LISTEN caisson_changes", COMMAND_TIMEOUT_US, NULL, &err) != CODE_OK) return;
  notices->heard(notices->context); /* what was told while nobody listened */
  while (!must_yield(notices) && tell_and_hear(notices, connection)) wait_for(notices, connection, LOOK_MS);
}

/* A wake-up in between is no reason to come back sooner. */
static void stay_away(PostgresNotices *notices, int64_t for_ms) {
  int64_t until_us = postgres_clock_us() + for_ms * 1000;
  for (int64_t left_us; !atomic_load(&notices->is_closing) && (left_us = until_us - postgres_clock_us()) > 0;)
    wait_for(notices, NULL, (int)(left_us / 1000 + 1));
}

static void *notices_main(void *context) {
  PostgresNotices *notices = context;
  while (!atomic_load(&notices->is_closing)) {
    PostgresConnection *connection = NULL;
    Error err;
    if (postgres_pool_is_scarce(notices->store)) {
      stay_away(notices, YIELD_MS);
      continue;
    }
    if (postgres_connection_open(&notices->store->target, is_patient, notices, &connection, &err) == CODE_OK)
      listen_on(notices, connection);
    postgres_connection_close(connection);
    if (!atomic_load(&notices->is_closing)) stay_away(notices, RETRY_MS);
  }
  return NULL;
}

Code postgres_notices_listen(Store *base, StoreHeardFn *heard, void *context, Error *err) {
  PostgresStore *store = (PostgresStore *)base;
  PostgresNotices *notices = memory_alloc(sizeof *notices);
  TRY_ALLOC(notices);
  *notices = (PostgresNotices){.store = store, .heard = heard, .context = context, .wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (notices->wake >= 0 && pthread_create(&notices->thread, NULL, notices_main, notices) == 0) {
    store->notices = notices;
    return CODE_OK;
  }
  if (notices->wake >= 0) close(notices->wake);
  memory_free(notices);
  return error_set(err, CODE_UNAVAILABLE, "the thread that listens for changes could not be started");
}

static void wake(PostgresNotices *notices) {
  uint64_t one = 1;
  ssize_t written = write(notices->wake, &one, sizeof one);
  (void)written; /* a full counter wakes as well */
}

void postgres_notices_tell(Store *base) {
  PostgresNotices *notices = ((PostgresStore *)base)->notices;
  if (notices != NULL && !atomic_exchange(&notices->is_told, true)) wake(notices);
}

void postgres_notices_done(PostgresStore *store) {
  PostgresNotices *notices = store->notices;
  if (notices == NULL) return;
  atomic_store(&notices->is_closing, true);
  wake(notices);
  (void)pthread_join(notices->thread, NULL);
  close(notices->wake);
  memory_free(notices);
  store->notices = NULL;
}
