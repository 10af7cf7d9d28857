/* postgres_cancel.c - a statement for whose rows nobody waits any more is cancelled in the server. libpq asks for that over a connection of
 * its own, and waits until the server has taken the request, so each goes by a thread that lives as long. The request names the connection,
 * not the statement, and hits whatever runs there when it comes: hence a link begins nothing new before its cancellation is back, and what
 * was hit instead of the one that was meant runs again. */
#include "base/memory.h"
#include "store/postgres_store.h"

enum { TEXT_BYTES_MAX = 256 };

/* Shared by the link's loop and the thread; the one that is done with it last ends it. */
struct PostgresCancel {
  PGcancel *request;
  pthread_mutex_t lock;
  PostgresLink *link; /* under `lock`; NULL: it is gone, and nobody wants to know */
  bool is_done;       /* under `lock` */
};

static void cancel_destroy(PostgresCancel *cancel) {
  PQfreeCancel(cancel->request);
  pthread_mutex_destroy(&cancel->lock);
  memory_free(cancel);
}

static void *cancel_main(void *context) {
  PostgresCancel *cancel = context;
  char text[TEXT_BYTES_MAX];
  /* Where it fails the statement goes on, until its own time is over. */
  (void)PQcancel(cancel->request, text, sizeof text);
  pthread_mutex_lock(&cancel->lock);
  bool is_wanted = cancel->link != NULL;
  cancel->is_done = true;
  if (is_wanted) postgres_session_wake(cancel->link->session);
  pthread_mutex_unlock(&cancel->lock);
  if (!is_wanted) cancel_destroy(cancel);
  return NULL;
}

static bool thread_begin(PostgresCancel *cancel) {
  pthread_t thread;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  bool is_begun = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                  pthread_create(&thread, &attributes, cancel_main, cancel) == 0;
  pthread_attr_destroy(&attributes);
  return is_begun;
}

void postgres_cancel_begin(PostgresLink *link, int64_t again_us) {
  PostgresCancel *cancel = memory_alloc(sizeof *cancel);
  if (cancel == NULL) return;
  *cancel = (PostgresCancel){.request = PQgetCancel(link->connection->pg), .link = link};
  pthread_mutex_init(&cancel->lock, NULL);
  if (cancel->request == NULL || !thread_begin(cancel)) {
    cancel_destroy(cancel);
    return;
  }
  link->cancel = cancel;
  link->is_cancelled = true;
  link->cancel_again_us = again_us;
}

void postgres_cancel_forget(PostgresLink *link) {
  PostgresCancel *cancel = link->cancel;
  if (cancel == NULL) return;
  link->cancel = NULL;
  pthread_mutex_lock(&cancel->lock);
  cancel->link = NULL;
  bool is_done = cancel->is_done;
  pthread_mutex_unlock(&cancel->lock);
  if (is_done) cancel_destroy(cancel);
}

bool postgres_cancel_is_back(PostgresLink *link) {
  if (link->cancel == NULL) return false;
  pthread_mutex_lock(&link->cancel->lock);
  bool is_done = link->cancel->is_done;
  pthread_mutex_unlock(&link->cancel->lock);
  if (is_done) postgres_cancel_forget(link);
  return is_done;
}
