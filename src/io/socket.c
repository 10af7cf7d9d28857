/* socket.c - a Stream over libuv. What is written during a turn is collected in one block and sent by one system call when the turn ends;
 * what the system does not take then is handed to libuv, and new writes collect in another block meanwhile. */
#include "io/socket.h"

#include <assert.h>
#include <stdio.h>
#include <uv.h>

#include "base/arena.h"
#include "io/loop_internal.h"

enum {
  SMALL_BLOCK_BYTES = 1024,
  DIRECT_BYTES_MIN = 8 * 1024, /* from here on bytes are offered to the system where they lie */
  SOCKET_QUEUED_MAX = 256 * 1024 * 1024
};

typedef struct SocketBlock {
  char *ptr; /* NULL: none yet */
  size_t len, cap;
} SocketBlock;

typedef struct Socket {
  LoopOwned owned; /* first: what the handle's data points to */
  Stream stream;
  union {
    uv_handle_t handle;
    uv_stream_t uv;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  LoopFlush flush;
  uv_write_t write;
  uv_shutdown_t shutdown;
  SocketBlock collected;
  SocketBlock sending; /* in libuv's hands while ptr is set */
  bool is_broken;      /* a write failed; told at the turn's end */
  bool is_ended;       /* the end event was given */
  bool is_closing;
  bool wants_shutdown;
  bool is_shut;
} Socket;

static Socket *socket_of(Stream *stream) { return (Socket *)(void *)((char *)stream - offsetof(Socket, stream)); }
static const Socket *socket_of_const(const Stream *stream) {
  return (const Socket *)(const void *)((const char *)stream - offsetof(Socket, stream));
}

static void block_free(Socket *socket, SocketBlock *block) {
  if (block->ptr == NULL) return;
  if (block->cap == LOOP_BLOCK_BYTES) {
    loop_block_release(socket->stream.loop, block->ptr);
  } else {
    memory_free(block->ptr);
  }
  *block = (SocketBlock){.ptr = NULL};
}

/* The block's bytes go into another one of at least `cap` bytes. */
static bool block_move(Socket *socket, SocketBlock *block, size_t cap) {
  SocketBlock other = {.len = block->len, .cap = cap <= LOOP_BLOCK_BYTES ? LOOP_BLOCK_BYTES : cap};
  other.ptr = cap <= LOOP_BLOCK_BYTES ? loop_block_acquire(socket->stream.loop) : memory_alloc(cap);
  if (other.ptr == NULL) return false;
  if (block->ptr != NULL) memcpy(other.ptr, block->ptr, block->len);
  block_free(socket, block);
  *block = other;
  return true;
}

/* Makes room for `more` bytes. Blocks are the loop's; where very many sockets are written to in one turn, as by a change that is told to
 * all who watch, a little does for a little. */
static bool block_reserve(Socket *socket, SocketBlock *block, size_t more) {
  if (more <= block->cap - block->len) return true;
  if (more > SOCKET_QUEUED_MAX - block->len) return false;
  if (block->ptr == NULL && more <= SMALL_BLOCK_BYTES && loop_has_many_blocks(socket->stream.loop)) {
    block->ptr = memory_alloc(SMALL_BLOCK_BYTES);
    block->cap = block->ptr == NULL ? 0 : SMALL_BLOCK_BYTES;
    return block->ptr != NULL;
  }
  size_t needed = block->len + more, larger = block->cap * 2 > needed ? block->cap * 2 : needed + LOOP_BLOCK_BYTES;
  return block_move(socket, block, needed <= LOOP_BLOCK_BYTES ? needed : larger);
}

static void end_once(Socket *socket, Code code) {
  if (socket->is_ended || socket->is_closing) return;
  socket->is_ended = true;
  socket->stream.events->end(socket->stream.context, code);
}

static void flush_later(Socket *socket) { loop_flush_add(socket->stream.loop, &socket->flush); }

static void socket_fail(Socket *socket) {
  socket->is_broken = true;
  socket->collected.len = 0;
  flush_later(socket);
}

static void on_shut(uv_shutdown_t *request, int status) {
  (void)request;
  (void)status; /* the peer's own end or error is told by reading */
}

/* libuv shuts down behind what it was handed, which what is collected behind a write under way was not yet. */
static void shutdown_if_wanted(Socket *socket) {
  if (!socket->wants_shutdown || socket->is_shut || socket->collected.len > 0) return;
  socket->is_shut = true;
  socket->shutdown.data = socket;
  if (uv_shutdown(&socket->shutdown, &socket->uv, on_shut) != 0) socket_fail(socket);
}

static void on_written(uv_write_t *write, int status);

/* Hands the collected bytes behind `sent` to libuv, which sends them when the system takes them. */
static void send_rest(Socket *socket, size_t sent) {
  socket->sending = socket->collected;
  socket->collected = (SocketBlock){.ptr = NULL};
  uv_buf_t rest = uv_buf_init(socket->sending.ptr + sent, (unsigned)(socket->sending.len - sent));
  socket->write.data = socket;
  if (uv_write(&socket->write, &socket->uv, &rest, 1, on_written) != 0) {
    block_free(socket, &socket->sending);
    socket_fail(socket);
  }
}

static void send_collected(Socket *socket) {
  if (socket->collected.len == 0 || socket->sending.ptr != NULL) return;
  uv_buf_t all = uv_buf_init(socket->collected.ptr, (unsigned)socket->collected.len);
  int sent = uv_try_write(&socket->uv, &all, 1);
  if (sent == (int)socket->collected.len) {
    block_free(socket, &socket->collected);
  } else if (sent >= 0 || sent == UV_EAGAIN) {
    send_rest(socket, sent < 0 ? 0 : (size_t)sent);
  } else {
    socket_fail(socket);
  }
}

static void socket_flush(Socket *socket) {
  if (socket->is_closing) return;
  if (!socket->is_broken) send_collected(socket);
  if (socket->is_broken) {
    loop_flush_remove(socket->stream.loop, &socket->flush);
    end_once(socket, CODE_UNAVAILABLE);
    return;
  }
  shutdown_if_wanted(socket);
  socket->stream.events->flushed(socket->stream.context);
}

static void on_flush(LoopFlush *flush) { socket_flush((Socket *)(void *)((char *)flush - offsetof(Socket, flush))); }

static void on_written(uv_write_t *write, int status) {
  Socket *socket = write->data;
  block_free(socket, &socket->sending);
  if (socket->is_closing) return;
  if (status < 0) socket->is_broken = true;
  flush_later(socket);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret) {
  (void)suggested;
  Socket *socket = handle->data;
  *ret = uv_buf_init(loop_read_buffer(socket->stream.loop), LOOP_READ_BYTES);
}

static void on_read(uv_stream_t *uv, ssize_t count, const uv_buf_t *buffer) {
  Socket *socket = uv->data;
  if (count > 0) {
    socket->stream.events->read(socket->stream.context, (Str){buffer->base, (size_t)count});
  } else if (count < 0) {
    uv_read_stop(uv);
    end_once(socket, count == UV_EOF ? CODE_OK : CODE_UNAVAILABLE);
  }
}

static void stream_socket_read_start(Stream *stream) {
  Socket *socket = socket_of(stream);
  if (socket->is_ended || socket->is_closing) return;
  int failed = uv_read_start(&socket->uv, on_allocate, on_read);
  if (failed != 0 && failed != UV_EALREADY) socket_fail(socket);
}

static void stream_socket_read_stop(Stream *stream) { uv_read_stop(&socket_of(stream)->uv); }

/* Offers many bytes to the system at once, behind what was collected, so that only what it does not take is copied. Returns how many of
 * `bytes` it took. */
static size_t write_direct(Socket *socket, Str bytes) {
  uv_buf_t both[2] = {uv_buf_init(socket->collected.ptr, (unsigned)socket->collected.len),
                      uv_buf_init((char *)bytes.ptr, (unsigned)bytes.len)};
  bool has_collected = socket->collected.len != 0;
  int sent = uv_try_write(&socket->uv, has_collected ? both : both + 1, has_collected ? 2 : 1);
  if (sent == UV_EAGAIN) return 0;
  if (sent < 0) {
    socket_fail(socket);
    return 0;
  }
  size_t count = (size_t)sent;
  if (count >= socket->collected.len) {
    count -= socket->collected.len;
    socket->collected.len = 0;
    return count;
  }
  memmove(socket->collected.ptr, socket->collected.ptr + count, socket->collected.len - count);
  socket->collected.len -= count;
  return 0;
}

static void stream_socket_write(Stream *stream, Str bytes) {
  Socket *socket = socket_of(stream);
  assert(!socket->wants_shutdown);
  if (bytes.len == 0 || socket->is_broken || socket->is_closing) return;
  flush_later(socket);
  if (bytes.len >= DIRECT_BYTES_MIN && bytes.len <= SOCKET_QUEUED_MAX && socket->sending.ptr == NULL) {
    size_t taken = write_direct(socket, bytes);
    bytes = (Str){bytes.ptr + taken, bytes.len - taken};
    if (bytes.len == 0 || socket->is_broken) return;
  }
  if (!block_reserve(socket, &socket->collected, bytes.len)) {
    socket_fail(socket);
    return;
  }
  memcpy(socket->collected.ptr + socket->collected.len, bytes.ptr, bytes.len);
  socket->collected.len += bytes.len;
}

static size_t stream_socket_queued(const Stream *stream) {
  const Socket *socket = socket_of_const(stream);
  return socket->collected.len + (socket->sending.ptr == NULL ? 0 : uv_stream_get_write_queue_size(&socket->uv));
}

static void stream_socket_shutdown(Stream *stream) {
  Socket *socket = socket_of(stream);
  if (socket->wants_shutdown || socket->is_closing) return;
  socket->wants_shutdown = true;
  flush_later(socket);
}

static void on_closed(uv_handle_t *handle) {
  Socket *socket = handle->data;
  block_free(socket, &socket->collected);
  block_free(socket, &socket->sending);
  if (socket->stream.events != NULL) socket->stream.events->closed(socket->stream.context);
  memory_free(socket);
}

static void stream_socket_close(Stream *stream, bool with_reset) {
  Socket *socket = socket_of(stream);
  if (socket->is_closing) return;
  socket->is_closing = true;
  loop_flush_remove(stream->loop, &socket->flush);
  /* libuv refuses a reset behind a shutdown. */
  if (with_reset && !socket->is_shut && socket->handle.type == UV_TCP && uv_tcp_close_reset(&socket->tcp, on_closed) == 0) return;
  uv_close(&socket->handle, on_closed);
}

static void socket_close_owned(LoopOwned *owned) { stream_socket_close(&((Socket *)(void *)owned)->stream, false); }

static const StreamOps socket_ops = {
    .read_start = stream_socket_read_start,
    .read_stop = stream_socket_read_stop,
    .write = stream_socket_write,
    .queued = stream_socket_queued,
    .shutdown = stream_socket_shutdown,
    .close = stream_socket_close,
};

Stream *socket_accept(Loop *loop, uv_stream_t *server) {
  Socket *socket = memory_alloc(sizeof *socket);
  if (socket == NULL) return NULL;
  *socket = (Socket){.owned = {socket_close_owned}, .stream = {.ops = &socket_ops, .loop = loop}, .flush = {.run = on_flush}};
  int failed = server->type == UV_TCP ? uv_tcp_init(loop_uv(loop), &socket->tcp) : uv_pipe_init(loop_uv(loop), &socket->pipe, 0);
  if (failed != 0) {
    memory_free(socket);
    return NULL;
  }
  socket->handle.data = socket;
  if (uv_accept(server, &socket->uv) != 0) {
    stream_close(&socket->stream);
    return NULL;
  }
  return &socket->stream;
}

size_t socket_peer(const Stream *stream, char out[64]) {
  const Socket *socket = socket_of_const(stream);
  struct sockaddr_storage address;
  int size = sizeof address;
  char host[INET6_ADDRSTRLEN];
  if (socket->handle.type != UV_TCP || uv_tcp_getpeername(&socket->tcp, (struct sockaddr *)&address, &size) != 0) return 0;
  bool is_v6 = address.ss_family == AF_INET6;
  int failed = is_v6 ? uv_ip6_name((struct sockaddr_in6 *)&address, host, sizeof host)
                     : uv_ip4_name((struct sockaddr_in *)&address, host, sizeof host);
  if (failed != 0) return 0;
  unsigned port = ntohs(is_v6 ? ((struct sockaddr_in6 *)&address)->sin6_port : ((struct sockaddr_in *)&address)->sin_port);
  int len = snprintf(out, 64, is_v6 ? "[%s]:%u" : "%s:%u", host, port);
  return len > 0 && len < 64 ? (size_t)len : 0;
}
