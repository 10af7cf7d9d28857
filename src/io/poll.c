/* poll.c - see poll.h. */
#include "io/poll.h"

#include <uv.h>

#include "base/memory.h"
#include "io/loop_internal.h"

struct LoopPoll {
  LoopOwned owned;
  uv_poll_t uv;
  LoopPollFn *run;
  void *context;
  int events; /* that are watched */
};

static void on_event(uv_poll_t *uv, int status, int events) {
  LoopPoll *poll = uv->data;
  /* libuv watches no longer where it has seen an error; but what came before that may have to be read first, and the error after it. */
  if (status < 0) uv_poll_start(uv, poll->events, on_event);
  /* A broken socket is one that can be read: reading says what is wrong with it. */
  poll->run(poll->context, status < 0 || (events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

static void on_closed(uv_handle_t *handle) { memory_free(handle->data); }

static void poll_close(LoopOwned *owned) { loop_poll_destroy((LoopPoll *)owned); }

Code loop_poll_create(Loop *loop, int descriptor, LoopPollFn *run, void *context, LoopPoll **ret, Error *err) {
  LoopPoll *poll = memory_alloc(sizeof *poll);
  TRY_ALLOC(poll);
  *poll = (LoopPoll){.owned = {poll_close}, .run = run, .context = context};
  int failed = uv_poll_init(loop_uv(loop), &poll->uv, descriptor);
  if (failed != 0) {
    memory_free(poll);
    return error_set(err, CODE_UNAVAILABLE, "a socket can't be watched: %s", uv_strerror(failed));
  }
  poll->uv.data = poll;
  *ret = poll;
  return CODE_OK;
}

void loop_poll_watch(LoopPoll *poll, bool is_reading, bool is_writing) {
  int events = (is_reading ? UV_READABLE : 0) | (is_writing ? UV_WRITABLE : 0);
  if (events == poll->events) return;
  poll->events = events;
  if (events == 0)
    uv_poll_stop(&poll->uv);
  else
    uv_poll_start(&poll->uv, events, on_event);
}

void loop_poll_destroy(LoopPoll *poll) {
  if (poll == NULL || uv_is_closing((uv_handle_t *)&poll->uv)) return;
  uv_close((uv_handle_t *)&poll->uv, on_closed);
}
