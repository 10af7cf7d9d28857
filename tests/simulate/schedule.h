/* schedule.h - who runs when: tasks that take turns, events at their times, and a clock that moves on only while all tasks wait. Everything
 * follows from the seed. One simulation a process: what replaces the C library's functions is handed no context, so that this module keeps
 * the only one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "random.h"

typedef struct Task Task;       /* a thread of a process, or a client */
typedef struct Process Process; /* a life of the program under test */
typedef void TaskFn(void *context);

#define TIME_NEVER INT64_MAX

void schedule_start(uint64_t seed, bool is_traced);
/* Runs until schedule_stop or a violation, one of which is that nothing can happen any more. */
void schedule_run(void);
void schedule_stop(void);
/* Chance for everything but what clients do, which has its own so that a smaller run does the same. */
Random *schedule_random(void);
int64_t schedule_now_us(void);
/* Time passes for who is running. */
void schedule_pass(int64_t us);
/* fn(context) at that time, in no task. */
void schedule_at(int64_t at_us, TaskFn *fn, void *context);

/* ---- tasks ---- */

Task *task_start(Process *process, const char *name, TaskFn *run, void *context); /* process NULL: the world's own */
Task *task_current(void);
/* Until somebody wakes it, or until then. False: nobody has. */
bool task_wait(int64_t until_us);
void task_wake(Task *task);
void task_sleep(int64_t us);
/* Others may come first. */
void task_yield(void);
/* Waits for its end. */
void task_join(Task *task);

/* What tasks wait for without being known by it: a lock's address. */
void task_wait_on(const void *object, int64_t until_us);
/* One of those who wait, by chance, or all. */
void task_wake_on(const void *object, bool wakes_all);

/* ---- processes ---- */

Process *process_create(void);
unsigned process_number(const Process *process);
/* Nothing of it runs any more. If the caller is of it, this does not return. */
void process_kill(Process *process);
bool process_is_dead(const Process *process);
size_t process_task_count(const Process *process);
Process *process_current(void);
/* Its n-th allocation from now on fails; 0: none does. */
void process_fail_allocation(Process *process, size_t n);
/* A signal to the process: the thread that waits for it gets it. */
void process_signal(Process *process, int number);
void task_signal(Task *task, int number);
/* Waits for one of the signals; bit n of the mask is number n. */
int task_take_signal(uint64_t mask);

/* ---- what is said of it ---- */

/* A line of the history, of which the digest is made; printed where that is wanted. */
void trace(const char *format, ...) PRINTF_LIKE(1, 2);
uint64_t trace_digest(void);
/* What must not be: prints it, and ends the simulation with it. In a task, which goes no further. */
void violation(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));
bool has_violation(void);
