/* header_test.c - examples are RFC 9110's and RFC 7240's own where they have one. */
#include "api/header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void accept_takes_the_most_specific_range(void **state) {
  (void)state;
  /* RFC 9110 §12.5.1's table of quality values. */
  Str accept = STR("text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed;q=0.4, */*;q=0.5");
  assert_int_equal(accept_weight(accept, STR("text/html")), 300);
  assert_int_equal(accept_weight(accept, STR("image/jpeg")), 500);
  assert_int_equal(accept_weight(STR("application/json;q=0, */*"), STR("application/json")), 0);
  assert_int_equal(accept_weight(STR("text/html"), STR("application/json")), 0);
  assert_int_equal(accept_weight(STR("APPLICATION/JSON"), STR("application/json")), 1000);
  assert_int_equal(accept_weight((Str){0}, STR("application/json")), 1000);
  assert_int_equal(accept_weight(STR("application/*;q=0.001"), STR("application/json")), 1);
  assert_int_equal(accept_weight(STR("a\"/,b, application/json"), STR("application/json")), 0);
}

/* RFC 9110 §12.4.2: a range whose weight is no weight counts for nothing. */
static void a_weight_is_0_to_1_with_three_digits_behind_the_point(void **state) {
  (void)state;
  static const Str bad[] = {STR_INIT("a/b;q="),       STR_INIT("a/b;q=2"),   STR_INIT("a/b;q=.5"),  STR_INIT("a/b;q=1.001"),
                            STR_INIT("a/b;q=0.1234"), STR_INIT("a/b;q=0,5"), STR_INIT("a/b;q=0x5"), STR_INIT("a/b;q=0.5a"),
                            STR_INIT("a/b;q=-1"),     STR_INIT("a/b;q=0./")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(accept_weight(bad[i], STR("a/b")), 0);
  assert_int_equal(accept_weight(STR("a/b;q=1.000"), STR("a/b")), 1000);
  assert_int_equal(accept_weight(STR("a/b;q=0."), STR("a/b")), 0);
  assert_int_equal(accept_weight(STR("a/b;q=0.12"), STR("a/b")), 120);
}

static void a_media_type_is_split_from_its_parameters(void **state) {
  (void)state;
  Str type, parameters;
  assert_true(media_type_parse(STR("application/json; Charset=\"utf-8\""), &type, &parameters));
  assert_true(str_equal(type, STR("application/json")));
  assert_true(str_equal(media_type_parameter(parameters, STR("charset")), STR("utf-8")));
  assert_null(media_type_parameter(parameters, STR("version")).ptr);
  assert_false(media_type_parse(STR("json"), &type, &parameters));
  assert_false(media_type_parse(STR("/json"), &type, &parameters));
  assert_false(media_type_parse(STR("application/"), &type, &parameters));
}

static void entity_tags_lose_their_quotes(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Precondition condition;
  Error err;
  assert_int_equal(etag_list_parse(STR("\"xyzzy\", \"r2d2,xxxx\",, \"c3piozzzz\""), false, arena, &condition, &err), CODE_OK);
  assert_int_equal(condition.etag_count, 3);
  assert_true(str_equal(condition.etags[1], STR("r2d2,xxxx")));
  assert_true(condition.is_given);
  assert_int_equal(etag_list_parse(STR(" * "), false, arena, &condition, &err), CODE_OK);
  assert_true(condition.is_any);
  assert_int_equal(etag_list_parse(STR("\"\""), false, arena, &condition, &err), CODE_OK);
  assert_int_equal(condition.etag_count, 1);
  arena_destroy(arena);
}

static void weak_tags_never_match_strongly(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Precondition condition;
  Error err;
  assert_int_equal(etag_list_parse(STR("W/\"a\", \"b\""), false, arena, &condition, &err), CODE_OK);
  assert_int_equal(condition.etag_count, 1);
  assert_int_equal(etag_list_parse(STR("W/\"a\", \"b\""), true, arena, &condition, &err), CODE_OK);
  assert_int_equal(condition.etag_count, 2);
  assert_int_equal(etag_list_parse(STR("W/\"a\""), false, arena, &condition, &err), CODE_OK);
  assert_int_equal(condition.etag_count, 0);
  assert_true(condition.is_given);
  arena_destroy(arena);
}

static void malformed_entity_tags_are_refused(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  static const Str bad[] = {STR_INIT("abc"),     STR_INIT("\"a"),     STR_INIT("\"a\" \"b\""), STR_INIT(""),   STR_INIT(","),
                            STR_INIT("w/\"a\""), STR_INIT("\"a b\""), STR_INIT("*, \"a\""),    STR_INIT("W/"), STR_INIT("W/a")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    Precondition condition = {0};
    assert_int_equal(etag_list_parse(bad[i], true, arena, &condition, NULL), CODE_BAD_REQUEST);
    assert_false(condition.is_given);
  }
  arena_destroy(arena);
}

static void preferences_are_read_and_unknown_ones_passed_over(void **state) {
  (void)state;
  Preferences p = prefer_parse(STR("respond-async, wait=100, handling=lenient; foo=\"a,b\", return=\"minimal\", tx=rollback"));
  assert_true(p.is_lenient && p.is_minimal && p.is_dry_run);
  assert_false(p.is_strict || p.is_representation);
  /* RFC 7240 §2: of two of the same name the first holds. */
  p = prefer_parse(STR("return=representation, return=minimal"));
  assert_true(p.is_representation && !p.is_minimal);
  p = prefer_parse((Str){0});
  assert_false(p.is_minimal || p.is_lenient || p.is_dry_run);
}

static void the_first_preference_that_is_not_known_is_named(void **state) {
  (void)state;
  assert_null(prefer_parse(STR("return=minimal, handling=strict; x=1, tx=rollback")).unknown.ptr);
  assert_true(str_equal(prefer_parse(STR("return=minimal, respond-async;a=b, made-up")).unknown, STR("respond-async")));
  assert_true(str_equal(prefer_parse(STR("return=all")).unknown, STR("return=all")));
  assert_null(prefer_parse(STR(", ,")).unknown.ptr);
}

static void an_idempotency_key_is_a_string_with_or_without_quotes(void **state) {
  (void)state;
  static const struct {
    Str value, key;
  } good[] = {{STR_INIT("\"k1\""), STR_INIT("k1")},
              {STR_INIT(" 8e03978e-40d5-43dd-bc93-6894a57f9324 "), STR_INIT("8e03978e-40d5-43dd-bc93-6894a57f9324")},
              {STR_INIT("\"a b, c\"; d=1"), STR_INIT("a b, c")},
              {STR_INIT("\"a\\\"b\""), STR_INIT("a\\\"b")}};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    Str key = {0};
    assert_int_equal(idempotency_key_parse(good[i].value, &key, NULL), CODE_OK);
    assert_true(str_equal(key, good[i].key));
  }
  static const Str bad[] = {STR_INIT(""),        STR_INIT("\"\""), STR_INIT("\"a"), STR_INIT("\"a\\\""),      STR_INIT("a b"),
                            STR_INIT("\"a\" b"), STR_INIT("a, b"), STR_INIT("a;b"), STR_INIT("\"\xc3\xa4\""), STR_INIT("\"a\\")};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    Str key = {0};
    assert_int_equal(idempotency_key_parse(bad[i], &key, NULL), CODE_BAD_REQUEST);
    assert_null(key.ptr);
  }
  char longest[256];
  Str key = {0};
  memset(longest, 'k', sizeof longest);
  assert_int_equal(idempotency_key_parse((Str){longest, sizeof longest - 1}, &key, NULL), CODE_OK);
  assert_int_equal(idempotency_key_parse((Str){longest, sizeof longest}, &key, NULL), CODE_BAD_REQUEST);
}

static void entity_tags_are_bounded(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Buf list = buf_on(arena, 65536);
  Precondition condition = {0};
  for (int i = 0; i < 100; i++) buf_add(&list, STR("\"a\","));
  assert_int_equal(etag_list_parse(buf_str(&list), true, arena, &condition, NULL), CODE_OK);
  assert_int_equal(condition.etag_count, 100);
  buf_add(&list, STR("\"b\""));
  assert_int_equal(etag_list_parse(buf_str(&list), true, arena, &condition, NULL), CODE_BAD_REQUEST);
  arena_destroy(arena);
}

static void headers_sent_twice_are_joined(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  HttpHeader list[] = {{STR("accept"), STR("text/html")},
                       {STR("if-none-match"), STR("\"a\"")},
                       {STR("host"), STR("x")},
                       {STR("accept"), STR("application/json")}};
  HttpRequest request = {.headers = list, .header_count = 4};
  ApiHeaders headers;
  assert_true(api_headers_read(&request, arena, &headers));
  assert_true(str_equal(headers.accept, STR("text/html, application/json")));
  assert_true(str_equal(headers.if_none_match, STR("\"a\"")));
  assert_null(headers.prefer.ptr);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accept_takes_the_most_specific_range),
      cmocka_unit_test(a_weight_is_0_to_1_with_three_digits_behind_the_point),
      cmocka_unit_test(entity_tags_are_bounded),
      cmocka_unit_test(a_media_type_is_split_from_its_parameters),
      cmocka_unit_test(entity_tags_lose_their_quotes),
      cmocka_unit_test(weak_tags_never_match_strongly),
      cmocka_unit_test(malformed_entity_tags_are_refused),
      cmocka_unit_test(preferences_are_read_and_unknown_ones_passed_over),
      cmocka_unit_test(headers_sent_twice_are_joined),
      cmocka_unit_test(the_first_preference_that_is_not_known_is_named),
      cmocka_unit_test(an_idempotency_key_is_a_string_with_or_without_quotes),
  };
  return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
