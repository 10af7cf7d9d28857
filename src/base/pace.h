/* pace.h - how fast a queue drains: measured while something waits in it, so that whoever comes can be told how long he would wait. By
 * Little's law the wait is what stands before him times what each takes (as RFC 8033 §4.2 estimates a queue's delay). Under its owner's
 * lock; only pace_each_ns is for other threads. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The quickest of so many windows counts: a moment in which the machine did something else is no overload (CoDel's minimum, RFC 8289 §3).
 */
enum { PACE_WINDOWS = 4 };

/* So few may wait in a line however long it takes: a burst at something slow is no overload yet. */
enum { PACE_LINE_MIN = 16 };

typedef struct Pace {
  _Atomic int64_t each_ns;          /* 0: not known yet */
  int64_t windows_ns[PACE_WINDOWS]; /* the last ones */
  size_t next_window;
  int64_t spent_us; /* in the window that is going on, as done */
  uint64_t done;
  int64_t since_us;
  bool is_busy; /* something has waited since */
} Pace;

/* `done` of them took `spent_us`, one behind the other. */
void pace_add(Pace *pace, int64_t spent_us, size_t done);
/* The same, and there were no more: it could have been quicker with others. */
void pace_add_at_most(Pace *pace, int64_t spent_us, size_t done);
/* At now_us (monotonic) `done` have left the queue, and `waiting` are left in it. */
void pace_note(Pace *pace, int64_t now_us, size_t done, size_t waiting);
static inline int64_t pace_each_ns(const Pace *pace) { return atomic_load_explicit(&pace->each_ns, memory_order_relaxed); }
/* How many are done in `us`, where each takes each_ns; never fewer than `min`. */
size_t pace_room(int64_t each_ns, int64_t us, size_t min);
