#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "contract/regex.h"

static bool matches(const char *pattern, const char *subject) {
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  assert_int_equal(regex_compile(str_of(pattern), arena, &regex, &err), CODE_OK);
  bool is_match = false;
  assert_true(regex_matches(regex, str_of(subject), &is_match));
  arena_destroy(arena);
  return is_match;
}

static void a_pattern_is_searched_for_anywhere(void **state) {
  (void)state;
  assert_true(matches("b+", "abbc"));
  assert_false(matches("^b+$", "abbc"));
  assert_true(matches("^[A-Z0-9-]{3,32}$", "TEA-1"));
  assert_true(matches("", ""));
  assert_true(matches("", "x"));
}

static void a_dot_is_a_character_and_not_a_byte(void **state) {
  (void)state;
  assert_true(matches("^.$", "\xf0\x9f\xab\x96"));
  assert_true(matches("^\\x{1FAD6}$", "\xf0\x9f\xab\x96"));
}

static void the_end_is_the_very_end(void **state) {
  (void)state;
  assert_false(matches("^a$", "a\n"));
}

static void shorthands_and_posix_classes_are_of_ascii(void **state) {
  (void)state;
  assert_true(matches("^\\w\\d\\s$", "_7\f"));
  assert_false(matches("\\w|\\d", "\u00e9\u0663")); /* e with an accent, an Arabic three */
  assert_false(matches("\\s", "\v\u00a0"));         /* as RE2 has it, a vertical tab is none */
  assert_true(matches("^[[:space:]]\\v[[:^space:]]$", "\v\vx"));
  assert_true(matches("^[^\\W\\d]+$", "ab_"));
  assert_true(matches("\\bx\\b", "\u00e9x\u00e9"));
}

static void categories_are_unicodes(void **state) {
  (void)state;
  assert_true(matches("^\\p{Lu}\\p{Ll}\\pN\\p{So}$", "\u00c9\u00df\u0663\U0001F375"));
  assert_true(matches("^\\P{L}[^\\p{L}\\d]\\p{^Lu}[\\pL-]$", "1.a-"));
  assert_false(matches("\\p{Cn}", "a"));
  assert_true(matches("\\p{Cn}", "\u0378"));
}

static void case_is_unicodes_where_it_is_ignored(void **state) {
  (void)state;
  assert_true(matches("(?i)^STRA\\x{1E9E}E$", "stra\u00dfe"));
  assert_true(matches("(?i)^[k-l]$", "\u212a")); /* the sign of Kelvin */
  assert_false(matches("(?i)[^k]", "\u212a"));
  assert_false(matches("(?i)\\W", "\u017f")); /* a long s */
  assert_true(matches("(?i)^\\p{Lu}$", "\u00e9"));
  assert_false(matches("(?i)\\P{Lu}", "\u00e9"));
  assert_true(matches("(?i)a(?-i)b|C", "aC"));
  assert_false(matches("(?:(?i)a)b", "aB"));
  assert_false(matches("a(?i)b", "AB"));
}

static void lines_are_told_by_flags(void **state) {
  (void)state;
  assert_false(matches("a.b", "a\nb"));
  assert_true(matches("(?s)a.b", "a\nb"));
  assert_false(matches("^b", "a\nb"));
  assert_true(matches("(?m)^b$", "a\nb\nc"));
  assert_true(matches("(?m)a\\n^$", "a\n")); /* behind the last \n is a line, too */
  assert_false(matches("(?m)\\Ab|a\\z", "a\nb"));
  assert_true(matches("a.b", "a\rb"));
}

static void what_is_read_and_forgotten(void **state) {
  (void)state;
  assert_true(matches("^(?P<a>x)(?<b>y)(?U)z+?$", "xyzz"));
  assert_true(matches("^\\Qa.b|\\E+$", "a.b||"));
  assert_true(matches("^\\Q\\E$", ""));
  assert_true(matches("^[]a-]{2}$", "]-"));
  assert_true(matches("^[[.]x{a}]$", "[x{a}]"));
  assert_true(matches("^(?:){300}(?:|a{0}){300}$", ""));
}

/* The rules of repetition and of what is optional refuse nothing that people write. */
static void common_patterns_are_accepted(void **state) {
  (void)state;
  assert_true(
      matches("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}"
              "[a-zA-Z0-9])?)*$",
              "ann.lee@mail.example.org"));
  assert_true(matches("^(?:0|[1-9]\\d*)(?:\\.(?:0|[1-9]\\d*)){2}(?:-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$", "1.20.3-rc.1"));
  assert_true(matches("^(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.|$)){4}$", "192.168.0.1"));
  assert_true(matches("^[\\p{L}\\p{M}' -]{1,1000}$", "Zo\u00eb O'Neil"));
  assert_true(matches("^(?:\\w+\\s*){1,300}$", "to be or not to be"));
  assert_true(matches("(?i)(^|\\W)+foo(\\W|$)+", "a Foo."));
  assert_true(matches("^(?:[a-z]{1,20}\\s?){1,50}$", "some words"));
}

typedef struct Refusal {
  const char *pattern;
  const char *message; /* behind "the regular expression is malformed at byte " */
} Refusal;

static const Refusal refusals[] = {
    {"a(b", "3: missing closing parenthesis"},
    {"a)b", "1: unmatched closing parenthesis"},
    {"a[b", "1: the class has no closing bracket"},
    {"[]", "0: the class has no closing bracket"},
    {"a\\", "1: nothing stands behind the backslash"},
    {"a(?=b)", "1: look-ahead is not supported"},
    {"a(?!b)", "1: look-ahead is not supported"},
    {"(?<=a)b", "0: look-behind is not supported"},
    {"(?<!a)b", "0: look-behind is not supported"},
    {"(?>a)", "0: atomic groups are not supported"},
    {"(?|a|b)", "0: branch reset is not supported"},
    {"(?#a)", "0: comments are not supported"},
    {"(?(1)a)", "0: conditions are not supported"},
    {"x(?R)", "1: recursion is not supported"},
    {"(a)(?1)", "3: recursion is not supported"},
    {"(a)(?-1)", "3: recursion is not supported"},
    {"(?P<n>a)(?P>n)", "8: recursion is not supported"},
    {"(?P<n>a)(?P=n)", "8: back-references are not supported"},
    {"(?C1)", "0: callouts are not supported"},
    {"(*LIMIT_MATCH=1)a", "0: verbs (*\u2026) are not supported"},
    {"(?x)a b", "0: the flag x is not supported"},
    {"(?iy)a", "0: there is no such flag"},
    {"(?)", "0: there is no such group"},
    {"(?i-)a", "0: there is no such group"},
    {"(?'n'a)", "0: there is no such group"},
    {"(?<1>a)", "0: the group's name is malformed"},
    {"(?P<a", "0: the group's name is malformed"},
    {"(a)\\1", "3: back-references are not supported"},
    {"\\k<n>", "0: back-references are not supported"},
    {"\\g1", "0: back-references are not supported"},
    {"\\0", "0: octal escapes are not supported; write \\x"},
    {"a\\Z", "1: \\Z is not supported; write \\z"},
    {"[\\b]", "1: \\b is no character; write \\x08"},
    {"\\u00e9", "0: \\u is not supported; write \\x{\u2026}"},
    {"\\C", "0: \\C is not supported"},
    {"\\X", "0: \\X is not supported"},
    {"\\R", "0: \\R is not supported"},
    {"\\h", "0: \\h is not supported"},
    {"\\K", "0: \\K is not supported"},
    {"\\G", "0: \\G is not supported"},
    {"[\\Qa\\E]", "1: \\Q is not supported"},
    {"\\\u00e9", "0: \\\u00e9 is not supported"},
    {"\\xg", "0: \\x has two hexadecimal digits, or some in braces"},
    {"\\x{}", "0: \\x has two hexadecimal digits, or some in braces"},
    {"\\x{110000}", "0: there is no such character"},
    {"\\x{d800}", "0: there is no such character"},
    {"a\\x00", "1: no text has NUL"},
    {"[\\x00]", "0: no character is in the class"},
    {"a[^\\x00-\\x{10ffff}]", "1: no character is in the class"},
    {"[^\\s\\S]", "0: no character is in the class"},
    {"\\p{Greek}", "0: there is no general category \"Greek\"; scripts are not supported"},
    {"\\p{L", "0: the property has no closing brace"},
    {"\\pX", "0: there is no general category \"X\"; scripts are not supported"},
    {"[[:alfa:]]", "1: there is no such class of POSIX's"},
    {"[z-a]", "1: the range is out of order"},
    {"[a-\\d]", "3: a range ends with a character"},
    {"[a-[:digit:]]", "3: a range ends with a character"},
    {"*a", "0: there is nothing to repeat"},
    {"(?i)*", "4: there is nothing to repeat"},
    {"a|*", "2: there is nothing to repeat"},
    {"a**", "2: there is nothing to repeat"},
    {"a{2}{3}", "4: there is nothing to repeat"},
    {"a*+", "1: possessive quantifiers are not supported"},
    {"a{2}+", "1: possessive quantifiers are not supported"},
    {"a^*", "2: an anchor can't be repeated"},
    {"\\b+", "2: an anchor can't be repeated"},
    {"a{,3}", "1: a count is {n}, {n,} or {n,m}; as a character write \\{"},
    {"a{1, 3}", "1: a count is {n}, {n,} or {n,m}; as a character write \\{"},
    {"a{01}", "1: a count is {n}, {n,} or {n,m}; as a character write \\{"},
    {"a{3,2}", "1: the counts are out of order"},
    {"a{1001}", "1: a count is at most 1000"},
    {"a{1,1001}", "1: a count is at most 1000"},
};

static void assert_refused(Str pattern, Code expected, const char *message) {
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  Code code = regex_compile(pattern, arena, &regex, &err);
  if (code != expected || strcmp(err.text, message) != 0)
    fail_msg("%.*s\n  expected %s\n  is       %s", STR_ARGS(pattern), message, code == CODE_OK ? "accepted" : err.text);
  assert_null(regex);
  arena_destroy(arena);
}

static void what_is_no_pattern_says_what_and_where(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    char message[256];
    snprintf(message, sizeof message, "the regular expression is malformed at byte %s", refusals[i].message);
    assert_refused(str_of(refusals[i].pattern), CODE_BAD_REQUEST, message);
  }
  assert_refused((Str){"a\xff", 2}, CODE_BAD_REQUEST, "the regular expression is malformed at byte 1: it is not UTF-8");
  assert_refused((Str){"a\0", 2}, CODE_BAD_REQUEST, "the regular expression is malformed at byte 1: no text has NUL");
}

/* `unit` so many times. */
static Str repeated(const char *unit, size_t times) {
  static char text[2 * REGEX_PATTERN_BYTES_MAX];
  size_t len = strlen(unit);
  assert_true(len * times < sizeof text);
  text[len * times] = '\0';
  for (size_t i = 0; i < times; i++) memcpy(text + i * len, unit, len);
  return (Str){text, len * times};
}

static void what_is_too_large_is_refused(void **state) {
  (void)state;
  static const char parts[] = "the regular expression has too many parts that are optional or repeated";
  static const char counts[] = "the regular expression repeats what is repeated: more than 1000 times in all";
  assert_refused(repeated("a", REGEX_PATTERN_BYTES_MAX + 1), CODE_TOO_LARGE, "a regular expression has at most 4096 bytes");
  assert_refused(repeated("(", 101), CODE_BAD_REQUEST,
                 "the regular expression is malformed at byte 100: groups are nested more than 100 deep");
  assert_refused(repeated("\\pL", 16), CODE_BAD_REQUEST,
                 "the regular expression is malformed at byte 45: its classes have more than 10000 ranges");
  assert_refused(STR("(?:a{10}){101}"), CODE_BAD_REQUEST, counts);
  assert_refused(STR("(?:(?:a{2,}b){20}){0,30}"), CODE_BAD_REQUEST, counts);
  assert_refused(repeated("a?", 500), CODE_BAD_REQUEST, parts);
  assert_refused(STR("(?:a*b*c*){300}"), CODE_BAD_REQUEST, parts);
  assert_refused(STR("(?:^|$|a){20}"), CODE_BAD_REQUEST, parts);
  assert_refused(repeated("\\b\\B", 20), CODE_BAD_REQUEST, parts);
  assert_true(matches("^(?:(?:a{2}){20}){25}$", repeated("a", 1000).ptr));
}

/* PCRE2 gives up four of them. */
static void a_search_that_explodes_is_ended_in_another_way(void **state) {
  (void)state;
  static char subject[20001];
  memset(subject, 'a', sizeof subject - 2);
  subject[sizeof subject - 2] = '!';
  assert_false(matches("^(a+)+$", subject));
  assert_true(matches("^(a+)+$|^(a|aa)+!$", subject));
  assert_false(matches("(?m)^(?:a*)*[bc]{2}$|^(?:\\w+\\B)+$", subject));
  subject[sizeof subject - 3] = '\n';
  assert_true(matches("(?m)^(a+)+$\\s^!", subject));
}

static void a_search_that_is_too_long_is_given_up(void **state) {
  (void)state;
  static char subject[1000001];
  memset(subject, 'a', sizeof subject - 2);
  subject[sizeof subject - 2] = '!';
  Arena *arena = arena_create(0);
  Regex *regex = NULL;
  Error err = {0};
  assert_int_equal(regex_compile(STR("^(a+)+$"), arena, &regex, &err), CODE_OK);
  bool is_match = true;
  assert_false(regex_matches(regex, (Str){subject, sizeof subject - 1}, &is_match));
  assert_true(is_match);
  memory_fail_after(1);
  assert_false(regex_matches(regex, (Str){subject + sizeof subject - 101, 100}, &is_match));
  memory_fail_after(0);
  arena_destroy(arena);
}

static void a_long_subject_of_many_groups_is_searched(void **state) {
  (void)state;
  static char subject[20001];
  memset(subject, 'a', sizeof subject - 1);
  assert_true(matches("^(a|b|c)*$", subject));
}

static void lacking_memory_is_an_error_wherever_it_strikes(void **state) {
  (void)state;
  for (size_t n = 1; n < 60; n++) {
    Arena *arena = arena_create(0);
    Regex *regex = NULL;
    Error err = {0};
    memory_fail_after(n);
    Code code = regex_compile(STR("(?i)^[a-z]+(x|\\pL)*\\w$"), arena, &regex, &err);
    memory_fail_after(0);
    if (code != CODE_OK) assert_int_equal(code, CODE_UNAVAILABLE);
    arena_destroy(arena);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pattern_is_searched_for_anywhere),
      cmocka_unit_test(a_dot_is_a_character_and_not_a_byte),
      cmocka_unit_test(the_end_is_the_very_end),
      cmocka_unit_test(shorthands_and_posix_classes_are_of_ascii),
      cmocka_unit_test(categories_are_unicodes),
      cmocka_unit_test(case_is_unicodes_where_it_is_ignored),
      cmocka_unit_test(lines_are_told_by_flags),
      cmocka_unit_test(what_is_read_and_forgotten),
      cmocka_unit_test(common_patterns_are_accepted),
      cmocka_unit_test(what_is_no_pattern_says_what_and_where),
      cmocka_unit_test(what_is_too_large_is_refused),
      cmocka_unit_test(a_search_that_explodes_is_ended_in_another_way),
      cmocka_unit_test(a_search_that_is_too_long_is_given_up),
      cmocka_unit_test(a_long_subject_of_many_groups_is_searched),
      cmocka_unit_test(lacking_memory_is_an_error_wherever_it_strikes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
