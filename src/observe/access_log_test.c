/* access_log_test.c - lines as they are written, whatever a client puts into them, and a reader who does not read. */
#include "observe/access_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Pipe {
  int read_fd, write_fd;
  AccessLog *log;
  char text[8192];
} Pipe;

static Pipe open_log(AccessLogFormat format) {
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  Pipe made = {.read_fd = ends[0], .write_fd = ends[1]};
  assert_int_equal(access_log_create(made.write_fd, format, &made.log, NULL), CODE_OK);
  return made;
}

static const char *read_lines(Pipe *p) {
  ssize_t n = read(p->read_fd, p->text, sizeof p->text - 1);
  assert_true(n >= 0);
  p->text[n] = '\0';
  return p->text;
}

static void close_log(Pipe *p) {
  access_log_destroy(p->log);
  (void)close(p->read_fd);
  (void)close(p->write_fd);
}

static const AccessEntry entry = {.time_us = 1700000000000000,
                                  .duration_us = 1234,
                                  .method = STR_INIT("GET"),
                                  .target = STR_INIT("/v1/products?limit=1"),
                                  .protocol = STR_INIT("HTTP/2"),
                                  .peer = STR_INIT("127.0.0.1:5"),
                                  .request_id = STR_INIT("abc"),
                                  .caller = STR_INIT("ada"),
                                  .status = 200,
                                  .bytes_in = 10,
                                  .bytes_out = 20};

static void a_json_line_has_every_member_that_is_known(void **state) {
  (void)state;
  Pipe p = open_log(ACCESS_LOG_JSON);
  access_log_add(p.log, &entry);
  assert_false(access_log_flush(p.log, 1, true));
  assert_string_equal(read_lines(&p),
                      "{\"time\":\"2023-11-14T22:13:20.000000Z\",\"method\":\"GET\",\"target\":\"/v1/"
                      "products?limit=1\",\"protocol\":\"HTTP/2\",\"status\":200,\"durationMs\":1.234,"
                      "\"bytesIn\":10,\"bytesOut\":20,\"peer\":\"127.0.0.1:5\",\"requestId\":\"abc\",\"caller\":\"ada\"}\n");
  close_log(&p);
}

static void a_text_line_is_short(void **state) {
  (void)state;
  Pipe p = open_log(ACCESS_LOG_TEXT);
  AccessEntry refused = entry;
  refused.status = 404;
  refused.code = STR("NOT_FOUND");
  access_log_add(p.log, &refused);
  (void)access_log_flush(p.log, 1, true);
  assert_string_equal(read_lines(&p), "2023-11-14T22:13:20.000000Z 404 GET /v1/products?limit=1 1.234 ms 20 bytes NOT_FOUND by ada\n");
  close_log(&p);
}

static void a_client_can_forge_no_line(void **state) {
  (void)state;
  Pipe p = open_log(ACCESS_LOG_JSON);
  AccessEntry hostile = {.target = STR("/\"\n\x1b[31m\xff\x7f\\"), .status = 400};
  access_log_add(p.log, &hostile);
  (void)access_log_flush(p.log, 1, true);
  assert_non_null(strstr(read_lines(&p), "\"target\":\"/\\u0022\\u000a\\u001b[31m\\u00ff\\u007f\\u005c\""));
  close_log(&p);
}

static void lines_wait_for_company_but_not_long(void **state) {
  (void)state;
  Pipe p = open_log(ACCESS_LOG_TEXT);
  access_log_add(p.log, &entry);
  assert_true(access_log_flush(p.log, 1000, false));
  assert_true(access_log_flush(p.log, 1000 + ACCESS_LOG_DELAY_MS - 1, false));
  assert_false(access_log_flush(p.log, 1000 + ACCESS_LOG_DELAY_MS, false));
  assert_non_null(strstr(read_lines(&p), "GET"));
  close_log(&p);
}

static void a_reader_who_does_not_read_costs_lines_and_no_time(void **state) {
  (void)state;
  Pipe p = open_log(ACCESS_LOG_JSON);
  for (int i = 0; i < 10000; i++) {
    access_log_add(p.log, &entry);
    (void)access_log_flush(p.log, 1, true);
  }
  assert_true(access_log_dropped(p.log) > 0);
  close_log(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_json_line_has_every_member_that_is_known),
      cmocka_unit_test(a_text_line_is_short),
      cmocka_unit_test(a_client_can_forge_no_line),
      cmocka_unit_test(lines_wait_for_company_but_not_long),
      cmocka_unit_test(a_reader_who_does_not_read_costs_lines_and_no_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
