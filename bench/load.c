/* load.c - a load generator: C keep-alive connections on one thread, each with one request in flight, for a number of requests or of
 * seconds. Without -R it is a closed loop: an answer is followed by the next request. With -R it is an open one: requests are due at a
 * constant rate whatever the answers do, and a latency counts from when its request was due, so that a stall is felt by all that had to
 * wait for it (no coordinated omission); with -G one for which no connection gets free in time is left unsent, as by a client with a
 * bounded pool. A request is a template in which `{i}` becomes a number: the next of a sequence, or a random one
 * below N;
 * `{line}` becomes a random line of a file. Every answer's status is checked; with -A a second one is allowed, whose answers are counted
 * apart and have no part in the latencies. Prints one line of JSON. */
#include <assert.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 1024 * 1024, REQUEST_BYTES_MAX = 64 * 1024, CONNECTIONS_MAX = 10000, EVENTS_MAX = 256 };

typedef struct Options {
  uint16_t port;
  size_t connections;
  uint64_t requests_max; /* 0: until the time is over */
  double seconds;
  double rate; /* requests a second that are due; 0: a closed loop */
  const char *method, *path, *body, *header;
  const char *write_path, *write_body; /* instead of the above, for so many of a hundred: a POST that is answered with 201 */
  uint64_t write_percent;
  const char *lines_file;
  const char *ids_file;  /* where to write the "id" of each answer, a line each */
  uint64_t first;        /* {i} counts from here */
  uint64_t random_below; /* above 0: {i} is random below it */
  int status;
  int refused_status;  /* 0: none is allowed */
  uint64_t give_up_ms; /* 0: what is due waits for a connection for as long as it takes */
  int wait_ms;         /* without an answer for so long, something is wrong */
  long pid;            /* of a process whose CPU time is told, from the first request on; 0: none */
} Options;

typedef struct Lines {
  char *text;
  char **items;
  size_t count;
} Lines;

typedef struct Connection {
  int fd;
  char *answer;
  size_t answer_length;
  uint64_t due_ns; /* when its request was to be sent */
  bool is_write;
} Connection;

typedef struct Load {
  const Options *options;
  Lines lines;
  FILE *ids;
  uint64_t next, due, sent, answered, refused, wrong, bytes; /* due: sent or given up */
  uint64_t random;
  uint64_t begin_ns, deadline_ns, own_cpu_ns;
  Connection connections[CONNECTIONS_MAX];
  Connection *idle[CONNECTIONS_MAX]; /* of an open loop */
  size_t idle_count;
  uint32_t *latencies_us;
  size_t latency_count;
  char first_wrong[512];
} Load;

enum { LATENCIES_MAX = 1 << 20 };

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* xorshift64: repeatable, and far cheaper than what it measures. */
static uint64_t random_next(Load *load) {
  load->random ^= load->random << 13;
  load->random ^= load->random >> 7;
  load->random ^= load->random << 17;
  return load->random;
}

/* Of all threads of a process; exact, unlike the ticks of /proc/PID/stat. */
static uint64_t cpu_ns_of(long pid) {
  char path[64];
  uint64_t total = 0;
  snprintf(path, sizeof path, "/proc/%ld/task", pid);
  DIR *tasks = opendir(path);
  for (struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
    char file[400], text[64] = "";
    if (task->d_name[0] == '.') continue;
    snprintf(file, sizeof file, "%s/%s/schedstat", path, task->d_name);
    FILE *stat = fopen(file, "r");
    if (stat == NULL) continue; /* it has ended */
    if (fgets(text, sizeof text, stat) != NULL) total += strtoull(text, NULL, 10);
    fclose(stat);
  }
  if (tasks != NULL) closedir(tasks);
  return total;
}

static void lines_read(Lines *lines, const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(3);
  }
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  lines->text = malloc(size + 1);
  lines->items = malloc((size / 2 + 1) * sizeof *lines->items);
  assert(lines->text != NULL && lines->items != NULL);
  size_t read = fread(lines->text, 1, size, file);
  lines->text[read] = 0;
  fclose(file);
  char *at = lines->text;
  while (*at != 0) {
    char *end = strchr(at, '\n');
    if (end != NULL) *end = 0;
    if (*at != 0) lines->items[lines->count++] = at;
    if (end == NULL) break;
    at = end + 1;
  }
}

/* Copies `template` with its marks filled in; returns the length. */
static size_t fill(Load *load, const char *template, uint64_t number, char *out, size_t cap) {
  size_t length = 0;
  for (const char *at = template; *at != 0 && length + 64 < cap;) {
    if (strncmp(at, "{i}", 3) == 0) {
      length += (size_t)snprintf(out + length, cap - length, "%llu", (unsigned long long)number);
      at += 3;
    } else if (strncmp(at, "{line}", 6) == 0) {
      const char *line = load->lines.items[random_next(load) % load->lines.count];
      size_t line_length = strlen(line);
      if (line_length > cap - length - 64) break;
      memcpy(out + length, line, line_length);
      length += line_length;
      at += 6;
    } else {
      out[length++] = *at++;
    }
  }
  out[length] = 0;
  return length;
}

static bool is_over(const Load *load) {
  if (load->options->requests_max > 0) return load->due >= load->options->requests_max;
  return now_ns() >= load->deadline_ns;
}

static void send_next(Load *load, Connection *connection, uint64_t due_ns) {
  const Options *options = load->options;
  uint64_t number = options->random_below > 0 ? random_next(load) % options->random_below : load->next++;
  char path[4096], body[REQUEST_BYTES_MAX / 2], request[REQUEST_BYTES_MAX];
  connection->is_write = options->write_percent > 0 && random_next(load) % 100 < options->write_percent;
  const char *body_template = connection->is_write ? options->write_body : options->body;
  fill(load, connection->is_write ? options->write_path : options->path, number, path, sizeof path);
  size_t body_length = body_template == NULL ? 0 : fill(load, body_template, number, body, sizeof body);
  int head = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s", connection->is_write ? "POST" : options->method,
                      path, options->header, options->header[0] == 0 ? "" : "\r\n");
  if (body_template != NULL) {
    head +=
        snprintf(request + head, sizeof request - (size_t)head, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body_length);
  }
  head += snprintf(request + head, sizeof request - (size_t)head, "\r\n");
  size_t length = (size_t)head;
  assert(length + body_length < sizeof request);
  if (body_length > 0) memcpy(request + length, body, body_length);
  length += body_length;
  connection->answer_length = 0;
  connection->due_ns = due_ns;
  load->due++;
  load->sent++;
  if (write(connection->fd, request, length) != (ssize_t)length) {
    perror("load: write");
    exit(3);
  }
}

/* The length of a chunked body that begins at `text`, or 0 while it isn't whole. Nothing that we measure sends trailers. */
static size_t chunked_length_of(const char *text) {
  for (const char *at = text;;) {
    char *line_end;
    size_t size = strtoull(at, &line_end, 16);
    if (line_end == at || strncmp(line_end, "\r\n", 2) != 0) return 0;
    if (strnlen(line_end, size + 4) < size + 4) return 0;
    at = line_end + 2 + size + 2;
    if (size == 0) return (size_t)(at - text);
  }
}

/* The whole length of the answer at the buffer's start, or 0 while it is not known. */
static size_t answer_length_of(const char *text) {
  const char *end = strstr(text, "\r\n\r\n");
  if (end == NULL) return 0;
  size_t head = (size_t)(end - text) + 4;
  for (const char *line = text; line < end; line = strstr(line, "\r\n") + 2) {
    if (strncasecmp(line, "content-length:", 15) == 0) return head + (size_t)strtoull(line + 15, NULL, 10);
    if (strncasecmp(line, "transfer-encoding: chunked", 26) != 0) continue;
    size_t body = chunked_length_of(text + head);
    return body == 0 ? 0 : head + body;
  }
  return head;
}

static void note_id(Load *load, const char *answer) {
  const char *id = strstr(answer, "\"id\":\"");
  if (id == NULL) return;
  id += 6;
  const char *end = strchr(id, '"');
  if (end != NULL) fprintf(load->ids, "%.*s\n", (int)(end - id), id);
}

static void take_answer(Load *load, Connection *connection) {
  int status = (int)strtol(connection->answer + 9, NULL, 10);
  load->answered++;
  load->bytes += connection->answer_length;
  if (status == load->options->refused_status) {
    load->refused++;
    return;
  }
  if (status != (connection->is_write ? 201 : load->options->status)) {
    if (load->wrong++ == 0) snprintf(load->first_wrong, sizeof load->first_wrong, "%.500s", connection->answer);
  } else if (load->ids != NULL) {
    note_id(load, connection->answer);
  }
  if (load->latency_count < LATENCIES_MAX) load->latencies_us[load->latency_count++] = (uint32_t)((now_ns() - connection->due_ns) / 1000);
}

static void receive(Load *load, Connection *connection) {
  size_t room = ANSWER_BYTES_MAX - connection->answer_length;
  ssize_t got = read(connection->fd, connection->answer + connection->answer_length, room);
  if (got <= 0) {
    if (got < 0 && errno == EAGAIN) return;
    fprintf(stderr, "load: the server closed a connection after %llu answers\n", (unsigned long long)load->answered);
    exit(3);
  }
  connection->answer_length += (size_t)got;
  connection->answer[connection->answer_length] = 0;
  size_t whole = answer_length_of(connection->answer);
  if (whole == 0 || connection->answer_length < whole) return;
  take_answer(load, connection);
  if (load->options->rate > 0)
    load->idle[load->idle_count++] = connection;
  else if (!is_over(load))
    send_next(load, connection, now_ns());
}

static int connect_to(uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror("load: connect");
    exit(3);
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static int compare_latencies(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

static uint32_t percentile(const Load *load, double part) {
  if (load->latency_count == 0) return 0;
  return load->latencies_us[(size_t)((double)(load->latency_count - 1) * part)];
}

static void report(Load *load, double seconds, uint64_t cpu_ns) {
  qsort(load->latencies_us, load->latency_count, sizeof *load->latencies_us, compare_latencies);
  printf("{\"requests\":%llu,\"refused\":%llu,\"unsent\":%llu,\"wrong\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"p50_us\":%u,\"p99_us\":%u,"
         "\"p999_us\":%u,\"cpu_ns\":%llu,\"own_cpu_ns\":%llu}\n",
         (unsigned long long)load->answered, (unsigned long long)load->refused, (unsigned long long)(load->due - load->sent),
         (unsigned long long)load->wrong, (unsigned long long)load->bytes, seconds, percentile(load, 0.5), percentile(load, 0.99),
         percentile(load, 0.999), (unsigned long long)cpu_ns, (unsigned long long)(cpu_ns_of(getpid()) - load->own_cpu_ns));
  if (load->wrong > 0) fprintf(stderr, "load: the first wrong answer:\n%s\n", load->first_wrong);
}

static void connect_all(Load *load, int epoll_fd) {
  for (size_t i = 0; i < load->options->connections; i++) {
    Connection *connection = &load->connections[i];
    connection->fd = connect_to(load->options->port);
    connection->answer = malloc(ANSWER_BYTES_MAX + 1);
    assert(connection->answer != NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
    load->idle[load->idle_count++] = connection;
  }
}

/* Sends what is due, as far as connections are free; returns the nanoseconds until the next is due. */
static uint64_t send_due(Load *load) {
  for (;;) {
    uint64_t due_ns = load->begin_ns + (uint64_t)((double)load->due * 1e9 / load->options->rate), now = now_ns();
    if (due_ns > now) return due_ns - now;
    if (is_over(load)) return (uint64_t)load->options->wait_ms * 1000000u;
    if (load->idle_count > 0)
      send_next(load, load->idle[--load->idle_count], due_ns);
    else if (load->options->give_up_ms > 0 && now - due_ns > load->options->give_up_ms * 1000000u)
      load->due++;
    else
      return (uint64_t)load->options->wait_ms * 1000000u;
  }
}

static void run(Load *load) {
  const Options *options = load->options;
  int epoll_fd = epoll_create1(0);
  connect_all(load, epoll_fd);
  uint64_t cpu_ns = options->pid == 0 ? 0 : cpu_ns_of(options->pid);
  load->own_cpu_ns = cpu_ns_of(getpid());
  load->begin_ns = now_ns();
  load->deadline_ns = load->begin_ns + (uint64_t)(options->seconds * 1e9);
  bool is_open = options->rate > 0;
  while (!is_open && load->idle_count > 0 && !is_over(load)) send_next(load, load->idle[--load->idle_count], now_ns());
  while (load->answered < load->sent || (is_open && !is_over(load))) {
    uint64_t wait_ns = is_open ? send_due(load) : (uint64_t)options->wait_ms * 1000000u;
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u), .tv_nsec = (long)(wait_ns % 1000000000u)};
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_pwait2(epoll_fd, events, EVENTS_MAX, &wait, NULL);
    if (count == 0 && wait_ns >= (uint64_t)options->wait_ms * 1000000u) {
      fprintf(stderr, "load: no answer for %d ms\n", options->wait_ms);
      exit(3);
    }
    for (int i = 0; i < count; i++) receive(load, events[i].data.ptr);
  }
  double seconds = (double)(now_ns() - load->begin_ns) / 1e9;
  report(load, seconds, options->pid == 0 ? 0 : cpu_ns_of(options->pid) - cpu_ns);
}

int main(int argc, char **argv) {
  Options options = {.connections = 64, .seconds = 1, .method = "GET", .path = "/", .header = "", .status = 200, .wait_ms = 10000};
  uint64_t seed = 88172645463325252u;
  for (int option; (option = getopt(argc, argv, "p:c:n:t:R:m:u:b:H:l:o:f:r:s:A:G:S:w:W:U:B:C:")) != -1;) {
    switch (option) {
      case 'p': options.port = (uint16_t)strtoul(optarg, NULL, 10); break;
      case 'c': options.connections = strtoul(optarg, NULL, 10); break;
      case 'n': options.requests_max = strtoull(optarg, NULL, 10); break;
      case 't': options.seconds = strtod(optarg, NULL); break;
      case 'R': options.rate = strtod(optarg, NULL); break;
      case 'm': options.method = optarg; break;
      case 'u': options.path = optarg; break;
      case 'b': options.body = optarg; break;
      case 'H': options.header = optarg; break;
      case 'l': options.lines_file = optarg; break;
      case 'o': options.ids_file = optarg; break;
      case 'f': options.first = strtoull(optarg, NULL, 10); break;
      case 'r': options.random_below = strtoull(optarg, NULL, 10); break;
      case 's': options.status = (int)strtol(optarg, NULL, 10); break;
      case 'A': options.refused_status = (int)strtol(optarg, NULL, 10); break;
      case 'G': options.give_up_ms = strtoull(optarg, NULL, 10); break;
      case 'w': options.wait_ms = 1000 * (int)strtol(optarg, NULL, 10); break;
      case 'W': options.write_percent = strtoull(optarg, NULL, 10); break;
      case 'U': options.write_path = optarg; break;
      case 'B': options.write_body = optarg; break;
      case 'C': options.pid = strtol(optarg, NULL, 10); break;
      case 'S': seed = strtoull(optarg, NULL, 10) | 1; break;
      default:
        fprintf(stderr,
                "usage: load -p PORT [-c connections] [-n requests | -t seconds] [-R requests a second] [-m method] [-u path] [-b body] "
                "[-H header] [-l "
                "file of lines]\n"
                "            [-o file for ids] [-f first {i}] [-r random {i} below] [-s expected status] [-A status of a refusal] [-G ms "
                "until what is due is given up]\n"
                "            [-S seed] [-w seconds to wait]\n"
                "            [-W percent of writes -U path -B body] [-C process whose CPU time is told]\n");
        return 2;
    }
  }
  if (options.port == 0 || options.connections == 0 || options.connections > CONNECTIONS_MAX) {
    fprintf(stderr, "load: -p PORT is needed, and 1 to %d connections\n", CONNECTIONS_MAX);
    return 2;
  }
  if (options.write_percent > 0 && (options.write_path == NULL || options.write_body == NULL)) {
    fprintf(stderr, "load: -W wants -U and -B\n");
    return 2;
  }
  static Load load;
  load.options = &options;
  load.next = options.first;
  load.random = seed;
  load.latencies_us = malloc(LATENCIES_MAX * sizeof *load.latencies_us);
  assert(load.latencies_us != NULL);
  if (options.lines_file != NULL) lines_read(&load.lines, options.lines_file);
  if (options.ids_file != NULL) load.ids = fopen(options.ids_file, "w");
  run(&load);
  if (load.ids != NULL) fclose(load.ids);
  return load.wrong > 0 ? 1 : 0;
}
