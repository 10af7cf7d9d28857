/* stream.h - a connection as a stream of bytes in both directions: a TCP or Unix socket, or what is laid over one. On its loop's thread
 * only. Writes are collected and sent together when the loop's turn ends. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "io/loop.h"

typedef struct Stream Stream;

/* None of these is called from within a call of stream_*. */
typedef struct StreamEvents {
  void (*read)(void *context, Str bytes); /* `bytes` live during the call */
  /* The last event but `closed`'s: CODE_OK when the peer sends no more but may still read, else the connection is broken. Comes once. */
  void (*end)(void *context, Code code);
  /* Everything written so far was offered to the system; stream_queued says what it has not taken. */
  void (*flushed)(void *context);
  void (*closed)(void *context); /* after stream_close: the stream is gone */
} StreamEvents;

typedef struct StreamOps {
  void (*read_start)(Stream *stream);
  void (*read_stop)(Stream *stream);
  void (*write)(Stream *stream, Str bytes);
  size_t (*queued)(const Stream *stream);
  void (*shutdown)(Stream *stream);
  void (*close)(Stream *stream, bool with_reset);
} StreamOps;

struct Stream {
  const StreamOps *ops;
  Loop *loop;
  const StreamEvents *events; /* set by the owner before stream_read_start */
  void *context;
};

static inline void stream_read_start(Stream *stream) { stream->ops->read_start(stream); }
/* No read event comes any more; an end that was seen before still may. */
static inline void stream_read_stop(Stream *stream) { stream->ops->read_stop(stream); }
/* Copies what can't be sent at once. Where that fails for lack of memory or because the peer is gone, the end event tells it. */
static inline void stream_write(Stream *stream, Str bytes) { stream->ops->write(stream, bytes); }
/* Bytes that wait in our memory. */
static inline size_t stream_queued(const Stream *stream) { return stream->ops->queued(stream); }
/* After what is queued the peer sees the end; it may still send. */
static inline void stream_shutdown(Stream *stream) { stream->ops->shutdown(stream); }
/* What is queued is lost; the only event to come is `closed`. */
static inline void stream_close(Stream *stream) { stream->ops->close(stream, false); }
/* As close, so that the peer sees an error rather than an end. */
static inline void stream_reset(Stream *stream) { stream->ops->close(stream, true); }
