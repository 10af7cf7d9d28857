/* fanout.c - the least that telling many connections something costs, to measure watches against: accept them, and for each line on the
 * standard input send the same bytes to each, one send a connection. What that cost of CPU is printed in ns, a line each. Says nothing of
 * HTTP but what a client of bench/watch.mjs waits for. BYTES: of what is sent. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 100000, BYTES_MAX = 64 * 1024, HEAD_BYTES_MAX = 4096 };

typedef struct Fanout {
  int connections[CONNECTIONS_MAX];
  size_t count;
  char told[BYTES_MAX];
  size_t told_bytes;
} Fanout;

static int listen_on_any(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 1024) != 0) {
    perror("fanout: listen");
    exit(3);
  }
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

/* A connection counts once it has sent a head and heard that it has. */
static void accept_one(Fanout *fanout, int listen_fd) {
  static const char started[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1000\n\n";
  int fd = accept(listen_fd, NULL, NULL);
  if (fd < 0) return;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char head[HEAD_BYTES_MAX];
  assert(fanout->count < CONNECTIONS_MAX);
  if (read(fd, head, sizeof head) <= 0 || write(fd, started, sizeof started - 1) < 0) {
    close(fd);
    return;
  }
  fanout->connections[fanout->count++] = fd;
}

static long long cpu_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void tell_all(const Fanout *fanout) {
  long long before = cpu_ns();
  for (size_t i = 0; i < fanout->count; i++) {
    ssize_t sent = send(fanout->connections[i], fanout->told, fanout->told_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) perror("fanout: send");
  }
  printf("%lld\n", cpu_ns() - before);
  fflush(stdout);
}

int main(int argc, char **argv) {
  static Fanout fanout;
  static const char event[] = "event: change\n\n";
  long bytes = argc > 1 ? strtol(argv[1], NULL, 10) : 256;
  if (bytes < (long)sizeof event || bytes > BYTES_MAX) {
    (void)fprintf(stderr, "usage: fanout BYTES   (%zu to %d)\n", sizeof event, BYTES_MAX);
    return 2;
  }
  memset(fanout.told, ':', sizeof fanout.told);
  memcpy(fanout.told, event, sizeof event - 1);
  fanout.told_bytes = (size_t)bytes;
  struct pollfd waits[] = {{.fd = listen_on_any(), .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  for (;;) {
    if (poll(waits, 2, -1) < 0) continue;
    if (waits[0].revents != 0) accept_one(&fanout, waits[0].fd);
    char line[64];
    if (waits[1].revents == 0) continue;
    if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
    tell_all(&fanout);
  }
}
