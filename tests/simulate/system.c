/* system.c - the system's clocks, random bytes and sleep for the program under test, linked in the place of the C library's (--wrap). */
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "schedule.h"
#include "server.h"
#include "system.h"

enum { PAUSE_ONE_IN = 5000, PAUSE_MAX_US = 40 * 1000, READING_MAX_US = 3 };
/* 2027-01-15T08:00:00Z; the monotonic clock counts from elsewhere. */
static const int64_t wall_start_us = INT64_C(1800000000000000), monotonic_start_us = INT64_C(1000000000);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags);
int __wrap_nanosleep(const struct timespec *time, struct timespec *ret);
int __wrap_setsockopt(int socket, int level, int name, const void *value, socklen_t len);
void __wrap__exit(int status) __attribute__((noreturn));
void __real__exit(int status) __attribute__((noreturn));

int64_t system_wall_us(void) { return wall_start_us + schedule_now_us(); }

/* The only places where a running thread's time passes: now and then so much that it was stopped in between. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret) {
  Random *random = schedule_random();
  if (task_current() != NULL)
    schedule_pass(random_chance(random, PAUSE_ONE_IN) ? random_between(random, 0, PAUSE_MAX_US)
                                                      : random_between(random, 0, READING_MAX_US));
  int64_t us = schedule_now_us() + (clock == CLOCK_REALTIME ? wall_start_us : monotonic_start_us);
  *ret = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
  return 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags) {
  (void)flags;
  random_fill(schedule_random(), bytes, len);
  return (ssize_t)len;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *ret) {
  (void)ret;
  task_sleep((int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000);
  return 0;
}

/* The listener sets options on its socket, which there is none of. */
int __wrap_setsockopt(int socket, int level, int name, const void *value, socklen_t len) {
  (void)socket, (void)level, (void)name, (void)value, (void)len;
  return 0;
}

void __wrap__exit(int status) {
  if (process_current() == NULL) __real__exit(status);
  server_exited(process_current(), status);
  abort(); /* not reached: its process is dead */
}
