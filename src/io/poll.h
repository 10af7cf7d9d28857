/* poll.h - watches a socket that another library reads and writes itself. On its loop's thread only; the descriptor stays its owner's. */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "io/loop.h"

typedef struct LoopPoll LoopPoll;
/* The socket can be read (or is broken, which reading tells), or can be written. */
typedef void LoopPollFn(void *context, bool is_readable, bool is_writable);

/* Watches nothing yet. */
Code loop_poll_create(Loop *loop, int descriptor, LoopPollFn *run, void *context, LoopPoll **ret, Error *err);
/* What is asked for from now on; both false: nothing. Cheap where nothing changes. */
void loop_poll_watch(LoopPoll *poll, bool is_reading, bool is_writing);
/* No further call; the descriptor may be closed at once. NULL is fine. */
void loop_poll_destroy(LoopPoll *poll);
