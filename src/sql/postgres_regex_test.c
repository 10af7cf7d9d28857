#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/regex.h"
#include "sql/postgres_regex.h"

typedef struct Pair {
  const char *pattern;
  const char *expected;
} Pair;

static void assert_written(const Pair *pairs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    Arena *arena = arena_create(0);
    Regex *regex = NULL;
    Error err = {0};
    Buf out = buf_on(arena, 1 << 20);
    if (regex_compile(str_of(pairs[i].pattern), arena, &regex, &err) != CODE_OK) fail_msg("%s: %s", pairs[i].pattern, err.text);
    postgres_regex_write(&out, regex_syntax(regex));
    if (!str_equal(buf_str(&out), str_of(pairs[i].expected)))
      fail_msg("%s\n  expected %s\n  is       %.*s", pairs[i].pattern, pairs[i].expected, (int)out.len, out.ptr);
    arena_destroy(arena);
  }
}

#define ASSERT_WRITTEN(...) assert_written((const Pair[]){__VA_ARGS__}, sizeof((const Pair[]){__VA_ARGS__}) / sizeof(Pair))

/* PostgreSQL 17, §9.7.3. */
static void what_means_something_else_there_is_written_otherwise(void **state) {
  (void)state;
  ASSERT_WRITTEN({"a.b", "a[^\n]b"}, {"(?s)a.b", "a.b"}, {"\\bx\\B", "\\yx\\Y"}, {"^a$", "^a$"}, {"\\Aa\\z", "^a$"}, {"(?m)^a$", "(?w)^a$"},
                 {"^(?m:^a$)\\z", "(?w)\\A^a$\\Z"}, {"\\v\\x07", "\v\a"}, {"a\\Q*+\\E", "a\\*\\+"});
}

static void characters_that_mean_something_stand_behind_a_backslash(void **state) {
  (void)state;
  ASSERT_WRITTEN({"\\*\\*\\*:", "\\*\\*\\*\\:"}, {"{a} ]", "\\{a\\} \\]"}, {"\\$1_\\\\", "\\$1\\_\\\\"},
                 {"\u00e9\U0001F375", "\u00e9\U0001F375"}, {"[]\\[^a-]", "[\\-\\[\\]-\\^a]"}, {"[[.]", "[\\.\\[]"});
}

static void classes_are_written_out(void **state) {
  (void)state;
  ASSERT_WRITTEN({"\\d\\w\\s", "[0-9][0-9A-Z\\_a-z][\t-\n\f-\r ]"},
                 {"\\D[^\\W_]", "[\x01-\\/\\:-\\U0010ffff][^\x01-\\/\\:-\\@\\[-\\`\\{-\\U0010ffff]"}, {"[[:upper:]\\d]", "[0-9A-Z]"},
                 {"[\\x{0}-\\x{1f}]", "[\x01-\x1f]"}, {"[^\\x00]", "."}, {"[\\s\\S]", "."}, {"\\p{Zl}[\\p{Zp}a]", "[\\u2028][a\\u2029]"});
}

static void case_is_written_out(void **state) {
  (void)state;
  ASSERT_WRITTEN({"(?i)k1", "[Kk\\u212a]1"}, {"a(?i:b)c", "a[Bb]c"}, {"(?i)[^s]", "[^Ss\\u017f]"},
                 {"(?i)\U00010400", "[\\U00010400\\U00010428]"});
}

static void counts_are_of_at_most_255(void **state) {
  (void)state;
  ASSERT_WRITTEN({"a{2}b{2,}c{2,3}d*?e+f??", "a{2,2}b{2,}c{2,3}d*e+f{0,1}"}, {"(?:ab){300}", "(?:ab){255,255}(?:ab){45,45}"},
                 {"a{256,}", "a{255,255}a+"}, {"a{0,510}", "a{0,255}a{0,255}"}, {"a{300,301}", "a{255,255}a{45,46}"},
                 {"a{510}", "a{255,255}a{255,255}"}, {"a{1,300}", "a{1,255}a{0,45}"}, {"xa{0}", "x"});
}

static void groups_keep_nothing(void **state) {
  (void)state;
  ASSERT_WRITTEN({"(a)(?P<n>b)(?<m>c)", "abc"}, {"(a|)*", "(?:a|(?:))*"}, {"a|b", "(?:a|b)"}, {"(?:a*)*", "(?:a*)*"}, {"(^)*", "(?:^)*"},
                 {"", "(?:)"});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_means_something_else_there_is_written_otherwise),
      cmocka_unit_test(characters_that_mean_something_stand_behind_a_backslash),
      cmocka_unit_test(classes_are_written_out),
      cmocka_unit_test(case_is_written_out),
      cmocka_unit_test(counts_are_of_at_most_255),
      cmocka_unit_test(groups_keep_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
