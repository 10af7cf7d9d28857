/* listener.c - listening sockets. Options that every accepted TCP connection needs are set on the listening socket, from which Linux
 * inherits them. */
#include "io/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/arena.h"
#include "io/loop_internal.h"
#include "io/socket.h"

enum { LISTEN_BACKLOG = 4096, ADDRESS_TEXT_MAX = 160 };

struct Listener {
  LoopOwned owned; /* first: what the handle's data points to */
  Loop *loop;
  union {
    uv_handle_t handle;
    uv_stream_t uv;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  };
  union {
    uv_handle_t handle;
    uv_stream_t uv;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } refused; /* a connection that there was no memory for */
  bool is_refusing, is_waiting, is_closed;
  ListenerAcceptFn *accept;
  void *context;
  char address[ADDRESS_TEXT_MAX];
  size_t address_len;
};

static void on_connection(uv_stream_t *server, int status);

static void on_refused(uv_handle_t *handle) {
  Listener *listener = handle->data;
  listener->is_refusing = false;
  if (listener->is_closed)
    memory_free(listener);
  else if (listener->is_waiting && !uv_is_closing(&listener->handle))
    on_connection(&listener->uv, 0);
}

/* A connection that there is no memory for is taken and closed: until it is taken, libuv tells of no other. That needs a handle, of which
 * there is one: while it is being closed, the next connection waits. */
static void refuse(Listener *listener) {
  listener->is_waiting = listener->is_refusing;
  if (listener->is_refusing) return;
  uv_loop_t *loop = loop_uv(listener->loop);
  int failed = listener->handle.type == UV_TCP ? uv_tcp_init(loop, &listener->refused.tcp) : uv_pipe_init(loop, &listener->refused.pipe, 0);
  if (failed != 0) return;
  listener->refused.handle.data = listener;
  listener->is_refusing = true;
  (void)uv_accept(&listener->uv, &listener->refused.uv);
  uv_close(&listener->refused.handle, on_refused);
}

/* libuv itself deals with a lack of descriptors: it gives up one that it holds in reserve, accepts and closes what waits, and so never
 * spins. */
static void on_connection(uv_stream_t *server, int status) {
  Listener *listener = server->data;
  if (status < 0) return;
  listener->is_waiting = false;
  Stream *stream = socket_accept(listener->loop, server);
  if (stream == NULL) {
    refuse(listener);
    return;
  }
  char peer[64];
  size_t len = socket_peer(stream, peer);
  listener->accept(listener->context, stream, (Str){peer, len});
}

static void on_closed(uv_handle_t *handle) {
  Listener *listener = handle->data;
  listener->is_closed = true;
  if (!listener->is_refusing) memory_free(listener);
}

void listener_close(Listener *listener) {
  if (listener == NULL || uv_is_closing(&listener->handle)) return;
  uv_close(&listener->handle, on_closed);
}

static void listener_close_owned(LoopOwned *owned) { listener_close((Listener *)(void *)owned); }

/* "host:port" or "[v6]:port" with a numeric host. */
static bool parse_tcp_address(Str text, struct sockaddr_storage *ret) {
  char host[64];
  size_t colon = text.len;
  while (colon > 0 && text.ptr[colon - 1] != ':') colon--;
  if (colon == 0) return false;
  int64_t port;
  if (!str_parse_int64(str_slice(text, colon, text.len), &port) || port < 0 || port > 65535) return false;
  Str name = str_slice(text, 0, colon - 1);
  bool is_v6 = name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
  if (is_v6) name = str_slice(name, 1, name.len - 1);
  if (str_equal(name, STR("localhost"))) name = STR("127.0.0.1");
  if (name.len == 0 && !is_v6) name = STR("0.0.0.0");
  if (name.len >= sizeof host) return false;
  memcpy(host, name.ptr, name.len);
  host[name.len] = '\0';
  return (is_v6 ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)ret) : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)ret)) == 0;
}

static int bind_tcp(Listener *listener, const struct sockaddr_storage *address) {
  int failed = uv_tcp_init_ex(loop_uv(listener->loop), &listener->tcp, address->ss_family);
  if (failed != 0) return failed;
  listener->handle.data = listener;
  uv_os_fd_t fd;
  int on = 1;
  if ((failed = uv_fileno(&listener->handle, &fd)) != 0) return failed;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return uv_translate_sys_error(errno);
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return uv_translate_sys_error(errno);
  if ((failed = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)address, address->ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0)) != 0)
    return failed;
  return uv_listen(&listener->uv, LISTEN_BACKLOG, on_connection);
}

static int name_tcp(Listener *listener) {
  struct sockaddr_storage bound;
  int size = sizeof bound;
  char host[INET6_ADDRSTRLEN];
  int failed = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&bound, &size);
  if (failed != 0) return failed;
  bool is_v6 = bound.ss_family == AF_INET6;
  failed =
      is_v6 ? uv_ip6_name((struct sockaddr_in6 *)&bound, host, sizeof host) : uv_ip4_name((struct sockaddr_in *)&bound, host, sizeof host);
  if (failed != 0) return failed;
  unsigned port = ntohs(is_v6 ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port);
  listener->address_len = (size_t)snprintf(listener->address, sizeof listener->address, is_v6 ? "[%s]:%u" : "%s:%u", host, port);
  return 0;
}

/* Who serves the socket file: a process id, 0 for nobody, -1 where it can't be told or the file is no socket. */
static pid_t unix_owner(const char *path) {
  struct stat file;
  if (lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode)) return -1;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct ucred peer = {.pid = 0};
  socklen_t size = sizeof peer;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  memcpy(address.sun_path, path, strlen(path));
  pid_t owner = -1;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) owner = peer.pid;
  } else if (errno == ECONNREFUSED) {
    owner = 0;
  }
  close(fd);
  return owner;
}

static int bind_unix(Listener *listener, const char *path) {
  int failed = uv_pipe_init(loop_uv(listener->loop), &listener->pipe, 0);
  if (failed != 0) return failed;
  listener->handle.data = listener;
  if ((failed = uv_pipe_bind(&listener->pipe, path)) != 0) return failed;
  return uv_listen(&listener->uv, LISTEN_BACKLOG, on_connection);
}

static Listener *listener_new(Loop *loop, ListenerAcceptFn *accept, void *context) {
  Listener *listener = memory_alloc(sizeof *listener);
  if (listener != NULL) *listener = (Listener){.owned = {listener_close_owned}, .loop = loop, .accept = accept, .context = context};
  return listener;
}

/* A listener that could not be opened: its handle may not have been made yet. */
static void listener_drop(Listener *listener) {
  if (listener->handle.data == NULL) {
    memory_free(listener);
  } else {
    listener_close(listener);
  }
}

static Code open_tcp(Loop *loop, Str address, ListenerAcceptFn *accept, void *context, Listener **ret, Error *err) {
  struct sockaddr_storage parsed = {.ss_family = AF_UNSPEC};
  if (!parse_tcp_address(address, &parsed)) {
    return error_set(err, CODE_BAD_REQUEST, "'%.*s' is not an address to listen on; write 127.0.0.1:8080, [::1]:8080 or unix:/path",
                     STR_ARGS(address));
  }
  Listener *listener = listener_new(loop, accept, context);
  TRY_ALLOC(listener);
  int failed = bind_tcp(listener, &parsed);
  if (failed == 0) failed = name_tcp(listener);
  if (failed != 0) {
    listener_drop(listener);
    return error_set(err, CODE_UNAVAILABLE, "can't listen on %.*s: %s", STR_ARGS(address), uv_strerror(failed));
  }
  *ret = listener;
  return CODE_OK;
}

static Code open_unix(Loop *loop, Str address, ListenerAcceptFn *accept, void *context, Listener **ret, Error *err) {
  char path[sizeof((struct sockaddr_un *)0)->sun_path];
  Str name = str_slice(address, 5, address.len);
  if (name.len == 0 || name.len >= sizeof path || memchr(name.ptr, '\0', name.len) != NULL) {
    return error_set(err, CODE_BAD_REQUEST, "'%.*s' is not a path for a Unix socket (1 to %zu bytes)", STR_ARGS(address), sizeof path - 1);
  }
  memcpy(path, name.ptr, name.len);
  path[name.len] = '\0';
  Listener *listener = listener_new(loop, accept, context);
  TRY_ALLOC(listener);
  int failed = bind_unix(listener, path);
  if (failed == UV_EADDRINUSE) {
    listener_drop(listener);
    pid_t owner = unix_owner(path);
    if (owner == getpid()) {
      *ret = NULL;
      return CODE_OK;
    }
    if (owner != 0) return error_set(err, CODE_UNAVAILABLE, "can't listen on %.*s: it is in use by something else", STR_ARGS(address));
    unlink(path);
    listener = listener_new(loop, accept, context);
    TRY_ALLOC(listener);
    failed = bind_unix(listener, path);
  }
  if (failed != 0) {
    listener_drop(listener);
    return error_set(err, CODE_UNAVAILABLE, "can't listen on %.*s: %s", STR_ARGS(address), uv_strerror(failed));
  }
  listener->address_len = (size_t)snprintf(listener->address, sizeof listener->address, "unix:%s", path);
  *ret = listener;
  return CODE_OK;
}

Code listener_open(Loop *loop, Str address, ListenerAcceptFn *accept, void *context, Listener **ret, Error *err) {
  bool is_unix = str_starts_with(address, STR("unix:"));
  return is_unix ? open_unix(loop, address, accept, context, ret, err) : open_tcp(loop, address, accept, context, ret, err);
}

Code listener_check_free(Str address, Error *err) {
  struct sockaddr_storage parsed = {.ss_family = AF_UNSPEC};
  if (str_starts_with(address, STR("unix:")) || !parse_tcp_address(address, &parsed)) return CODE_OK; /* listener_open says the rest */
  int fd = socket(parsed.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return CODE_OK;
  int on = 1;
  socklen_t size = parsed.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  /* With SO_REUSEADDR connections that are still being closed don't count. */
  bool is_taken = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                  (parsed.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
                  bind(fd, (const struct sockaddr *)&parsed, size) != 0 && errno == EADDRINUSE;
  close(fd);
  return is_taken ? error_set(err, CODE_UNAVAILABLE, "can't listen on %.*s: %s", STR_ARGS(address), uv_strerror(UV_EADDRINUSE)) : CODE_OK;
}

Str listener_address(const Listener *listener) { return (Str){listener->address, listener->address_len}; }
