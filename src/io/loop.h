/* loop.h - one event loop a thread. Everything but loop_post and loop_stop is called on the loop's own thread. libuv stays inside io/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Loop Loop;
typedef struct LoopTimer LoopTimer;
typedef void LoopFn(void *context);

Code loop_create(Loop **ret, Error *err);
/* The loop is not running, and all timers, hooks, listeners and streams on it are closed or are closed now. NULL is fine. */
void loop_destroy(Loop *loop);
/* Runs until loop_stop. */
void loop_run(Loop *loop);
void loop_stop(Loop *loop); /* any thread */

/* A message to the loop's thread: embedded in its sender's object, so that posting never allocates and never fails. One message is posted
 * at most once until it has run. Any thread. */
typedef struct LoopMessage LoopMessage;
struct LoopMessage {
  LoopFn *run;
  void *context;
  LoopMessage *next; /* the loop's own */
};
void loop_post(Loop *loop, LoopMessage *message);

/* Runs at the end of every turn, after all of its I/O callbacks and messages: where batches are flushed. In order of addition. */
typedef struct LoopHook LoopHook;
struct LoopHook {
  LoopFn *run;
  void *context;
  LoopHook *next; /* the loop's own */
};
void loop_hook_add(Loop *loop, LoopHook *hook);
void loop_hook_remove(Loop *loop, LoopHook *hook);
/* What a stream's flush, which comes after the hooks, has set going would wait for the next turn: this lets the hooks run once more in this
 * one. */
void loop_run_hooks_again(Loop *loop);

/* Timers run late rather than early; repeat_ms 0: once. */
Code loop_timer_create(Loop *loop, LoopFn *run, void *context, LoopTimer **ret, Error *err);
void loop_timer_start(LoopTimer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void loop_timer_stop(LoopTimer *timer);
void loop_timer_destroy(LoopTimer *timer); /* NULL is fine */

/* Monotonic, cached at the start of the turn. */
uint64_t loop_now_ms(const Loop *loop);
/* The wall clock and the monotonic clock in microseconds, each read at most once a turn. */
int64_t loop_wall_us(Loop *loop);
int64_t loop_monotonic_us(Loop *loop);
