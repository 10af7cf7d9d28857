/* uv_internal.h - what the stand-in for libuv keeps beside libuv's own structs. Only what src/io uses is there, with libuv's meaning; what
 * only looks at addresses and error numbers is still libuv's. */
#pragma once
#include <uv.h>

#include "network.h"

typedef struct UvLoop UvLoop;
typedef struct UvHandle UvHandle;
typedef struct UvWrite UvWrite;

struct UvWrite {
  uv_write_t *request;
  uv_write_cb done;
  Str rest;
  UvWrite *next;
};

struct UvHandle {
  uv_handle_t *uv;
  UvLoop *loop;
  UvHandle *next;
  bool is_active, is_closing;
  uv_close_cb closed;

  uv_timer_cb timer;
  int64_t due_ms;
  uint64_t repeat_ms, timer_order;

  uv_async_cb async;
  bool is_sent;
  uv_prepare_cb prepare;
  uv_check_cb check;

  unsigned port;
  NetListener *listener;
  uv_connection_cb connection;

  Connection *net;
  uv_alloc_cb allocate;
  uv_read_cb read;
  bool is_reading;
  UvWrite *writes;
  uv_shutdown_t *shutdown;
  uv_shutdown_cb shut;
  bool is_shut;
};

struct UvLoop {
  uv_loop_t *uv;
  Process *process;
  Task *task; /* that runs it; NULL: nobody does */
  UvHandle *handles;
  int64_t now_ms;
  uint64_t timer_order;
};

UvHandle *uv_handle_new(uv_loop_t *loop, uv_handle_t *handle, uv_handle_type type);
static inline UvHandle *uv_handle_of(const void *handle) { return ((const uv_handle_t *)handle)->u.reserved[0]; }
static inline UvLoop *uv_loop_of(const uv_loop_t *loop) { return loop->internal_fields; }
void uv_loop_wake(void *loop); /* a NetNotifyFn */

/* uv_stream.c */
bool uv_stream_is_ready(const UvHandle *handle);
void uv_stream_run(UvHandle *handle);
void uv_stream_close(UvHandle *handle, bool with_reset);
void uv_stream_cancel(UvHandle *handle); /* before its `closed` */
