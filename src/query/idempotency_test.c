#include "query/idempotency.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const IdempotencyOptions options = {.kept_us = 1000, .keys_max = 10};
static const Caller ann = {.is_authenticated = true, .id = {.type = VALUE_TEXT, .text = STR_INIT("ann")}};
static const Caller bob = {.is_authenticated = true, .id = {.type = VALUE_TEXT, .text = STR_INIT("bob")}};
static const Caller dash = {.is_authenticated = true, .id = {.type = VALUE_TEXT, .text = STR_INIT("-")}};
static const Caller stranger = {0};

static void a_key_is_under_way_once_for_each_caller(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  IdempotencyKeys *keys = NULL;
  assert_int_equal(idempotency_keys_create(&options, &keys, NULL), CODE_OK);
  Idempotency first = {.key = STR("k")}, again = {.key = STR("k")}, another = {.key = STR("l")}, bobs = {.key = STR("k")};
  assert_int_equal(idempotency_begin(keys, &first, &ann, 5, arena), CODE_OK);
  assert_int_equal(idempotency_begin(keys, &again, &ann, 6, arena), CODE_CONFLICT);
  assert_int_equal(idempotency_begin(keys, &another, &ann, 7, arena), CODE_OK);
  assert_int_equal(idempotency_begin(keys, &bobs, &bob, 8, arena), CODE_OK);
  idempotency_end(&again, false); /* it never began */
  assert_int_equal(idempotency_begin(keys, &again, &ann, 9, arena), CODE_CONFLICT);
  idempotency_end(&first, true);
  assert_int_equal(idempotency_begin(keys, &again, &ann, 9, arena), CODE_OK);
  idempotency_end(&another, true);
  idempotency_end(&bobs, true);
  idempotency_end(&again, true);
  idempotency_keys_destroy(keys);
  arena_destroy(arena);
}

static void who_shows_a_certificate_is_known_by_it(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  IdempotencyKeys *keys = NULL;
  const JsonValue names[] = {{.type = JSON_STRING, .text = STR("CN=a")}, {.type = JSON_STRING, .text = STR("CN=b")}};
  const Caller a = {.certificate = &names[0]}, b = {.certificate = &names[1]};
  Caller ann_at_a = ann;
  ann_at_a.certificate = &names[0];
  assert_int_equal(idempotency_keys_create(&options, &keys, NULL), CODE_OK);
  const Caller *callers[] = {&stranger, &a, &b, &ann, &ann_at_a};
  Idempotency first[5], again = {.key = STR("k")};
  for (size_t i = 0; i < 5; i++) {
    first[i] = (Idempotency){.key = STR("k")};
    assert_int_equal(idempotency_begin(keys, &first[i], callers[i], 5, arena), CODE_OK);
    assert_int_equal(idempotency_begin(keys, &again, callers[i], 5, arena), CODE_CONFLICT);
  }
  for (size_t i = 0; i < 5; i++) idempotency_end(&first[i], false);
  idempotency_keys_destroy(keys);
  arena_destroy(arena);
}

static void no_id_is_taken_for_a_stranger(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  IdempotencyKeys *keys = NULL;
  assert_int_equal(idempotency_keys_create(&options, &keys, NULL), CODE_OK);
  Idempotency strangers = {.key = STR("k")}, other_strangers = {.key = STR("k")}, dashs = {.key = STR("k")};
  assert_int_equal(idempotency_begin(keys, &strangers, &stranger, 5, arena), CODE_OK);
  assert_int_equal(idempotency_begin(keys, &other_strangers, &stranger, 5, arena), CODE_CONFLICT);
  assert_int_equal(idempotency_begin(keys, &dashs, &dash, 5, arena), CODE_OK);
  idempotency_end(&strangers, false);
  idempotency_end(&dashs, false);
  idempotency_keys_destroy(keys);
  arena_destroy(arena);
}

static void the_table_is_known_once_an_answer_was_kept(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  IdempotencyKeys *keys = NULL;
  assert_int_equal(idempotency_keys_create(&options, &keys, NULL), CODE_OK);
  Idempotency first = {.key = STR("k")}, second = {.key = STR("k")}, third = {.key = STR("k")};
  assert_int_equal(idempotency_begin(keys, &first, &ann, 5, arena), CODE_OK);
  idempotency_end(&first, false);
  assert_int_equal(idempotency_begin(keys, &second, &ann, 5, arena), CODE_OK);
  assert_false(second.is_table_known);
  idempotency_end(&second, true);
  assert_int_equal(idempotency_begin(keys, &third, &ann, 5, arena), CODE_OK);
  assert_true(third.is_table_known);
  idempotency_end(&third, true);
  idempotency_keys_destroy(keys);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_is_under_way_once_for_each_caller),
      cmocka_unit_test(who_shows_a_certificate_is_known_by_it),
      cmocka_unit_test(no_id_is_taken_for_a_stranger),
      cmocka_unit_test(the_table_is_known_once_an_answer_was_kept),
  };
  return cmocka_run_group_tests_name("idempotency", tests, NULL, NULL);
}
