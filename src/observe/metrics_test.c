/* metrics_test.c - the text that Prometheus reads, summed over loops. */
#include "observe/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const Str routes[] = {STR_INIT("other"), STR_INIT("/v1/products/{id}")};
static const Str methods[] = {STR_INIT("GET"), STR_INIT("POST")};

static void requests_of_all_loops_are_summed(void **state) {
  (void)state;
  RequestMetrics *loops[2];
  for (int i = 0; i < 2; i++) assert_int_equal(request_metrics_create(2, 2, &loops[i], NULL), CODE_OK);
  request_metrics_count(loops[0], 1, 0, 200, 90);
  request_metrics_count(loops[1], 1, 0, 200, 100);
  request_metrics_count(loops[1], 1, 0, 404, 2000000);
  request_metrics_count(loops[1], 0, 1, 299, 0);
  request_metrics_count(loops[1], 9, 0, 200, 1); /* no such route: not counted */
  Buf out = buf_on_heap(65536);
  request_metrics_write(&out, loops, 2, routes, methods);
  buf_add_byte(&out, '\0');
  assert_non_null(strstr(out.ptr, "caisson_http_requests_total{method=\"GET\",route=\"/v1/products/{id}\",status=\"200\"} 2\n"));
  assert_non_null(strstr(out.ptr, "caisson_http_requests_total{method=\"GET\",route=\"/v1/products/{id}\",status=\"404\"} 1\n"));
  assert_non_null(strstr(out.ptr, "caisson_http_requests_total{method=\"POST\",route=\"other\",status=\"other\"} 1\n"));
  assert_non_null(strstr(out.ptr, "_bucket{route=\"/v1/products/{id}\",le=\"0.0001\"} 2\n"));
  assert_non_null(strstr(out.ptr, "_bucket{route=\"/v1/products/{id}\",le=\"1\"} 2\n"));
  assert_non_null(strstr(out.ptr, "_bucket{route=\"/v1/products/{id}\",le=\"+Inf\"} 3\n"));
  assert_non_null(strstr(out.ptr, "_sum{route=\"/v1/products/{id}\"} 2.000190\n"));
  assert_non_null(strstr(out.ptr, "_count{route=\"/v1/products/{id}\"} 3\n"));
  buf_done(&out);
  for (int i = 0; i < 2; i++) request_metrics_destroy(loops[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(requests_of_all_loops_are_summed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
