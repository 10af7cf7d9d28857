/* trace_test.c - W3C Trace Context's examples, and ids of our own. */
#include "server/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void a_well_formed_traceparent_is_kept(void **state) {
  (void)state;
  Str given = STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  TraceSource source;
  assert_true(trace_source_init(&source));
  Trace trace;
  trace_init(&trace, &source, STR("my-id"), given);
  assert_memory_equal(trace.traceparent, given.ptr, TRACEPARENT_LEN);
  assert_true(str_equal(trace_id(&trace), STR("4bf92f3577b34da6a3ce929d0e0e4736")));
  assert_true(str_equal(trace.request_id, STR("my-id")));
}

static void what_is_malformed_is_made_anew(void **state) {
  (void)state;
  assert_false(traceparent_is_valid(STR("")));
  assert_false(traceparent_is_valid(STR("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")));
  assert_false(traceparent_is_valid(STR("00-00000000000000000000000000000000-00f067aa0ba902b7-01")));
  assert_false(traceparent_is_valid(STR("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")));
  assert_false(traceparent_is_valid(STR("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")));
  assert_false(traceparent_is_valid(STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")));
  assert_true(traceparent_is_valid(STR("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes")));
  TraceSource source;
  assert_true(trace_source_init(&source));
  Trace a, b;
  trace_init(&a, &source, STR("has space"), STR("00-x"));
  trace_init(&b, &source, (Str){NULL, 0}, (Str){NULL, 0});
  assert_true(traceparent_is_valid((Str){a.traceparent, TRACEPARENT_LEN}));
  assert_true(traceparent_is_valid((Str){b.traceparent, TRACEPARENT_LEN}));
  assert_true(str_equal(a.request_id, trace_id(&a)));
  assert_false(str_equal(a.request_id, b.request_id));
}

static void a_request_id_is_visible_ascii(void **state) {
  (void)state;
  assert_true(request_id_is_valid(STR("7b9e-42:x/y")));
  assert_false(request_id_is_valid(STR("a b")));
  assert_false(request_id_is_valid(STR("a\nb")));
  assert_false(request_id_is_valid(STR("\xc3\xa9")));
  char long_id[REQUEST_ID_LEN_MAX + 1];
  memset(long_id, 'a', sizeof long_id);
  assert_true(request_id_is_valid((Str){long_id, REQUEST_ID_LEN_MAX}));
  assert_false(request_id_is_valid((Str){long_id, REQUEST_ID_LEN_MAX + 1}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_well_formed_traceparent_is_kept),
      cmocka_unit_test(what_is_malformed_is_made_anew),
      cmocka_unit_test(a_request_id_is_visible_ascii),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
