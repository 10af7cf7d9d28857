/* uv_loop.c - libuv's loop, timers and wake-ups on the simulation's clock. A turn is libuv's: timers, prepare, poll, check, closing; what
 * is ready in a poll comes in an order of chance, as the kernel promises none. */
#include <assert.h>
#include <stdlib.h>

#include "uv_internal.h"

enum { READY_MAX = 4096 };

/* ---- loops ---- */

int uv_loop_init(uv_loop_t *uv) {
  UvLoop *loop = calloc(1, sizeof *loop);
  assert(loop != NULL);
  *uv = (uv_loop_t){.internal_fields = loop};
  *loop = (UvLoop){.uv = uv, .process = process_current()};
  uv_update_time(uv);
  return 0;
}

int uv_loop_close(uv_loop_t *uv) {
  UvLoop *loop = uv_loop_of(uv);
  if (loop->handles != NULL) return UV_EBUSY;
  free(loop);
  uv->internal_fields = NULL;
  return 0;
}

void uv_update_time(uv_loop_t *uv) { uv_loop_of(uv)->now_ms = schedule_now_us() / 1000; }
uint64_t uv_now(const uv_loop_t *uv) { return (uint64_t)uv_loop_of(uv)->now_ms; }
void uv_stop(uv_loop_t *uv) { uv->stop_flag = 1; }

void uv_loop_wake(void *context) {
  UvLoop *loop = context;
  if (loop->task != NULL && !process_is_dead(loop->process)) task_wake(loop->task);
}

/* ---- handles ---- */

UvHandle *uv_handle_new(uv_loop_t *uv, uv_handle_t *handle, uv_handle_type type) {
  UvHandle *own = calloc(1, sizeof *own);
  assert(own != NULL);
  UvLoop *loop = uv_loop_of(uv);
  handle->loop = uv;
  handle->type = type;
  handle->u.reserved[0] = own;
  *own = (UvHandle){.uv = handle, .loop = loop, .next = loop->handles};
  loop->handles = own;
  return own;
}

/* What is closed keeps no state: libuv's callers may still ask. */
int uv_is_closing(const uv_handle_t *handle) { return uv_handle_of(handle)->is_closing; }

void uv_walk(uv_loop_t *uv, uv_walk_cb visit, void *context) {
  for (UvHandle *handle = uv_loop_of(uv)->handles, *next; handle != NULL; handle = next) {
    next = handle->next;
    visit(handle->uv, context);
  }
}

void uv_close(uv_handle_t *uv, uv_close_cb closed) {
  UvHandle *handle = uv_handle_of(uv);
  assert(!handle->is_closing && "a handle is closed twice");
  handle->is_closing = true;
  handle->is_active = false;
  handle->closed = closed;
  uv_stream_close(handle, false);
}

static UvHandle *take_closing(UvLoop *loop) {
  for (UvHandle **at = &loop->handles; *at != NULL; at = &(*at)->next) {
    UvHandle *handle = *at;
    if (!handle->is_closing) continue;
    *at = handle->next;
    return handle;
  }
  return NULL;
}

static void run_closing(UvLoop *loop) {
  for (UvHandle *handle; (handle = take_closing(loop)) != NULL;) {
    uv_handle_t *uv = handle->uv;
    uv_stream_cancel(handle);
    if (handle->closed != NULL) handle->closed(uv);
    free(handle);
  }
}

/* ---- timers ---- */

int uv_timer_init(uv_loop_t *uv, uv_timer_t *timer) {
  (void)uv_handle_new(uv, (uv_handle_t *)timer, UV_TIMER);
  return 0;
}

int uv_timer_start(uv_timer_t *uv, uv_timer_cb run, uint64_t delay_ms, uint64_t repeat_ms) {
  UvHandle *timer = uv_handle_of(uv);
  if (timer->is_closing) return UV_EINVAL;
  timer->timer = run;
  timer->due_ms = timer->loop->now_ms + (int64_t)delay_ms;
  timer->repeat_ms = repeat_ms;
  timer->timer_order = timer->loop->timer_order++;
  timer->is_active = true;
  return 0;
}

int uv_timer_stop(uv_timer_t *uv) {
  uv_handle_of(uv)->is_active = false;
  return 0;
}

static UvHandle *first_timer(const UvLoop *loop) {
  UvHandle *first = NULL;
  for (UvHandle *at = loop->handles; at != NULL; at = at->next) {
    if (at->timer == NULL || !at->is_active) continue;
    if (first == NULL || at->due_ms < first->due_ms || (at->due_ms == first->due_ms && at->timer_order < first->timer_order)) first = at;
  }
  return first;
}

static void run_timers(UvLoop *loop) {
  for (UvHandle *timer; (timer = first_timer(loop)) != NULL && timer->due_ms <= loop->now_ms;) {
    uv_timer_t *uv = (uv_timer_t *)timer->uv;
    timer->is_active = false;
    if (timer->repeat_ms > 0) uv_timer_start(uv, timer->timer, timer->repeat_ms, timer->repeat_ms);
    timer->timer(uv);
  }
}

/* ---- wake-ups and hooks ---- */

int uv_async_init(uv_loop_t *uv, uv_async_t *async, uv_async_cb run) {
  UvHandle *handle = uv_handle_new(uv, (uv_handle_t *)async, UV_ASYNC);
  handle->async = run;
  handle->is_active = true;
  return 0;
}

int uv_async_send(uv_async_t *async) {
  UvHandle *handle = uv_handle_of(async);
  handle->is_sent = true;
  uv_loop_wake(handle->loop);
  return 0;
}

int uv_prepare_init(uv_loop_t *uv, uv_prepare_t *prepare) {
  (void)uv_handle_new(uv, (uv_handle_t *)prepare, UV_PREPARE);
  return 0;
}

int uv_prepare_start(uv_prepare_t *uv, uv_prepare_cb run) {
  UvHandle *handle = uv_handle_of(uv);
  handle->prepare = run;
  handle->is_active = true;
  return 0;
}

int uv_check_init(uv_loop_t *uv, uv_check_t *check) {
  (void)uv_handle_new(uv, (uv_handle_t *)check, UV_CHECK);
  return 0;
}

int uv_check_start(uv_check_t *uv, uv_check_cb run) {
  UvHandle *handle = uv_handle_of(uv);
  handle->check = run;
  handle->is_active = true;
  return 0;
}

/* One of each is all that a loop has. */
static void run_prepare(UvLoop *loop) {
  for (UvHandle *at = loop->handles; at != NULL; at = at->next)
    if (at->prepare != NULL && at->is_active) return at->prepare((uv_prepare_t *)at->uv);
}

static void run_check(UvLoop *loop) {
  for (UvHandle *at = loop->handles; at != NULL; at = at->next)
    if (at->check != NULL && at->is_active) return at->check((uv_check_t *)at->uv);
}

/* ---- the turn ---- */

static bool is_alive(const UvLoop *loop) {
  for (UvHandle *at = loop->handles; at != NULL; at = at->next)
    if (at->is_active || at->is_closing) return true;
  return false;
}

static bool has_closing(const UvLoop *loop) {
  for (UvHandle *at = loop->handles; at != NULL; at = at->next)
    if (at->is_closing) return true;
  return false;
}

static size_t find_ready(const UvLoop *loop, UvHandle **ret) {
  size_t count = 0;
  for (UvHandle *at = loop->handles; at != NULL && count < READY_MAX; at = at->next)
    if (!at->is_closing && (at->is_sent || uv_stream_is_ready(at))) ret[count++] = at;
  return count;
}

/* Waits until something is ready, or the first timer is due. */
static size_t wait_for_ready(UvLoop *loop, UvHandle **ready) {
  for (;;) {
    size_t count = find_ready(loop, ready);
    if (count > 0 || has_closing(loop) || loop->uv->stop_flag != 0) return count;
    const UvHandle *timer = first_timer(loop);
    int64_t until_us = timer == NULL ? TIME_NEVER : timer->due_ms * 1000;
    if (schedule_now_us() >= until_us) return 0;
    task_wait(until_us);
  }
}

static void run_ready(UvHandle *handle) {
  if (handle->is_closing) return;
  if (handle->async == NULL) return uv_stream_run(handle);
  handle->is_sent = false;
  handle->async((uv_async_t *)handle->uv);
}

static void poll(UvLoop *loop) {
  UvHandle *ready[READY_MAX];
  task_yield();
  size_t count = wait_for_ready(loop, ready);
  uv_update_time(loop->uv);
  for (; count > 0; count--) {
    size_t chosen = random_below(schedule_random(), count);
    UvHandle *handle = ready[chosen];
    ready[chosen] = ready[count - 1];
    run_ready(handle);
  }
}

int uv_run(uv_loop_t *uv, uv_run_mode mode) {
  UvLoop *loop = uv_loop_of(uv);
  assert(mode == UV_RUN_DEFAULT);
  loop->task = task_current();
  while (is_alive(loop) && uv->stop_flag == 0) {
    uv_update_time(uv);
    run_timers(loop);
    run_prepare(loop);
    poll(loop);
    run_check(loop);
    run_closing(loop);
  }
  uv->stop_flag = 0;
  loop->task = NULL;
  return is_alive(loop);
}
