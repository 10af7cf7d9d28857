/* signals.h - signals as calls on a thread of their own, where anything may be done: no handler interrupts the rest of the program. */
#pragma once
#include "base/error.h"

typedef struct SignalThread SignalThread;

typedef struct SignalHandlers {
  void (*stop)(void *context);   /* the first SIGTERM or SIGINT; at a second the process ends at once */
  void (*reload)(void *context); /* SIGHUP; NULL: ignored */
  void *context;
} SignalHandlers;

/* Before any other thread is started, since they inherit what is blocked: SIGTERM, SIGINT, SIGHUP wait for signals_start; SIGPIPE is
 * ignored. */
void signals_block(void);
Code signals_start(const SignalHandlers *handlers, SignalThread **ret, Error *err);
void signals_end(SignalThread *thread); /* NULL is fine */
