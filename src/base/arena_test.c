/* arena_test.c */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec.h"

static void allocations_are_aligned_and_apart(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  for (size_t size = 0; size < 5000; size += 7) {
    char *a = arena_alloc(arena, size), *b = arena_alloc(arena, size);
    assert_int_equal((uintptr_t)a % 16, 0);
    assert_true(a + size <= b || b + size <= a);
    memset(a, 1, size);
    memset(b, 2, size);
    if (size > 0) assert_int_equal(a[size - 1], 1);
  }
  arena_destroy(arena);
}

static void the_bound_is_kept(void **state) {
  (void)state;
  Arena *arena = arena_create(10000);
  assert_non_null(arena_alloc(arena, 8000));
  assert_null(arena_alloc(arena, 8000));
  assert_non_null(arena_alloc(arena, 100)); /* a smaller piece still fits */
  assert_null(arena_alloc(arena, SIZE_MAX));
  assert_null(arena_calloc(arena, SIZE_MAX / 2, 4));
  arena_destroy(arena);
}

static void a_reset_arena_keeps_a_block_and_takes_no_more(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < 100; i++) assert_non_null(arena_alloc(arena, 300));
    assert_true(arena_bytes_used(arena) >= 30000);
    arena_reset(arena);
    assert_int_equal(arena_bytes_used(arena), 0);
    assert_true(arena->bytes_taken <= 128 * 1024);
  }
  arena_destroy(arena);
}

static void growing_keeps_the_bytes(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  char *text = arena_grow(arena, NULL, 0, 4);
  memcpy(text, "abc", 4);
  text = arena_grow(arena, text, 4, 100);
  assert_string_equal(text, "abc");
  arena_alloc(arena, 1);
  text = arena_grow(arena, text, 100, 100000);
  assert_string_equal(text, "abc");
  arena_destroy(arena);
}

typedef struct Trace {
  char text[8];
  size_t len;
} Trace;
typedef struct Step {
  Trace *trace;
  char name;
} Step;

static void note(void *context) {
  Step *step = context;
  step->trace->text[step->trace->len++] = step->name;
}

static void deferred_calls_run_newest_first(void **state) {
  (void)state;
  Trace trace = {0};
  Step first = {&trace, 'a'}, second = {&trace, 'b'}, third = {&trace, 'c'};
  Arena *arena = arena_create(0);
  assert_true(arena_defer(arena, note, &first));
  assert_true(arena_defer(arena, note, &second));
  arena_reset(arena);
  assert_string_equal(trace.text, "ba");
  assert_true(arena_defer(arena, note, &third));
  arena_destroy(arena);
  assert_string_equal(trace.text, "bac");
}

static void the_nth_allocation_fails_once(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  memory_fail_after(3);
  assert_non_null(arena_alloc(arena, 8));
  assert_non_null(arena_alloc(arena, 5000));
  assert_null(arena_alloc(arena, 8));
  assert_non_null(arena_alloc(arena, 8));
  memory_fail_after(1);
  assert_null(arena_create(0));
  memory_fail_after(1);
  assert_false(arena_defer(arena, note, NULL));
  arena_destroy(arena);
}

static void strings_are_copied_and_formatted(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  assert_string_equal(arena_str(arena, STR("tea")).ptr, "tea");
  assert_string_equal(arena_str(arena, (Str){NULL, 0}).ptr, "");
  Str s = arena_printf(arena, "%d-%s", 7, "x");
  assert_int_equal(s.len, 3);
  assert_string_equal(s.ptr, "7-x");
  arena_destroy(arena);
}

static Str printed(Arena *arena, size_t bytes_max, const char *format, ...) PRINTF_LIKE(3, 4);
static Str printed(Arena *arena, size_t bytes_max, const char *format, ...) {
  va_list args;
  va_start(args, format);
  Str s = arena_vprintf(arena, bytes_max, format, args);
  va_end(args);
  return s;
}

static void a_string_that_is_too_long_is_cut_between_characters(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  assert_true(str_equal(printed(arena, 3, "%d-%s", 7, "x"), STR("7-x")));
  assert_true(str_equal(printed(arena, 2, "%d-%s", 7, "x"), STR("7-")));
  assert_true(str_equal(printed(arena, 4, "a%s", "\xe2\x82\xac\xe2\x82\xac"), STR("a\xe2\x82\xac")));
  assert_true(str_equal(printed(arena, 3, "a%s", "\xe2\x82\xac\xe2\x82\xac"), STR("a")));
  assert_true(str_equal(printed(arena, 0, "a"), STR("")));
  arena_destroy(arena);
}

static void a_vector_grows_and_survives_failing_memory(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  VEC(int) numbers = {0};
  for (int i = 0; i < 1000; i++) assert_true(VEC_PUSH(arena, &numbers, i));
  for (int i = 0; i < 1000; i++) assert_int_equal(numbers.items[i], i);
  while (numbers.count < numbers.cap) assert_true(VEC_PUSH(arena, &numbers, 0));
  memory_fail_after(1);
  size_t count = numbers.count;
  assert_false(VEC_PUSH(arena, &numbers, 0));
  assert_int_equal(numbers.count, count);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(allocations_are_aligned_and_apart),
      cmocka_unit_test(the_bound_is_kept),
      cmocka_unit_test(a_reset_arena_keeps_a_block_and_takes_no_more),
      cmocka_unit_test(growing_keeps_the_bytes),
      cmocka_unit_test(deferred_calls_run_newest_first),
      cmocka_unit_test(the_nth_allocation_fails_once),
      cmocka_unit_test(strings_are_copied_and_formatted),
      cmocka_unit_test(a_string_that_is_too_long_is_cut_between_characters),
      cmocka_unit_test(a_vector_grows_and_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
