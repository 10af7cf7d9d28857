/* cors_test.c - the Fetch standard's CORS protocol, as far as a server with tokens and no cookies takes part in it. */
#include "server/cors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const Str origins[] = {STR_INIT("https://a.example"), STR_INIT("http://localhost:3000")};
static const OptionList named = {origins, 2};

static Str header_of(const HttpHeader *headers, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (str_equal(headers[i].name, str_of(name))) return headers[i].value;
  return (Str){NULL, 0};
}

static void nothing_is_said_where_it_is_off(void **state) {
  (void)state;
  HttpHeader headers[CORS_HEADERS_MAX];
  assert_int_equal(cors_headers((OptionList){NULL, 0}, STR("https://a.example"), headers), 0);
}

static void an_origin_that_is_named_may_read(void **state) {
  (void)state;
  HttpHeader headers[CORS_HEADERS_MAX];
  size_t count = cors_headers(named, STR("http://localhost:3000"), headers);
  assert_true(str_equal(header_of(headers, count, "access-control-allow-origin"), STR("http://localhost:3000")));
  assert_true(str_equal(header_of(headers, count, "vary"), STR("Origin")));
  assert_true(str_contains(header_of(headers, count, "access-control-expose-headers"), STR("ETag")));
  assert_true(str_contains(header_of(headers, count, "access-control-expose-headers"), STR("Preference-Applied")));
  assert_null(header_of(headers, count, "access-control-allow-credentials").ptr);
}

static void an_origin_that_only_looks_alike_may_not(void **state) {
  (void)state;
  static const char *const others[] = {"https://a.example.evil", "http://a.example", "https://a.example:443", "https://A.example", "null"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    HttpHeader headers[CORS_HEADERS_MAX];
    size_t count = cors_headers(named, str_of(others[i]), headers);
    assert_null(header_of(headers, count, "access-control-allow-origin").ptr);
    assert_true(str_equal(header_of(headers, count, "vary"), STR("Origin")));
  }
}

static void what_no_browser_sends_is_told_from_origins(void **state) {
  (void)state;
  static const char *const sound[] = {"*",      "https://a.example", "http://localhost:3000", "http://[::1]:8080", "http://a.example:443",
                                      "app://-"};
  static const char *const unsound[] = {"",
                                        "foo",
                                        "https://",
                                        "https://a.example/",
                                        "https://A.example",
                                        "://a",
                                        "a.example:80",
                                        "http://a.example:80",
                                        "https://a.example:443",
                                        "https://a, https://b"};
  for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++) assert_true(cors_origin_is_sound(str_of(sound[i])));
  for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++) assert_false(cors_origin_is_sound(str_of(unsound[i])));
}

static void a_star_answers_everybody_alike(void **state) {
  (void)state;
  static const Str star[] = {STR_INIT("*")};
  HttpHeader headers[CORS_HEADERS_MAX];
  size_t count = cors_headers((OptionList){star, 1}, STR("https://who.example"), headers);
  assert_true(str_equal(header_of(headers, count, "access-control-allow-origin"), STR("*")));
  assert_null(header_of(headers, count, "vary").ptr);
}

static void a_preflight_is_an_options_request_that_names_a_method(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  static const HttpHeader asked[] = {{STR_INIT("access-control-request-method"), STR_INIT("PATCH")},
                                     {STR_INIT("access-control-request-headers"), STR_INIT("authorization,if-match")}};
  HttpRequest request = {.method = HTTP_OPTIONS, .headers = asked, .header_count = 2};
  HttpResponse response;
  assert_true(cors_preflight(named, &request, origins[0], arena, &response));
  assert_int_equal(response.status, 204);
  assert_true(str_contains(header_of(response.headers, response.header_count, "access-control-allow-methods"), STR("PATCH")));
  assert_true(str_equal(header_of(response.headers, response.header_count, "access-control-allow-headers"), STR("authorization,if-match")));
  assert_false(cors_preflight(named, &request, STR("https://evil.example"), arena, &response));
  assert_false(cors_preflight(named, &request, (Str){NULL, 0}, arena, &response));
  request.header_count = 0;
  assert_false(cors_preflight(named, &request, origins[0], arena, &response));
  request = (HttpRequest){.method = HTTP_GET, .headers = asked, .header_count = 2};
  assert_false(cors_preflight(named, &request, origins[0], arena, &response));
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_said_where_it_is_off),         cmocka_unit_test(an_origin_that_is_named_may_read),
      cmocka_unit_test(an_origin_that_only_looks_alike_may_not), cmocka_unit_test(what_no_browser_sends_is_told_from_origins),
      cmocka_unit_test(a_star_answers_everybody_alike),          cmocka_unit_test(a_preflight_is_an_options_request_that_names_a_method),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
