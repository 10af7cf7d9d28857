/* compress_test.c - Accept-Encoding by RFC 9110 §12.5.3, and what a coded answer says of itself. */
#include "server/compress.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "codec/gzip.h"

static void the_best_coding_by_weight_is_chosen(void **state) {
  (void)state;
  static const struct {
    const char *header;
    Coding expected;
  } cases[] = {
      {"gzip", CODING_GZIP},
      /* Of equals ours: zstd, br, gzip. */
      {"gzip, deflate, br, zstd", CODING_ZSTD},
      {"gzip, deflate, br", CODING_BROTLI},
      {"zstd;q=0.9, gzip", CODING_GZIP},
      {"br;q=0.5, gzip;q=0.8", CODING_GZIP},
      {"gzip;q=0", CODING_IDENTITY},
      {"*", CODING_ZSTD},
      {"zstd;q=0, *", CODING_BROTLI},
      {"br;q=0, zstd;q=0, *", CODING_GZIP},
      {"*;q=0", CODING_IDENTITY},
      {"identity", CODING_IDENTITY},
      {"identity;q=1, gzip;q=0.5", CODING_IDENTITY},
      {"identity;q=0, gzip;q=0.001", CODING_GZIP},
      {"deflate, compress", CODING_IDENTITY},
      {"GZIP ; Q=1.000", CODING_GZIP},
      {"x-gzip", CODING_GZIP},
      {", ,gzip,", CODING_GZIP},
      {"", CODING_IDENTITY},
      /* What is no weight wants nothing. */
      {"gzip;q=2", CODING_IDENTITY},
      {"gzip;q=1.001", CODING_IDENTITY},
      {"gzip;q=-1", CODING_IDENTITY},
      {"gzip;q=0.0001", CODING_IDENTITY},
      {"gzip;q=", CODING_IDENTITY},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    HttpHeader header = {STR("accept-encoding"), str_of(cases[i].header)};
    Coding chosen = compress_choose(&(HttpRequest){.headers = &header, .header_count = 1});
    if (chosen != cases[i].expected) fail_msg("\"%s\": %d", cases[i].header, (int)chosen);
  }
  assert_int_equal(compress_choose(&(HttpRequest){.header_count = 0}), CODING_IDENTITY);
  HttpHeader lines[] = {{STR("accept-encoding"), STR("gzip")}, {STR("accept"), STR("br")}, {STR("accept-encoding"), STR("br;q=0.5")}};
  assert_int_equal(compress_choose(&(HttpRequest){.headers = lines, .header_count = 3}), CODING_GZIP);
}

/* ---- Answers ---- */

enum { BYTES = 2000 };

typedef struct Given {
  Arena *arena;
  HttpHeader sent[2];
  HttpRequest request;
  HttpHeader headers[8];
  size_t count;
  HttpResponse response;
} Given;

static void given_body(Given *given, const char *accept, const char *type) {
  char *body = arena_alloc(given->arena, BYTES);
  memset(body, 'a', BYTES);
  given->sent[0] = (HttpHeader){STR("accept-encoding"), str_of(accept)};
  given->request = (HttpRequest){.headers = given->sent, .header_count = accept == NULL ? 0 : 1};
  given->headers[0] = (HttpHeader){STR("content-type"), str_of(type)};
  given->headers[1] = (HttpHeader){STR("etag"), STR("\"abc\"")};
  given->count = 2;
  given->response = (HttpResponse){.status = 200, .body = {body, BYTES}};
}

static Str answered(const Given *given, const char *name) {
  for (size_t i = 0; i < given->count; i++)
    if (str_equal(given->headers[i].name, str_of(name))) return given->headers[i].value;
  return (Str){NULL, 0};
}

static void run(Given *given, uint64_t bytes_min) {
  given->count = compress_answer(bytes_min, &given->request, given->arena, &given->response, given->headers, given->count);
}

static void a_coded_answer_has_a_tag_of_its_own(void **state) {
  Given *given = *state;
  given_body(given, "gzip", "application/json");
  Str plain = given->response.body;
  run(given, 1024);
  assert_true(str_equal(answered(given, "content-encoding"), STR("gzip")));
  assert_true(str_equal(answered(given, "vary"), STR("Accept-Encoding")));
  assert_true(str_equal(answered(given, "etag"), STR("\"abc-gzip\"")));
  Buf back = buf_on(given->arena, BYTES);
  assert_int_equal(gzip_decompress(given->response.body, &back, NULL), CODE_OK);
  assert_true(str_equal(buf_str(&back), plain));
  assert_true(given->response.body.len < BYTES);
}

static void who_asks_for_nothing_is_told_that_others_get_another_form(void **state) {
  Given *given = *state;
  given_body(given, NULL, "application/json");
  run(given, 1024);
  assert_null(answered(given, "content-encoding").ptr);
  assert_true(str_equal(answered(given, "vary"), STR("Accept-Encoding")));
  assert_true(str_equal(answered(given, "etag"), STR("\"abc\"")));
  assert_int_equal(given->response.body.len, BYTES);
}

static void small_answers_and_what_is_dense_already_stay(void **state) {
  Given *given = *state;
  static const struct {
    uint64_t bytes_min;
    const char *type;
  } cases[] = {{BYTES + 1, "application/json"}, {0, "application/json"}, {1, "image/png"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    given_body(given, "gzip", cases[i].type);
    run(given, cases[i].bytes_min);
    assert_int_equal(given->count, 2);
    assert_int_equal(given->response.body.len, BYTES);
  }
  given_body(given, "gzip", "text/html");
  given->headers[given->count++] = (HttpHeader){STR("content-encoding"), STR("gzip")};
  run(given, 1);
  assert_int_equal(given->count, 3);
  assert_int_equal(given->response.body.len, BYTES);
}

static void what_gets_no_smaller_stays(void **state) {
  Given *given = *state;
  given_body(given, "gzip", "text/plain");
  given->response.body = STR("abcd");
  run(given, 1);
  assert_null(answered(given, "content-encoding").ptr);
  assert_true(str_equal(given->response.body, STR("abcd")));
}

static void a_304_names_the_tag_that_the_client_holds(void **state) {
  Given *given = *state;
  static const char *const cases[][2] = {
      {"\"abc-br\"", "\"abc-br\""}, {"\"x\", \"abc-gzip\"", "\"abc-gzip\""}, {"\"abc\"", "\"abc\""}, {"*", "\"abc\""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    given_body(given, "gzip, br", "application/json");
    given->sent[1] = (HttpHeader){STR("if-none-match"), str_of(cases[i][0])};
    given->request.header_count = 2;
    given->response = (HttpResponse){.status = 304};
    run(given, 1024);
    assert_true(str_equal(answered(given, "etag"), str_of(cases[i][1])));
    assert_true(str_equal(answered(given, "vary"), STR("Accept-Encoding")));
  }
}

static int set_up(void **state) {
  static Given given;
  given = (Given){.arena = arena_create(0)};
  *state = &given;
  return given.arena == NULL ? -1 : 0;
}

static int tear_down(void **state) {
  Given *given = *state;
  arena_destroy(given->arena);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_best_coding_by_weight_is_chosen),
      cmocka_unit_test(a_coded_answer_has_a_tag_of_its_own),
      cmocka_unit_test(who_asks_for_nothing_is_told_that_others_get_another_form),
      cmocka_unit_test(small_answers_and_what_is_dense_already_stay),
      cmocka_unit_test(what_gets_no_smaller_stays),
      cmocka_unit_test(a_304_names_the_tag_that_the_client_holds),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
