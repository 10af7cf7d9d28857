/* pipeline.c - what GET by id on PostgreSQL costs at least: hello's loop, and behind it one raw libpq connection in pipeline mode. All
 * requests of a turn go out as executions of one prepared statement behind one sync; their rows come back in order and leave as JSON. No
 * parser, no routing, no rules, no types: what remains is the kernel's share and libpq's.
 *   pipeline CONNINFO */
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16 * 1024, EVENTS_MAX = 256, QUEUE_MAX = 4096, COLUMNS = 7, ID_LENGTH = 36 };

static const char *const names[COLUMNS] = {"id", "sku", "name", "price", "stock", "number", "createdAt"};
static const char query[] = "SELECT id, sku, name, price, stock, number, created_at FROM products WHERE id = $1::uuid";

/* Who waits for an answer, in the order in which the database gives them: connections, of which nothing need be known. The load's requests
 * come whole: a closed loop over loopback never cuts one. */
typedef struct Waiting {
  int items[QUEUE_MAX];
  size_t first, count;
} Waiting;

typedef struct Server {
  PGconn *pg;
  Waiting waiting;
  size_t sent; /* since the last sync */
} Server;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "pipeline: %s: %s\n", what, why);
  exit(3);
}

static int listen_on_any_port(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) fail("bind", strerror(errno));
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static PGconn *connect_to(const char *target) {
  PGconn *pg = PQconnectdb(target);
  if (PQstatus(pg) != CONNECTION_OK) fail("connect", PQerrorMessage(pg));
  PGresult *result = PQprepare(pg, "get", query, 1, NULL);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail("prepare", PQerrorMessage(pg));
  PQclear(result);
  if (PQsetnonblocking(pg, 1) != 0 || PQenterPipelineMode(pg) != 1) fail("pipeline", PQerrorMessage(pg));
  return pg;
}

static void accept_all(int epoll_fd, int listen_fd) {
  for (int fd; (fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll", strerror(errno));
  }
}

static void ask(Server *server, int connection) {
  char bytes[READ_BYTES + 1], id[ID_LENGTH + 1];
  ssize_t length = read(connection, bytes, READ_BYTES);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    close(connection);
    return;
  }
  bytes[length] = 0;
  const char *end = strstr(bytes, " HTTP/1.1\r\n");
  if (end == NULL || end - bytes < ID_LENGTH || server->waiting.count == QUEUE_MAX) fail("request", bytes);
  memcpy(id, end - ID_LENGTH, ID_LENGTH);
  id[ID_LENGTH] = 0;
  const char *const values[] = {id};
  if (PQsendQueryPrepared(server->pg, "get", 1, values, NULL, NULL, 0) != 1) fail("send", PQerrorMessage(server->pg));
  server->waiting.items[(server->waiting.first + server->waiting.count++) % QUEUE_MAX] = connection;
  server->sent++;
}

static void answer(int connection, const PGresult *result) {
  char body[2048], text[4096];
  size_t length = 0;
  if (PQntuples(result) != 1) fail("answer", "there is no such row");
  for (int i = 0; i < COLUMNS; i++) {
    int written = snprintf(body + length, sizeof body - length, "%c\"%s\":\"%s\"", i == 0 ? '{' : ',', names[i], PQgetvalue(result, 0, i));
    if (written < 0 || (size_t)written >= sizeof body - length - 1) fail("answer", "too long");
    length += (size_t)written;
  }
  body[length++] = '}';
  int size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s", length,
                      (int)length, body);
  if (write(connection, text, (size_t)size) != size) fail("write", strerror(errno));
}

static void take_answers(Server *server) {
  if (PQconsumeInput(server->pg) != 1) fail("receive", PQerrorMessage(server->pg));
  while (PQisBusy(server->pg) == 0) {
    PGresult *result = PQgetResult(server->pg);
    ExecStatusType status = PQresultStatus(result);
    /* NULL stands between two commands; where none is under way there is nothing more. */
    if (result == NULL && server->waiting.count == 0) return;
    if (status == PGRES_TUPLES_OK) {
      answer(server->waiting.items[server->waiting.first], result);
      server->waiting.first = (server->waiting.first + 1) % QUEUE_MAX;
      server->waiting.count--;
    } else if (result != NULL && status != PGRES_PIPELINE_SYNC) {
      fail("query", PQresultErrorMessage(result));
    }
    PQclear(result);
    if (status == PGRES_PIPELINE_SYNC && server->waiting.count == 0) return;
  }
}

/* The end of a turn: all that was asked in it goes out together. */
static void send_all(Server *server) {
  if (server->sent > 0 && PQpipelineSync(server->pg) != 1) fail("sync", PQerrorMessage(server->pg));
  server->sent = 0;
  if (PQflush(server->pg) < 0) fail("flush", PQerrorMessage(server->pg));
}

int main(int argc, char **argv) {
  static Server server;
  if (argc != 2) {
    fprintf(stderr, "usage: pipeline CONNINFO\n");
    return 2;
  }
  server.pg = connect_to(argv[1]);
  int listen_fd = listen_on_any_port(), epoll_fd = epoll_create1(0);
  struct epoll_event listener = {.events = EPOLLIN, .data.fd = listen_fd}, database = {.events = EPOLLIN, .data.fd = PQsocket(server.pg)};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listener);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, database.data.fd, &database);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.fd == listen_fd)
        accept_all(epoll_fd, listen_fd);
      else if (events[i].data.fd == database.data.fd)
        take_answers(&server);
      else
        ask(&server, events[i].data.fd);
    }
    send_all(&server);
  }
}
