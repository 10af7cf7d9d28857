/* threads.c - POSIX threads for the program under test: a thread is a task, and who waits lets others run. Linked in the place of the C
 * library's by --wrap (meson.build). Locks keep their state where theirs would be, so that a zeroed one is free, as there. Every taking of
 * a lock is a place where another thread may come first. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "schedule.h"

/* One turn in so many is given away where it need not be. */
enum { PREEMPT_ONE_IN = 8, SPURIOUS_ONE_IN = 50 };

typedef struct Lock {
  Task *owner;   /* who holds it alone */
  size_t shared; /* how many hold it together */
  size_t waiting;
} Lock;

_Static_assert(sizeof(Lock) <= sizeof(pthread_mutex_t) && sizeof(Lock) <= sizeof(pthread_rwlock_t),
               "a lock fits where the C library's was");

#define WRAPPED(name) __wrap_##name
int WRAPPED(pthread_create)(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *context);
int WRAPPED(pthread_join)(pthread_t thread, void **ret);
int WRAPPED(pthread_kill)(pthread_t thread, int number);
int WRAPPED(pthread_sigmask)(int how, const sigset_t *set, sigset_t *ret);
int WRAPPED(sigwait)(const sigset_t *set, int *ret);
int WRAPPED(pthread_mutex_init)(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int WRAPPED(pthread_mutex_destroy)(pthread_mutex_t *mutex);
int WRAPPED(pthread_mutex_lock)(pthread_mutex_t *mutex);
int WRAPPED(pthread_mutex_unlock)(pthread_mutex_t *mutex);
int WRAPPED(pthread_rwlock_init)(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes);
int WRAPPED(pthread_rwlock_destroy)(pthread_rwlock_t *lock);
int WRAPPED(pthread_rwlock_rdlock)(pthread_rwlock_t *lock);
int WRAPPED(pthread_rwlock_wrlock)(pthread_rwlock_t *lock);
int WRAPPED(pthread_rwlock_unlock)(pthread_rwlock_t *lock);
int WRAPPED(pthread_cond_init)(pthread_cond_t *cond, const pthread_condattr_t *attributes);
int WRAPPED(pthread_cond_destroy)(pthread_cond_t *cond);
int WRAPPED(pthread_cond_wait)(pthread_cond_t *cond, pthread_mutex_t *mutex);
int WRAPPED(pthread_cond_signal)(pthread_cond_t *cond);
int WRAPPED(pthread_cond_broadcast)(pthread_cond_t *cond);

/* ---- threads ---- */

typedef struct ThreadStart {
  void *(*run)(void *);
  void *context;
} ThreadStart;

static void thread_main(void *context) {
  ThreadStart start = *(ThreadStart *)context;
  free(context);
  (void)start.run(start.context);
}

int WRAPPED(pthread_create)(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *), void *context) {
  (void)attributes;
  ThreadStart *start = malloc(sizeof *start);
  if (start == NULL) return EAGAIN;
  *start = (ThreadStart){run, context};
  *ret = (pthread_t)task_start(process_current(), "thread", thread_main, start);
  return 0;
}

int WRAPPED(pthread_join)(pthread_t thread, void **ret) {
  task_join((Task *)thread);
  if (ret != NULL) *ret = NULL;
  return 0;
}

/* ---- signals ---- */

int WRAPPED(pthread_kill)(pthread_t thread, int number) {
  task_signal((Task *)thread, number);
  return 0;
}

/* The simulation itself stays open to them. */
int WRAPPED(pthread_sigmask)(int how, const sigset_t *set, sigset_t *ret) {
  (void)how, (void)set, (void)ret;
  return 0;
}

int WRAPPED(sigwait)(const sigset_t *set, int *ret) {
  uint64_t mask = 0;
  for (int number = 1; number < 64; number++)
    if (sigismember(set, number) == 1) mask |= UINT64_C(1) << number;
  *ret = task_take_signal(mask);
  return 0;
}

/* ---- locks ---- */

static void give_way(void) {
  if (random_chance(schedule_random(), PREEMPT_ONE_IN)) task_yield();
}

static void lock_wait(Lock *lock) {
  lock->waiting++;
  task_wait_on(lock, TIME_NEVER);
  lock->waiting--;
}

static void lock_take(Lock *lock) {
  give_way();
  assert(lock->owner != task_current() && "a lock is taken twice by one thread");
  while (lock->owner != NULL || lock->shared > 0) lock_wait(lock);
  lock->owner = task_current();
}

static void lock_share(Lock *lock) {
  give_way();
  assert(lock->owner != task_current() && "a lock is taken twice by one thread");
  while (lock->owner != NULL) lock_wait(lock);
  lock->shared++;
}

static void lock_release(Lock *lock) {
  assert((lock->owner == task_current() || lock->shared > 0) && "who lets go of a lock holds it");
  if (lock->owner != NULL)
    lock->owner = NULL;
  else
    lock->shared--;
  if (lock->waiting > 0) task_wake_on(lock, true);
}

static int lock_done(const Lock *lock) {
  assert(lock->owner == NULL && lock->shared == 0 && "a lock is destroyed while it is held");
  (void)lock;
  return 0;
}

int WRAPPED(pthread_mutex_init)(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
  (void)attributes;
  *(Lock *)mutex = (Lock){0};
  return 0;
}

int WRAPPED(pthread_mutex_destroy)(pthread_mutex_t *mutex) { return lock_done((Lock *)mutex); }

int WRAPPED(pthread_mutex_lock)(pthread_mutex_t *mutex) {
  lock_take((Lock *)mutex);
  return 0;
}

int WRAPPED(pthread_mutex_unlock)(pthread_mutex_t *mutex) {
  lock_release((Lock *)mutex);
  return 0;
}

int WRAPPED(pthread_rwlock_init)(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attributes) {
  (void)attributes;
  *(Lock *)lock = (Lock){0};
  return 0;
}

int WRAPPED(pthread_rwlock_destroy)(pthread_rwlock_t *lock) { return lock_done((Lock *)lock); }

int WRAPPED(pthread_rwlock_rdlock)(pthread_rwlock_t *lock) {
  lock_share((Lock *)lock);
  return 0;
}

int WRAPPED(pthread_rwlock_wrlock)(pthread_rwlock_t *lock) {
  lock_take((Lock *)lock);
  return 0;
}

int WRAPPED(pthread_rwlock_unlock)(pthread_rwlock_t *lock) {
  lock_release((Lock *)lock);
  return 0;
}

/* ---- conditions: nothing but an address that is waited for ---- */

int WRAPPED(pthread_cond_init)(pthread_cond_t *cond, const pthread_condattr_t *attributes) {
  (void)cond, (void)attributes;
  return 0;
}

int WRAPPED(pthread_cond_destroy)(pthread_cond_t *cond) {
  (void)cond;
  return 0;
}

/* POSIX lets a wait end without a signal. */
int WRAPPED(pthread_cond_wait)(pthread_cond_t *cond, pthread_mutex_t *mutex) {
  lock_release((Lock *)mutex);
  bool is_spurious = random_chance(schedule_random(), SPURIOUS_ONE_IN);
  task_wait_on(cond, is_spurious ? schedule_now_us() + random_between(schedule_random(), 0, 1000) : TIME_NEVER);
  lock_take((Lock *)mutex);
  return 0;
}

int WRAPPED(pthread_cond_signal)(pthread_cond_t *cond) {
  task_wake_on(cond, false);
  return 0;
}

int WRAPPED(pthread_cond_broadcast)(pthread_cond_t *cond) {
  task_wake_on(cond, true);
  return 0;
}
