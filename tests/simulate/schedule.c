/* schedule.c - see schedule.h. */
#include "schedule.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fiber.h"

/* A run that needs more turns than this goes round in circles. */
enum { TURNS_MAX = 20 * 1000 * 1000, TRACE_LINE_MAX = 512 };

struct Process {
  unsigned number;
  bool is_dead;
  uint64_t signals;        /* pending, bit n is number n */
  size_t allocations_left; /* memory.h's countdown, while nobody of it runs */
};

struct Task {
  Fiber *fiber;
  Process *process;
  const char *name;
  TaskFn *run;
  void *context;
  bool is_ready, was_woken, has_ended;
  uint64_t wait_number; /* a time that comes when the wait is over already must not end the next one */
  const void *waits_on;
  Task *joiner;
  uint64_t signals;
  Task *next;
};

typedef struct Event {
  int64_t at_us;
  uint64_t order;
  TaskFn *fn;
  void *context;
} Event;

typedef struct Timeout {
  Task *task;
  uint64_t wait_number;
} Timeout;

static struct {
  Random random;
  int64_t now_us;
  bool is_stopped, is_traced, has_violation;
  Task *tasks, *current;
  Task *ended; /* kept: who joins one may come later */
  Task **ready;
  size_t ready_count, ready_cap;
  Event *events; /* a heap, earliest first */
  size_t event_count, event_cap;
  uint64_t event_order, turns, digest;
  unsigned process_count;
} world;

void schedule_start(uint64_t seed, bool is_traced) {
  memset(&world, 0, sizeof world);
  world.random = random_seeded(seed);
  world.is_traced = is_traced;
  world.digest = UINT64_C(14695981039346656037);
}

Random *schedule_random(void) { return &world.random; }
int64_t schedule_now_us(void) { return world.now_us; }
void schedule_pass(int64_t us) { world.now_us += us; }
void schedule_stop(void) { world.is_stopped = true; }

/* ---- what is said of it ---- */

static void say(FILE *out, const char *line) {
  (void)fprintf(out, "%12.6f %-10s %s\n", (double)world.now_us / 1e6, world.current == NULL ? "world" : world.current->name, line);
}

static void report(const char *line) {
  if (world.is_traced) say(stdout, line);
  (void)printf("violation: %s (at %.6f s)\n", line, (double)world.now_us / 1e6);
  (void)fflush(stdout);
  world.has_violation = true;
  world.is_stopped = true;
}

void trace(const char *format, ...) {
  char line[TRACE_LINE_MAX];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (const char *at = line; *at != '\0'; at++) world.digest = (world.digest ^ (unsigned char)*at) * UINT64_C(1099511628211);
  world.digest = (world.digest ^ (uint64_t)world.now_us) * UINT64_C(1099511628211);
  if (world.is_traced) say(stdout, line);
}

uint64_t trace_digest(void) { return world.digest; }

void violation(const char *format, ...) {
  char line[TRACE_LINE_MAX];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  report(line);
  fiber_pause();
  abort(); /* not reached: nothing runs any more */
}

bool has_violation(void) { return world.has_violation; }

/* ---- events ---- */

static bool event_is_before(const Event *a, const Event *b) { return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order; }

static void event_swap(size_t i, size_t j) {
  Event kept = world.events[i];
  world.events[i] = world.events[j];
  world.events[j] = kept;
}

void schedule_at(int64_t at_us, TaskFn *fn, void *context) {
  if (world.event_count == world.event_cap) {
    world.event_cap = world.event_cap * 2 + 64;
    world.events = realloc(world.events, world.event_cap * sizeof *world.events);
    assert(world.events != NULL);
  }
  size_t i = world.event_count++;
  world.events[i] = (Event){at_us < world.now_us ? world.now_us : at_us, world.event_order++, fn, context};
  for (; i > 0 && event_is_before(&world.events[i], &world.events[(i - 1) / 2]); i = (i - 1) / 2) event_swap(i, (i - 1) / 2);
}

static Event event_take(void) {
  Event first = world.events[0];
  world.events[0] = world.events[--world.event_count];
  for (size_t i = 0, least;; i = least) {
    least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < world.event_count; child++)
      if (event_is_before(&world.events[child], &world.events[least])) least = child;
    if (least == i) return first;
    event_swap(i, least);
  }
}

/* ---- tasks ---- */

static void make_ready(Task *task) {
  if (task->is_ready || task->has_ended) return;
  if (world.ready_count == world.ready_cap) {
    world.ready_cap = world.ready_cap * 2 + 16;
    world.ready = realloc(world.ready, world.ready_cap * sizeof(Task *));
    assert(world.ready != NULL);
  }
  task->is_ready = true;
  world.ready[world.ready_count++] = task;
}

static void task_main(void *context) {
  Task *task = context;
  task->run(task->context);
}

Task *task_start(Process *process, const char *name, TaskFn *run, void *context) {
  Task *task = calloc(1, sizeof *task);
  assert(task != NULL);
  *task = (Task){.process = process, .name = name, .run = run, .context = context, .next = world.tasks};
  task->fiber = fiber_create(task_main, task);
  world.tasks = task;
  make_ready(task);
  return task;
}

Task *task_current(void) { return world.current; }
Process *process_current(void) { return world.current == NULL ? NULL : world.current->process; }

static void on_time(void *context) {
  Timeout *timeout = context;
  if (timeout->wait_number == timeout->task->wait_number) make_ready(timeout->task);
  free(timeout);
}

bool task_wait(int64_t until_us) {
  Task *task = world.current;
  task->was_woken = false;
  task->wait_number++;
  if (until_us != TIME_NEVER) {
    Timeout *timeout = malloc(sizeof *timeout);
    assert(timeout != NULL);
    *timeout = (Timeout){task, task->wait_number};
    schedule_at(until_us, on_time, timeout);
  }
  fiber_pause();
  task->wait_number++;
  return task->was_woken;
}

void task_wake(Task *task) {
  task->was_woken = true;
  make_ready(task);
}

void task_sleep(int64_t us) {
  for (int64_t end_us = world.now_us + us; world.now_us < end_us;) task_wait(end_us);
}

void task_yield(void) {
  make_ready(world.current);
  fiber_pause();
}

void task_join(Task *task) {
  while (!task->has_ended) {
    task->joiner = world.current;
    task_wait(TIME_NEVER);
  }
}

void task_wait_on(const void *object, int64_t until_us) {
  world.current->waits_on = object;
  task_wait(until_us);
  world.current->waits_on = NULL;
}

void task_wake_on(const void *object, bool wakes_all) {
  Task *waiting[64];
  size_t count = 0;
  for (Task *task = world.tasks; task != NULL && count < 64; task = task->next)
    if (task->waits_on == object && !task->is_ready) waiting[count++] = task;
  if (count == 0) return;
  size_t first = wakes_all ? 0 : random_below(&world.random, count), end = wakes_all ? count : first + 1;
  for (size_t i = first; i < end; i++) task_wake(waiting[i]);
}

static void task_end(Task *task) {
  task->has_ended = true;
  if (task->joiner != NULL) task_wake(task->joiner);
  fiber_destroy(task->fiber);
  task->fiber = NULL;
  Task **at = &world.tasks;
  while (*at != task) at = &(*at)->next;
  *at = task->next;
  task->next = world.ended;
  world.ended = task;
}

static void run_one_task(void) {
  size_t i = random_below(&world.random, world.ready_count);
  Task *task = world.ready[i];
  world.ready[i] = world.ready[--world.ready_count];
  task->is_ready = false;
  if (task->process != NULL && task->process->is_dead) return;
  world.current = task;
  memory_fail_after(task->process == NULL ? 0 : task->process->allocations_left);
  bool has_ended = fiber_resume(task->fiber);
  if (task->process != NULL) task->process->allocations_left = memory_fail_countdown;
  memory_fail_after(0);
  world.current = NULL;
  if (has_ended) task_end(task);
}

static void run_first_event(void) {
  Event event = event_take();
  if (event.at_us > world.now_us) world.now_us = event.at_us;
  event.fn(event.context);
}

void schedule_run(void) {
  while (!world.is_stopped) {
    if (++world.turns > TURNS_MAX)
      report("the simulation does not come to an end");
    else if (world.event_count > 0 && (world.ready_count == 0 || world.events[0].at_us <= world.now_us))
      run_first_event();
    else if (world.ready_count > 0)
      run_one_task();
    else
      report("everybody waits for somebody else");
  }
}

/* ---- processes ---- */

Process *process_create(void) {
  Process *process = calloc(1, sizeof *process);
  assert(process != NULL);
  process->number = ++world.process_count;
  return process;
}

unsigned process_number(const Process *process) { return process->number; }
bool process_is_dead(const Process *process) { return process->is_dead; }

void process_kill(Process *process) {
  process->is_dead = true;
  for (Task *task = world.tasks; task != NULL; task = task->next)
    if (task->process == process) fiber_abandon(task->fiber);
  if (process_current() == process) fiber_pause();
}

void process_fail_allocation(Process *process, size_t n) { process->allocations_left = n; }

size_t process_task_count(const Process *process) {
  size_t count = 0;
  for (const Task *task = world.tasks; task != NULL; task = task->next) count += task->process == process;
  return count;
}

void process_signal(Process *process, int number) {
  process->signals |= UINT64_C(1) << number;
  task_wake_on(&process->signals, true);
}

void task_signal(Task *task, int number) {
  task->signals |= UINT64_C(1) << number;
  if (task->waits_on == &task->process->signals) task_wake(task);
}

int task_take_signal(uint64_t mask) {
  Task *task = world.current;
  for (;;) {
    uint64_t found = (task->signals | task->process->signals) & mask;
    if (found != 0) {
      int number = __builtin_ctzll(found);
      uint64_t bit = UINT64_C(1) << number;
      *((task->signals & bit) != 0 ? &task->signals : &task->process->signals) &= ~bit;
      return number;
    }
    task_wait_on(&task->process->signals, TIME_NEVER);
  }
}
