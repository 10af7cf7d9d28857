/* uv_stream.c - libuv's listeners and streams on the simulation's network. */
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "uv_internal.h"

enum { PORT_CHOSEN = 8080 };

/* ---- listening ---- */

int uv_tcp_init(uv_loop_t *uv, uv_tcp_t *tcp) {
  (void)uv_handle_new(uv, (uv_handle_t *)tcp, UV_TCP);
  return 0;
}

int uv_tcp_init_ex(uv_loop_t *uv, uv_tcp_t *tcp, unsigned flags) {
  (void)flags;
  return uv_tcp_init(uv, tcp);
}

/* Only for setsockopt, which is replaced too. */
int uv_fileno(const uv_handle_t *handle, uv_os_fd_t *ret) {
  (void)handle;
  *ret = -1;
  return 0;
}

int uv_tcp_bind(uv_tcp_t *tcp, const struct sockaddr *address, unsigned flags) {
  (void)flags;
  unsigned port = ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
  uv_handle_of(tcp)->port = port == 0 ? PORT_CHOSEN : port;
  return 0;
}

int uv_listen(uv_stream_t *stream, int backlog, uv_connection_cb connection) {
  (void)backlog;
  UvHandle *handle = uv_handle_of(stream);
  handle->connection = connection;
  handle->listener = net_listen(handle->port, handle->loop->process, uv_loop_wake, handle->loop);
  handle->is_active = true;
  return 0;
}

int uv_accept(uv_stream_t *server, uv_stream_t *client) {
  UvHandle *handle = uv_handle_of(client);
  Connection *net = net_accept(uv_handle_of(server)->listener);
  if (net == NULL) return UV_EAGAIN;
  handle->net = net;
  net_notify(net, NET_SERVER, uv_loop_wake, handle->loop);
  return 0;
}

static int fill_address(struct sockaddr *ret, int *size, uint32_t host, unsigned port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(host)};
  assert(*size >= (int)sizeof address);
  *(struct sockaddr_in *)(void *)ret = address;
  *size = sizeof address;
  return 0;
}

int uv_tcp_getsockname(const uv_tcp_t *tcp, struct sockaddr *ret, int *size) {
  return fill_address(ret, size, INADDR_LOOPBACK, uv_handle_of(tcp)->port);
}

int uv_tcp_getpeername(const uv_tcp_t *tcp, struct sockaddr *ret, int *size) {
  const UvHandle *handle = uv_handle_of(tcp);
  if (handle->net == NULL) return UV_ENOTCONN;
  return fill_address(ret, size, INADDR_LOOPBACK, 10000 + net_number(handle->net) % 50000);
}

/* ---- reading ---- */

int uv_read_start(uv_stream_t *stream, uv_alloc_cb allocate, uv_read_cb read) {
  UvHandle *handle = uv_handle_of(stream);
  if (handle->is_closing) return UV_EINVAL;
  if (handle->net == NULL) return UV_ENOTCONN;
  if (handle->is_reading) return UV_EALREADY;
  handle->allocate = allocate;
  handle->read = read;
  handle->is_reading = handle->is_active = true;
  return 0;
}

int uv_read_stop(uv_stream_t *stream) {
  uv_handle_of(stream)->is_reading = false;
  return 0;
}

static void run_read(UvHandle *handle) {
  uv_stream_t *stream = (uv_stream_t *)handle->uv;
  uv_buf_t buffer = {0};
  handle->allocate(handle->uv, 65536, &buffer);
  ssize_t count = net_receive(handle->net, NET_SERVER, buffer.base, buffer.len);
  if (count == NET_NOTHING) return;
  if (count < 0) handle->is_reading = false;
  handle->read(stream, count == NET_ENDED ? UV_EOF : count == NET_BROKEN ? UV_ECONNRESET : count, &buffer);
}

/* ---- writing ---- */

int uv_try_write(uv_stream_t *stream, const uv_buf_t buffers[], unsigned count) {
  UvHandle *handle = uv_handle_of(stream);
  if (handle->writes != NULL) return UV_EAGAIN;
  size_t sent = 0;
  for (unsigned i = 0; i < count; i++) {
    ssize_t n = net_send(handle->net, NET_SERVER, (Str){buffers[i].base, buffers[i].len});
    if (n == NET_BROKEN) return UV_EPIPE;
    if (n > 0) sent += (size_t)n;
    if (n < (ssize_t)buffers[i].len) break;
  }
  return sent > 0 ? (int)sent : UV_EAGAIN;
}

int uv_write(uv_write_t *request, uv_stream_t *stream, const uv_buf_t buffers[], unsigned count, uv_write_cb done) {
  UvHandle *handle = uv_handle_of(stream);
  assert(count == 1 && handle->writes == NULL);
  UvWrite *write = malloc(sizeof *write);
  if (write == NULL) return UV_ENOMEM;
  request->handle = stream;
  *write = (UvWrite){request, done, {buffers[0].base, buffers[0].len}, NULL};
  handle->writes = write;
  handle->is_active = true;
  return 0;
}

size_t uv_stream_get_write_queue_size(const uv_stream_t *stream) {
  const UvHandle *handle = uv_handle_of(stream);
  return handle->writes == NULL ? 0 : handle->writes->rest.len;
}

static void end_write(UvHandle *handle, int status) {
  UvWrite *write = handle->writes;
  handle->writes = NULL;
  write->done(write->request, status);
  free(write);
}

static void run_write(UvHandle *handle) {
  UvWrite *write = handle->writes;
  ssize_t count = net_send(handle->net, NET_SERVER, write->rest);
  if (count == NET_BROKEN) return end_write(handle, UV_EPIPE);
  if (count > 0) write->rest = (Str){write->rest.ptr + count, write->rest.len - (size_t)count};
  if (write->rest.len == 0) end_write(handle, 0);
}

int uv_shutdown(uv_shutdown_t *request, uv_stream_t *stream, uv_shutdown_cb done) {
  UvHandle *handle = uv_handle_of(stream);
  if (handle->is_shut || handle->is_closing) return UV_ENOTCONN;
  request->handle = stream;
  handle->is_shut = true;
  handle->shutdown = request;
  handle->shut = done;
  return 0;
}

static void end_shutdown(UvHandle *handle, int status) {
  uv_shutdown_t *request = handle->shutdown;
  handle->shutdown = NULL;
  handle->shut(request, status);
}

static void run_shutdown(UvHandle *handle) {
  net_shutdown(handle->net, NET_SERVER);
  end_shutdown(handle, 0);
}

/* ---- the loop's part ---- */

bool uv_stream_is_ready(const UvHandle *handle) {
  if (handle->listener != NULL) return net_has_waiting(handle->listener);
  if (handle->net == NULL) return false;
  if (handle->is_reading && net_is_readable(handle->net, NET_SERVER)) return true;
  if (handle->writes != NULL) return net_is_writable(handle->net, NET_SERVER);
  return handle->shutdown != NULL;
}

void uv_stream_run(UvHandle *handle) {
  if (handle->listener != NULL) {
    while (!handle->is_closing && net_has_waiting(handle->listener)) handle->connection((uv_stream_t *)handle->uv, 0);
    return;
  }
  if (handle->is_reading && net_is_readable(handle->net, NET_SERVER)) run_read(handle);
  if (!handle->is_closing && handle->writes != NULL && net_is_writable(handle->net, NET_SERVER)) run_write(handle);
  if (!handle->is_closing && handle->writes == NULL && handle->shutdown != NULL) run_shutdown(handle);
}

void uv_stream_close(UvHandle *handle, bool with_reset) {
  if (handle->listener != NULL) net_listener_close(handle->listener);
  if (handle->net != NULL) net_close(handle->net, NET_SERVER, with_reset);
  handle->is_reading = false;
}

int uv_tcp_close_reset(uv_tcp_t *tcp, uv_close_cb closed) {
  UvHandle *handle = uv_handle_of(tcp);
  if (handle->shutdown != NULL) return UV_EINVAL;
  uv_stream_close(handle, true);
  uv_close((uv_handle_t *)tcp, closed);
  return 0;
}

void uv_stream_cancel(UvHandle *handle) {
  if (handle->writes != NULL) end_write(handle, UV_ECANCELED);
  if (handle->shutdown != NULL) end_shutdown(handle, UV_ECANCELED);
}
