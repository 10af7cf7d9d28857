/* listener_test.c */
#include "io/listener.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

enum { CLIENTS = 3 };

typedef struct Guests {
  Loop *loop;
  size_t count, expected;
  bool is_next_lost; /* there is no memory for the one behind the first */
  Stream *streams[CLIENTS];
} Guests;

static void on_closed(void *context) { (void)context; }
static const StreamEvents events = {.closed = on_closed};

static void on_accept(void *context, Stream *stream, Str peer) {
  Guests *guests = context;
  assert_true(peer.len > 0);
  stream->events = &events;
  stream->context = guests;
  guests->streams[guests->count++] = stream;
  if (guests->is_next_lost) memory_fail_after(1);
  guests->is_next_lost = false;
  if (guests->count == guests->expected) loop_stop(guests->loop);
}

static int connect_to(const Listener *listener) {
  Str address = listener_address(listener);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const char *colon = memrchr(address.ptr, ':', address.len);
  to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

static Listener *listen_on(Loop *loop, Guests *guests) {
  Listener *listener = NULL;
  Error err = {0};
  assert_int_equal(listener_open(loop, STR("127.0.0.1:0"), on_accept, guests, &listener, &err), CODE_OK);
  return listener;
}

/* The first is closed for lack of memory, the second is taken, the third has to wait until the first is gone. */
static void lacking_memory_costs_one_connection_and_not_those_behind_it(void **state) {
  (void)state;
  Loop *loop;
  Error err;
  char byte;
  int fds[CLIENTS];
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  Guests guests = {.loop = loop, .expected = CLIENTS - 1, .is_next_lost = true};
  Listener *listener = listen_on(loop, &guests);
  for (size_t i = 0; i < CLIENTS; i++) fds[i] = connect_to(listener);
  memory_fail_after(1);
  loop_run(loop);
  memory_fail_after(0);
  assert_int_equal(guests.count, CLIENTS - 1);
  assert_int_equal(read(fds[0], &byte, 1), 0);
  for (size_t i = 0; i < guests.count; i++) stream_close(guests.streams[i]);
  listener_close(listener);
  loop_destroy(loop);
  for (size_t i = 0; i < CLIENTS; i++) close(fds[i]);
}

static void stop_soon(void *context) { loop_stop(context); }

/* Closed while a connection that was refused is still being closed: whose memory is it? */
static void a_listener_may_be_closed_while_it_refuses(void **state) {
  (void)state;
  Loop *loop;
  Error err;
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  Guests guests = {.loop = loop, .expected = 1};
  Listener *listener = listen_on(loop, &guests);
  int fds[] = {connect_to(listener), connect_to(listener)};
  memory_fail_after(1);
  loop_run(loop);
  memory_fail_after(0);
  listener_close(listener);
  stream_close(guests.streams[0]);
  LoopMessage message = {.run = stop_soon, .context = loop};
  loop_post(loop, &message);
  loop_run(loop);
  loop_destroy(loop);
  close(fds[0]);
  close(fds[1]);
}

static void check_refused(Loop *loop, const char *address, Code expected) {
  Listener *listener = NULL;
  Error err = {0};
  assert_int_equal(listener_open(loop, str_of(address), on_accept, NULL, &listener, &err), expected);
  assert_null(listener);
}

static void what_is_no_address_is_refused(void **state) {
  (void)state;
  static const char *const wrong[] = {"",
                                      "8080",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "[::1:8080",
                                      "300.0.0.1:0",
                                      "shop.example:8080",
                                      "unix:",
                                      "[::1]x:80",
                                      "01234567890123456789012345678901234567890123456789012345678901234567890:80"};
  Loop *loop;
  Error err;
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) check_refused(loop, wrong[i], CODE_BAD_REQUEST);
  char longest[200] = "unix:/tmp/";
  memset(longest + 10, 'a', 150);
  check_refused(loop, longest, CODE_BAD_REQUEST);
  check_refused(loop, "unix:/no/such/folder/socket", CODE_UNAVAILABLE);
  check_refused(loop, "192.0.2.1:0", CODE_UNAVAILABLE); /* TEST-NET-1: of no machine */
  loop_destroy(loop);
}

/* A file that is no socket is not replaced, and neither is a socket of another process. */
static void a_file_in_the_way_is_left_alone(void **state) {
  (void)state;
  Loop *loop;
  Error err;
  char path[] = "/tmp/caisson-listener-XXXXXX", address[64];
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  (void)snprintf(address, sizeof address, "unix:%s", path);
  check_refused(loop, address, CODE_UNAVAILABLE);
  assert_int_equal(access(path, F_OK), 0);
  loop_destroy(loop);
  close(fd);
  unlink(path);
}

/* What a server that was killed has left behind. */
static void a_socket_that_nobody_serves_is_replaced(void **state) {
  (void)state;
  Loop *loop;
  Error err;
  char folder[] = "/tmp/caisson-listener-XXXXXX", address[64];
  assert_non_null(mkdtemp(folder));
  (void)snprintf(address, sizeof address, "unix:%s/s", folder);
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  for (size_t i = 0; i < 2; i++) {
    Listener *listener = NULL, *second = (Listener *)address;
    assert_int_equal(listener_open(loop, str_of(address), on_accept, NULL, &listener, &err), CODE_OK);
    assert_true(str_equal(listener_address(listener), str_of(address)));
    /* The process's own: one listener is enough. */
    assert_int_equal(listener_open(loop, str_of(address), on_accept, NULL, &second, &err), CODE_OK);
    assert_null(second);
    listener_close(listener);
    loop_destroy(loop);
    assert_int_equal(loop_create(&loop, &err), CODE_OK);
  }
  loop_destroy(loop);
  (void)unlink(address + 5);
  assert_int_equal(rmdir(folder), 0);
}

static void an_address_that_is_taken_is_known_before(void **state) {
  (void)state;
  Loop *loop;
  Error err;
  assert_int_equal(loop_create(&loop, &err), CODE_OK);
  Guests guests = {.loop = loop};
  Listener *listener = listen_on(loop, &guests);
  assert_int_equal(listener_check_free(listener_address(listener), &err), CODE_UNAVAILABLE);
  assert_int_equal(listener_check_free(STR("127.0.0.1:0"), &err), CODE_OK);
  assert_int_equal(listener_check_free(STR("nonsense"), &err), CODE_OK);
  listener_close(listener);
  loop_destroy(loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lacking_memory_costs_one_connection_and_not_those_behind_it),
      cmocka_unit_test(a_listener_may_be_closed_while_it_refuses),
      cmocka_unit_test(what_is_no_address_is_refused),
      cmocka_unit_test(a_file_in_the_way_is_left_alone),
      cmocka_unit_test(a_socket_that_nobody_serves_is_replaced),
      cmocka_unit_test(an_address_that_is_taken_is_known_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
