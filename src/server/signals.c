/* signals.c - sigwait(2) in a loop. SIGUSR1, sent to the thread alone, ends it. */
#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { STACK_BYTES = 512 * 1024 /* a reload checks a contract here */, SIGNALLED = 128 /* what shells add to a signal's number */ };

struct SignalThread {
  SignalHandlers handlers;
  sigset_t waited;
  pthread_t thread;
};

static void *wait_for_signals(void *argument) {
  SignalThread *self = argument;
  bool is_stopping = false;
  for (int number = 0; number != SIGUSR1;) {
    if (sigwait(&self->waited, &number) != 0) continue;
    if (number == SIGHUP && self->handlers.reload != NULL && !is_stopping) self->handlers.reload(self->handlers.context);
    if (number != SIGTERM && number != SIGINT) continue;
    if (is_stopping) _exit(SIGNALLED + number);
    is_stopping = true;
    self->handlers.stop(self->handlers.context);
  }
  return NULL;
}

static Code start_thread(SignalThread *self, Error *err) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return error_no_memory(err);
  (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
  int failed = pthread_create(&self->thread, &attributes, wait_for_signals, self);
  (void)pthread_attr_destroy(&attributes);
  return failed == 0 ? CODE_OK : error_set(err, CODE_UNAVAILABLE, "can't start a thread: %s", strerror(failed));
}

static sigset_t waited_signals(void) {
  static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
  sigset_t set;
  (void)sigemptyset(&set);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) (void)sigaddset(&set, numbers[i]);
  return set;
}

void signals_block(void) {
  sigset_t waited = waited_signals();
  (void)signal(SIGPIPE, SIG_IGN);
  /* A file that may not grow is an error of the write, as a full disk is, and not the end of the process. */
  (void)signal(SIGXFSZ, SIG_IGN);
  (void)pthread_sigmask(SIG_BLOCK, &waited, NULL);
}

Code signals_start(const SignalHandlers *handlers, SignalThread **ret, Error *err) {
  SignalThread *self = memory_alloc(sizeof *self);
  TRY_ALLOC(self);
  self->handlers = *handlers;
  self->waited = waited_signals();
  Code code = start_thread(self, err);
  if (code == CODE_OK)
    *ret = self;
  else
    memory_free(self);
  return code;
}

void signals_end(SignalThread *thread) {
  if (thread == NULL) return;
  (void)pthread_kill(thread->thread, SIGUSR1);
  (void)pthread_join(thread->thread, NULL);
  memory_free(thread);
}
