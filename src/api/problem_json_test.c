/* problem_json_test.c - documents are INTERFACE §3's example and RFC 9457's members. */
#include "api/problem_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "api/error_map.h"

static Arena *arena;

static void assert_text(Str text, const char *expected) {
  if (!str_equal(text, str_of(expected))) fail_msg("got %.*s", STR_ARGS(text));
}

static void assert_header(const HttpResponse *response, const char *name, const char *expected) {
  for (size_t i = 0; i < response->header_count; i++) {
    if (!str_equal(response->headers[i].name, str_of(name))) continue;
    assert_text(response->headers[i].value, expected);
    return;
  }
  assert_null(expected);
}

static void every_mistake_is_told_at_once(void **state) {
  (void)state;
  const Mistake mistakes[] = {{MISTAKE_RANGE, STR("/price"), STR("must be at least 0"), STR("")},
                              {MISTAKE_PATTERN, STR("/sku"), STR("is \"odd\""), STR("write A-1")}};
  Problem problem = {
      .code = CODE_VALIDATION_FAILED, .detail = STR("2 fields are not valid"), .mistakes = mistakes, .mistake_count = 2, .operation = -1};
  HttpResponse response;
  problem_respond(&problem, 0, STR("r1"), arena, &response);
  assert_int_equal(response.status, 422);
  assert_header(&response, "content-type", "application/problem+json");
  assert_text(
      response.body,
      "{\"type\":\"/problems/validation-failed\",\"title\":\"The input is not valid\",\"status\":422,\"code\":\"VALIDATION_FAILED\","
      "\"detail\":\"2 fields are not valid\",\"errors\":[{\"pointer\":\"/price\",\"code\":\"RANGE\",\"detail\":\"must be at least 0\"},"
      "{\"pointer\":\"/sku\",\"code\":\"PATTERN\",\"detail\":\"is \\\"odd\\\"\",\"hint\":\"write A-1\"}],\"requestId\":\"r1\"}");
}

static void a_refusal_names_its_rule_and_a_batch_its_operation(void **state) {
  (void)state;
  Problem problem = {.code = CODE_FORBIDDEN, .detail = STR("no"), .rule = STR("Product.update"), .hint = STR("ask staff"), .operation = 3};
  HttpResponse response;
  problem_respond(&problem, 0, STR(""), arena, &response);
  assert_int_equal(response.status, 403);
  assert_text(
      response.body,
      "{\"type\":\"/problems/forbidden\",\"title\":\"An access rule refuses this\",\"status\":403,\"code\":\"FORBIDDEN\",\"detail\":\"no\","
      "\"hint\":\"ask staff\",\"rule\":\"Product.update\",\"operation\":3}");
}

static void statuses_carry_the_headers_that_they_need(void **state) {
  (void)state;
  HttpResponse response;
  Problem problem = {.code = CODE_UNAUTHENTICATED, .detail = STR("no token"), .operation = -1};
  problem_respond(&problem, 0, STR(""), arena, &response);
  assert_header(&response, "www-authenticate", "Bearer");
  problem.challenge = STR("invalid_token");
  problem.detail = STR("it says \"no\"");
  problem_respond(&problem, 0, STR(""), arena, &response);
  assert_header(&response, "www-authenticate", "Bearer error=\"invalid_token\", error_description=\"it says 'no'\"");
  problem = (Problem){.code = CODE_METHOD_NOT_ALLOWED, .detail = STR("no"), .allow = STR("GET, HEAD"), .operation = -1};
  problem_respond(&problem, 0, STR(""), arena, &response);
  assert_header(&response, "allow", "GET, HEAD");
  problem = (Problem){.code = CODE_UNAVAILABLE, .detail = STR("no"), .retry_after_s = 7, .operation = -1};
  problem_respond(&problem, 0, STR(""), arena, &response);
  assert_header(&response, "retry-after", "7");
}

static void the_protocols_own_status_is_told(void **state) {
  (void)state;
  HttpResponse response;
  Problem problem = {.code = CODE_TOO_LARGE, .detail = STR("the head is too long"), .operation = -1};
  problem_respond(&problem, 431, STR(""), arena, &response);
  assert_int_equal(response.status, 431);
  assert_non_null(memmem(response.body.ptr, response.body.len, "\"status\":431", 12));
}

static void every_code_has_its_form(void **state) {
  (void)state;
  for (int code = CODE_BAD_REQUEST; code < CODE_COUNT; code++) {
    const ErrorForm *form = error_form((Code)code);
    assert_true(form->http_status >= 400 && form->grpc_status > 0 && form->title.len > 0);
    assert_true(str_equal(form->name, code_name((Code)code)));
    assert_ptr_equal(error_form_by_slug(str_slice(form->type, sizeof("/problems/") - 1, form->type.len)), form);
  }
  assert_null(error_form_by_slug(STR("nothing")));
}

static void without_memory_there_is_still_an_answer(void **state) {
  (void)state;
  Problem problem = {.code = CODE_NOT_FOUND, .detail = STR("no"), .operation = -1};
  for (size_t n = 1; n < 4; n++) {
    Arena *scarce = arena_create(0);
    HttpResponse response = {0};
    memory_fail_after(n);
    problem_respond(&problem, 0, STR("r"), scarce, &response);
    memory_fail_after(0);
    assert_true(response.status == 503 || response.status == 404);
    assert_true(response.body.len > 0);
    arena_destroy(scarce);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_mistake_is_told_at_once),
      cmocka_unit_test(a_refusal_names_its_rule_and_a_batch_its_operation),
      cmocka_unit_test(statuses_carry_the_headers_that_they_need),
      cmocka_unit_test(the_protocols_own_status_is_told),
      cmocka_unit_test(every_code_has_its_form),
      cmocka_unit_test(without_memory_there_is_still_an_answer),
  };
  arena = arena_create(0);
  int failed = cmocka_run_group_tests_name("problem_json", tests, NULL, NULL);
  arena_destroy(arena);
  return failed;
}
