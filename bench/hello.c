/* hello.c - the least that an HTTP server can do on one thread, to measure others against: wait, read, find where each request
 * ends, write one constant answer for each. No parser, no routing, no timers: what remains is the kernel's share. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16 * 1024, EVENTS_MAX = 256, ANSWERS_MAX = 64 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"hello\":\"world\"}";

/* A head may be cut anywhere: how much of CR LF CR LF has been seen is all that a connection remembers. */
typedef struct Connection {
  int fd;
  int matched;
} Connection;

static int listen_on(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  assert(fd >= 0);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) {
    perror("hello: bind");
    exit(3);
  }
  socklen_t length = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void accept_all(int epoll_fd, int listen_fd) {
  for (;;) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = calloc(1, sizeof *connection);
    assert(connection != NULL);
    connection->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

static size_t count_heads(Connection *connection, const char *bytes, size_t length) {
  static const char end[] = "\r\n\r\n";
  size_t heads = 0;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] == end[connection->matched]) {
      connection->matched++;
    } else {
      connection->matched = bytes[i] == '\r';
    }
    if (connection->matched == 4) {
      connection->matched = 0;
      heads++;
    }
  }
  return heads;
}

static void close_connection(Connection *connection) {
  close(connection->fd);
  free(connection);
}

static void serve(Connection *connection) {
  char bytes[READ_BYTES];
  ssize_t length = read(connection->fd, bytes, sizeof bytes);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    close_connection(connection);
    return;
  }
  char answers[ANSWERS_MAX * (sizeof answer - 1)];
  size_t heads = count_heads(connection, bytes, (size_t)length);
  while (heads > 0) {
    size_t now = heads < ANSWERS_MAX ? heads : ANSWERS_MAX;
    for (size_t i = 0; i < now; i++) memcpy(answers + i * (sizeof answer - 1), answer, sizeof answer - 1);
    ssize_t wanted = (ssize_t)(now * (sizeof answer - 1));
    if (write(connection->fd, answers, (size_t)wanted) != wanted) {
      close_connection(connection);
      return;
    }
    heads -= now;
  }
}

int main(int argc, char **argv) {
  int listen_fd = listen_on(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0);
  int epoll_fd = epoll_create1(0);
  struct epoll_event listener = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listener);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) {
        accept_all(epoll_fd, listen_fd);
      } else {
        serve(events[i].data.ptr);
      }
    }
  }
}
