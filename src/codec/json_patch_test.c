/* json_patch_test.c - RFC 6902's appendix A and RFC 7396's appendix A, and what they leave to good sense. */
#include "codec/json_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static Arena *arena;

static JsonValue parsed(const char *text) {
  JsonValue value;
  Error err;
  if (json_parse(str_of(text), JSON_DEPTH_DEFAULT, arena, &value, &err) != CODE_OK) fail_msg("%s: %s", text, err.text);
  return value;
}

static void assert_json(const JsonValue *value, const char *expected) {
  JsonValue wanted = parsed(expected);
  Buf out = buf_on(arena, 65536);
  json_write(&out, value);
  if (!json_equal(value, &wanted)) fail_msg("got %.*s, expected %s", STR_ARGS(buf_str(&out)), expected);
}

static void patches(const char *document, const char *patch, const char *expected) {
  JsonValue from = parsed(document), changes = parsed(patch), result;
  JsonPatchFailure failure;
  Error err = {0};
  if (json_patch_apply(&from, &changes, arena, &result, &failure, &err) != CODE_OK) fail_msg("%s: %s", patch, err.text);
  assert_json(&result, expected);
  assert_json(&from, document);
}

static JsonPatchFailure refuses(const char *document, const char *patch, Code code, size_t at) {
  JsonValue from = parsed(document), changes = parsed(patch), result = {.type = JSON_BOOL};
  JsonPatchFailure failure = {.operation = 99};
  Error err = {0};
  Code got = json_patch_apply(&from, &changes, arena, &result, &failure, &err);
  if (got != code) fail_msg("%s: code %d, %s", patch, (int)got, err.text);
  assert_int_equal(failure.operation, at);
  assert_int_equal(result.type, JSON_BOOL);
  return failure;
}

static void the_examples_of_rfc_6902_hold(void **state) {
  (void)state;
  patches("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]", "{\"baz\":\"qux\",\"foo\":\"bar\"}");
  patches("{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]", "{\"foo\":[\"bar\",\"qux\",\"baz\"]}");
  patches("{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}");
  patches("{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[\"bar\",\"baz\"]}");
  patches("{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
          "{\"baz\":\"boo\",\"foo\":\"bar\"}");
  patches("{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
          "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
          "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}");
  patches("{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}", "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
          "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}");
  patches("{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
          "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},{\"op\":\"test\",\"path\":\"/foo/1\",\"value\":2}]",
          "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}");
  refuses("{\"baz\":\"qux\"}", "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", CODE_CONFLICT, 0);
  patches("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
          "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}");
  patches("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]", "{\"foo\":\"bar\",\"baz\":\"qux\"}");
  refuses("{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", CODE_VALIDATION_FAILED, 0);
  patches("{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]", "{\"/\":9,\"~1\":10}");
  refuses("{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":\"10\"}]", CODE_CONFLICT, 0);
  patches("{\"foo\":[\"bar\"]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
          "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}");
}

static void what_is_no_patch_is_refused(void **state) {
  (void)state;
  refuses("{}", "{}", CODE_BAD_REQUEST, 0);
  refuses("{}", "[1]", CODE_BAD_REQUEST, 0);
  refuses("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"plus\",\"path\":\"/a\"}]", CODE_BAD_REQUEST, 1);
  refuses("{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\"}]", CODE_BAD_REQUEST, 0);
  refuses("{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]", CODE_BAD_REQUEST, 0);
  refuses("{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/~2\"}]", CODE_BAD_REQUEST, 0);
  refuses("{\"a\":1}", "[{\"op\":\"remove\",\"path\":7}]", CODE_BAD_REQUEST, 0);
  refuses("{\"a\":1}", "[{\"op\":\"copy\",\"path\":\"/b\"}]", CODE_BAD_REQUEST, 0);
}

static void places_that_are_not_there_are_refused(void **state) {
  (void)state;
  refuses("{\"a\":[1]}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":[1]}", "[{\"op\":\"remove\",\"path\":\"/a/1\"}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":[1]}", "[{\"op\":\"remove\",\"path\":\"/a/-\"}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":1}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/01\",\"value\":1}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/x\",\"value\":1}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/99999999999999999999\",\"value\":1}]", CODE_VALIDATION_FAILED, 0);
  refuses("{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", CODE_VALIDATION_FAILED, 0);
}

static void copies_of_copies_stay_finite(void **state) {
  (void)state;
  Buf out = buf_on(arena, 65536);
  buf_add_byte(&out, '[');
  for (int i = 0; i < 60; i++) buf_printf(&out, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/x%d\"}", i > 0 ? "," : "", i);
  buf_add(&out, STR("]"));
  buf_add_byte(&out, '\0');
  JsonValue from = parsed("{\"a\":{}}"), changes = parsed(out.ptr), result;
  JsonPatchFailure failure;
  assert_int_equal(json_patch_apply(&from, &changes, arena, &result, &failure, NULL), CODE_TOO_LARGE);
}

static void a_failure_names_the_pointer_that_failed(void **state) {
  (void)state;
  JsonPatchFailure failure = refuses("{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1},{\"op\":\"remove\",\"path\":\"/b/c\"}]",
                                     CODE_VALIDATION_FAILED, 1);
  assert_true(str_equal(failure.pointer, STR("/b/c")));
  failure = refuses("{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/x\",\"path\":\"/a\"}]", CODE_VALIDATION_FAILED, 0);
  assert_true(str_equal(failure.pointer, STR("/x")));
  failure = refuses("{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/y/z\"}]", CODE_VALIDATION_FAILED, 0);
  assert_true(str_equal(failure.pointer, STR("/y/z")));
}

static void the_examples_of_rfc_7396_hold(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
      {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
      {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
      {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
      {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
      {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
      {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
      {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
      {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
      {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
      {"{\"a\":\"foo\"}", "null", "null"},
      {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
      {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
      {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
      {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    JsonValue from = parsed(cases[i][0]), patch = parsed(cases[i][1]), result;
    assert_int_equal(json_merge_patch_apply(&from, &patch, arena, &result, NULL), CODE_OK);
    assert_json(&result, cases[i][2]);
  }
}

static void scarce_memory_is_refused_cleanly(void **state) {
  (void)state;
  JsonValue from = parsed("{\"a\":{\"b\":[1,2]},\"c~d\":1}");
  JsonValue patch = parsed("[{\"op\":\"add\",\"path\":\"/a/b/0\",\"value\":3},{\"op\":\"move\",\"from\":\"/c~0d\",\"path\":\"/a/x\"}]");
  Code code = CODE_UNAVAILABLE;
  for (size_t n = 1; code != CODE_OK && n < 100; n++) {
    Arena *scarce = arena_create(0);
    JsonValue result;
    JsonPatchFailure failure;
    memory_fail_after(n);
    code = scarce == NULL ? CODE_UNAVAILABLE : json_patch_apply(&from, &patch, scarce, &result, &failure, NULL);
    memory_fail_after(0);
    assert_true(code == CODE_OK || code == CODE_UNAVAILABLE);
    arena_destroy(scarce);
  }
  assert_int_equal(code, CODE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_examples_of_rfc_6902_hold),           cmocka_unit_test(what_is_no_patch_is_refused),
      cmocka_unit_test(places_that_are_not_there_are_refused),   cmocka_unit_test(copies_of_copies_stay_finite),
      cmocka_unit_test(a_failure_names_the_pointer_that_failed), cmocka_unit_test(the_examples_of_rfc_7396_hold),
      cmocka_unit_test(scarce_memory_is_refused_cleanly),
  };
  arena = arena_create(0);
  int failed = cmocka_run_group_tests_name("json_patch", tests, NULL, NULL);
  arena_destroy(arena);
  return failed;
}
