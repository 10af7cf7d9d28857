/* loop.c - the event loop over libuv. A turn is: timers, I/O callbacks and messages, hooks, flushes. Whatever a turn's callbacks have
 * written is sent when the turn ends; no turn sleeps while there is something to flush. */
#include "io/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>
#include <uv.h>

#include "base/arena.h"
#include "io/loop_internal.h"

enum { LOOP_BLOCKS_KEPT_MAX = 128 };

typedef union LoopBlock {
  union LoopBlock *next;
  char bytes[LOOP_BLOCK_BYTES];
} LoopBlock;

struct Loop {
  uv_loop_t uv;
  uv_async_t wake;
  uv_prepare_t before_poll;
  uv_check_t after_poll;
  _Atomic(LoopMessage *) messages; /* newest first */
  atomic_bool is_stopping;
  bool has_run_timers; /* since the last end of a turn */
  bool runs_again;
  LoopHook *hooks;
  LoopHook *hook_next; /* the running hook's successor */
  LoopFlush *flushes, **flushes_end;
  int64_t wall_us, monotonic_us; /* 0: not read in this turn */
  LoopBlock *blocks;
  size_t block_count, blocks_out;
  char *read_buffer;
};

struct LoopTimer {
  LoopOwned owned;
  uv_timer_t uv;
  Loop *loop;
  LoopFn *run;
  void *context;
};

static void run_hooks(Loop *loop) {
  for (LoopHook *hook = loop->hooks; hook != NULL; hook = loop->hook_next) {
    loop->hook_next = hook->next;
    hook->run(hook->context);
  }
}

static void run_flushes(Loop *loop) {
  while (loop->flushes != NULL) {
    LoopFlush *flush = loop->flushes;
    loop_flush_remove(loop, flush);
    flush->run(flush);
  }
}

static void end_turn(Loop *loop) {
  do {
    loop->runs_again = false;
    run_hooks(loop);
    run_flushes(loop);
  } while (loop->runs_again);
  loop->has_run_timers = false;
  loop->wall_us = 0;
  loop->monotonic_us = 0;
}

static void on_after_poll(uv_check_t *check) { end_turn(check->data); }

/* Timers run before the poll; what they have set going must not wait until it returns. */
static void on_before_poll(uv_prepare_t *prepare) {
  Loop *loop = prepare->data;
  if (loop->has_run_timers || loop->flushes != NULL || loop->runs_again) end_turn(loop);
}

static void run_messages(Loop *loop) {
  LoopMessage *newest = atomic_exchange_explicit(&loop->messages, NULL, memory_order_acquire);
  LoopMessage *oldest = NULL;
  while (newest != NULL) {
    LoopMessage *next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != NULL) {
    /* Once it runs, the message belongs to its sender again, who may post or free it. */
    LoopMessage *next = oldest->next;
    oldest->run(oldest->context);
    oldest = next;
  }
}

static void on_wake(uv_async_t *wake) {
  Loop *loop = wake->data;
  run_messages(loop);
  if (atomic_load_explicit(&loop->is_stopping, memory_order_acquire)) uv_stop(&loop->uv);
}

static int open_handles(Loop *loop) {
  int failed = uv_async_init(&loop->uv, &loop->wake, on_wake);
  if (failed != 0) return failed;
  uv_prepare_init(&loop->uv, &loop->before_poll);
  uv_check_init(&loop->uv, &loop->after_poll);
  loop->wake.data = loop->before_poll.data = loop->after_poll.data = loop;
  uv_prepare_start(&loop->before_poll, on_before_poll);
  uv_check_start(&loop->after_poll, on_after_poll);
  return 0;
}

Code loop_create(Loop **ret, Error *err) {
  Loop *loop = memory_alloc(sizeof *loop);
  TRY_ALLOC(loop);
  *loop = (Loop){.flushes_end = NULL};
  loop->flushes_end = &loop->flushes;
  loop->read_buffer = memory_alloc(LOOP_READ_BYTES);
  if (loop->read_buffer == NULL) {
    memory_free(loop);
    return error_no_memory(err);
  }
  int failed = uv_loop_init(&loop->uv);
  if (failed == 0) {
    failed = open_handles(loop);
    if (failed != 0) uv_loop_close(&loop->uv);
  }
  if (failed != 0) {
    memory_free(loop->read_buffer);
    memory_free(loop);
    return error_set(err, CODE_UNAVAILABLE, "can't make an event loop: %s", uv_strerror(failed));
  }
  *ret = loop;
  return CODE_OK;
}

static void close_handle(uv_handle_t *handle, void *context) {
  Loop *loop = context;
  if (uv_is_closing(handle)) return;
  if (handle->data == loop) {
    uv_close(handle, NULL);
    return;
  }
  LoopOwned *owned = handle->data;
  owned->close(owned);
}

void loop_destroy(Loop *loop) {
  if (loop == NULL) return;
  uv_walk(&loop->uv, close_handle, loop);
  uv_run(&loop->uv, UV_RUN_DEFAULT);
  int failed = uv_loop_close(&loop->uv);
  assert(failed == 0 && "a handle was left on the loop");
  (void)failed;
  while (loop->blocks != NULL) {
    LoopBlock *block = loop->blocks;
    loop->blocks = block->next;
    memory_free(block);
  }
  memory_free(loop->read_buffer);
  memory_free(loop);
}

void loop_run(Loop *loop) {
  /* A stop that came before the run is obeyed: the loop then makes one turn. */
  if (atomic_load_explicit(&loop->is_stopping, memory_order_acquire)) uv_stop(&loop->uv);
  uv_run(&loop->uv, UV_RUN_DEFAULT);
  atomic_store_explicit(&loop->is_stopping, false, memory_order_release);
}

void loop_stop(Loop *loop) {
  atomic_store_explicit(&loop->is_stopping, true, memory_order_release);
  uv_async_send(&loop->wake);
}

void loop_post(Loop *loop, LoopMessage *message) {
  LoopMessage *head = atomic_load_explicit(&loop->messages, memory_order_relaxed);
  do {
    message->next = head;
  } while (!atomic_compare_exchange_weak_explicit(&loop->messages, &head, message, memory_order_release, memory_order_relaxed));
  /* Whoever finds the stack empty wakes the loop; the others' messages are taken with that one's. */
  if (head == NULL) uv_async_send(&loop->wake);
}

void loop_hook_add(Loop *loop, LoopHook *hook) {
  LoopHook **end = &loop->hooks;
  while (*end != NULL) end = &(*end)->next;
  hook->next = NULL;
  *end = hook;
}

void loop_hook_remove(Loop *loop, LoopHook *hook) {
  LoopHook **at = &loop->hooks;
  while (*at != NULL && *at != hook) at = &(*at)->next;
  if (*at == NULL) return;
  *at = hook->next;
  if (loop->hook_next == hook) loop->hook_next = hook->next;
}

void loop_run_hooks_again(Loop *loop) { loop->runs_again = true; }

static void on_timer(uv_timer_t *uv) {
  LoopTimer *timer = uv->data;
  timer->loop->has_run_timers = true;
  timer->run(timer->context);
}

static void on_timer_closed(uv_handle_t *handle) {
  LoopTimer *timer = handle->data;
  memory_free(timer);
}

static void timer_close(LoopOwned *owned) { loop_timer_destroy((LoopTimer *)owned); }

Code loop_timer_create(Loop *loop, LoopFn *run, void *context, LoopTimer **ret, Error *err) {
  LoopTimer *timer = memory_alloc(sizeof *timer);
  TRY_ALLOC(timer);
  *timer = (LoopTimer){.owned = {timer_close}, .loop = loop, .run = run, .context = context};
  uv_timer_init(&loop->uv, &timer->uv);
  timer->uv.data = timer;
  *ret = timer;
  return CODE_OK;
}

void loop_timer_start(LoopTimer *timer, uint64_t delay_ms, uint64_t repeat_ms) {
  /* The turn's cached time may be behind; a timer must not run early. */
  uv_update_time(&timer->loop->uv);
  uv_timer_start(&timer->uv, on_timer, delay_ms, repeat_ms);
}

void loop_timer_stop(LoopTimer *timer) { uv_timer_stop(&timer->uv); }

void loop_timer_destroy(LoopTimer *timer) {
  if (timer == NULL || uv_is_closing((uv_handle_t *)&timer->uv)) return;
  uv_close((uv_handle_t *)&timer->uv, on_timer_closed);
}

uint64_t loop_now_ms(const Loop *loop) { return uv_now(&loop->uv); }

static int64_t read_clock_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t loop_wall_us(Loop *loop) {
  if (loop->wall_us == 0) loop->wall_us = read_clock_us(CLOCK_REALTIME);
  return loop->wall_us;
}

int64_t loop_monotonic_us(Loop *loop) {
  if (loop->monotonic_us == 0) loop->monotonic_us = read_clock_us(CLOCK_MONOTONIC);
  return loop->monotonic_us;
}

uv_loop_t *loop_uv(Loop *loop) { return &loop->uv; }

void loop_flush_add(Loop *loop, LoopFlush *flush) {
  if (flush->is_queued) return;
  flush->is_queued = true;
  flush->next = NULL;
  *loop->flushes_end = flush;
  loop->flushes_end = &flush->next;
}

void loop_flush_remove(Loop *loop, LoopFlush *flush) {
  if (!flush->is_queued) return;
  LoopFlush **at = &loop->flushes;
  while (*at != flush) at = &(*at)->next;
  *at = flush->next;
  if (*at == NULL) loop->flushes_end = at;
  flush->is_queued = false;
}

char *loop_read_buffer(Loop *loop) { return loop->read_buffer; }

char *loop_block_acquire(Loop *loop) {
  LoopBlock *block = loop->blocks;
  if (block == NULL) {
    char *bytes = memory_alloc(sizeof(LoopBlock));
    if (bytes != NULL) loop->blocks_out++;
    return bytes;
  }
  loop->blocks = block->next;
  loop->block_count--;
  loop->blocks_out++;
  return block->bytes;
}

bool loop_has_many_blocks(const Loop *loop) { return loop->blocks_out >= LOOP_BLOCKS_KEPT_MAX; }

void loop_block_release(Loop *loop, char *block) {
  loop->blocks_out--;
  if (loop->block_count == LOOP_BLOCKS_KEPT_MAX) {
    memory_free(block);
    return;
  }
  LoopBlock *kept = (LoopBlock *)(void *)block;
  kept->next = loop->blocks;
  loop->blocks = kept;
  loop->block_count++;
}
