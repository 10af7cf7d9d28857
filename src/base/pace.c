#include "base/pace.h"

/* What is averaged over: short enough to follow a change, long enough for several to be done. */
enum { PACE_WINDOW_US = 10000 };

static int64_t quickest(const Pace *pace) {
  int64_t ret = pace->windows_ns[0];
  for (size_t i = 1; i < PACE_WINDOWS; i++) {
    if (pace->windows_ns[i] < ret) ret = pace->windows_ns[i];
  }
  return ret;
}

void pace_add(Pace *pace, int64_t spent_us, size_t done) {
  pace->spent_us += spent_us;
  pace->done += done;
  if (pace->spent_us < PACE_WINDOW_US || pace->done == 0) return;
  pace->windows_ns[pace->next_window] = pace->spent_us * 1000 / (int64_t)pace->done + 1;
  pace->next_window = (pace->next_window + 1) % PACE_WINDOWS;
  atomic_store_explicit(&pace->each_ns, quickest(pace), memory_order_relaxed);
  pace->spent_us = 0;
  pace->done = 0;
}

void pace_add_at_most(Pace *pace, int64_t spent_us, size_t done) {
  if (spent_us * 1000 < pace_each_ns(pace) * (int64_t)done) pace_add(pace, spent_us, done);
}

void pace_note(Pace *pace, int64_t now_us, size_t done, size_t waiting) {
  if (pace->is_busy) pace_add(pace, now_us - pace->since_us, done);
  pace->since_us = now_us;
  pace->is_busy = waiting > 0;
}

size_t pace_room(int64_t each_ns, int64_t us, size_t min) {
  if (each_ns == 0) return SIZE_MAX;
  uint64_t room = (uint64_t)us * 1000 / (uint64_t)each_ns;
  return room > min ? (size_t)room : min;
}
