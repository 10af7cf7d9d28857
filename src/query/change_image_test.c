/* change_image_test.c - a row's image holds every value exactly, whatever the contract it is read under. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "contract/load.h"
#include "query/change_image.h"

#define HEAD "extend schema @service(name: \"images\")\n"
#define OPEN "@resource(table: \"things\") @access(read: \"true\", write: \"true\") {\n"
static const char whole[] =
    HEAD "type Thing " OPEN "  code: String! @id\n  part: Int! @id\n  flag: Boolean\n  big: BigInt\n  ratio: Float\n"
         "  price: Decimal\n  made: DateTime\n  day: Date\n  raw: Bytes\n  tags: [String!]\n  any: JSON\n}\n";
static const char lesser[] = HEAD "type Thing " OPEN "  code: String! @id\n  part: Int! @id\n  big: BigInt\n  newer: String\n}\n";

typedef struct World {
  Arena *arena;
  Contract *contract;
  const Resource *resource;
} World;

static World world_of(const char *text) {
  World world = {.arena = arena_create(0)};
  ContractFile file = {.name = STR("test"), .text = str_of(text)};
  DiagnosticList mistakes = {0};
  assert_int_equal(contract_load(&file, 1, world.arena, &world.contract, &mistakes, NULL), CODE_OK);
  world.resource = world.contract->resources[0];
  return world;
}

static void world_done(World *world) {
  contract_destroy(world->contract);
  arena_destroy(world->arena);
}

static Value *example_row(const World *world) {
  const Value values[] = {value_text(STR("a \"quoted\"\nü")),
                          value_int(-7),
                          value_bool(true),
                          value_int(INT64_MIN),
                          value_float(0.1),
                          value_decimal(STR("12345678901234567890.000000000000000001")),
                          (Value){.type = VALUE_TIMESTAMP, .integer = -62135596800000000},
                          (Value){.type = VALUE_DATE, .integer = 2932896},
                          (Value){.type = VALUE_BYTES, .text = STR("\0\xff\x80")},
                          (Value){.type = VALUE_JSON, .text = STR("[\"a\",\"b\"]")},
                          (Value){.type = VALUE_JSON, .text = STR("{\"n\":1.50,\"z\":null}")}};
  Value *row = ARENA_ARRAY(world->arena, Value, world->resource->stored_count);
  assert_int_equal(world->resource->stored_count, sizeof values / sizeof values[0]);
  memcpy(row, values, sizeof values);
  return row;
}

static Str image_of(const World *world, const Value *row) {
  Buf out = buf_on(world->arena, 1 << 20);
  change_image_write(&out, world->resource, row);
  return buf_str(&out);
}

static void assert_values_equal(const Value *a, const Value *b) {
  assert_int_equal(a->type, b->type);
  bool is_text = a->type == VALUE_TEXT || a->type == VALUE_DECIMAL || a->type == VALUE_BYTES || a->type == VALUE_JSON;
  if (is_text)
    assert_true(str_equal(a->text, b->text));
  else if (a->type == VALUE_BOOL)
    assert_int_equal(a->boolean, b->boolean);
  else if (a->type != VALUE_NULL)
    assert_int_equal(a->integer, b->integer);
}

static void every_value_is_read_back(void **state) {
  (void)state;
  World world = world_of(whole);
  Value *row = example_row(&world);
  const Value *read = NULL;
  Error err = {0};
  assert_int_equal(change_image_parse(image_of(&world, row), world.resource, world.arena, &read, &err), CODE_OK);
  for (size_t i = 0; i < world.resource->stored_count; i++) assert_values_equal(&read[i], &row[i]);
  world_done(&world);
}

static void nulls_are_left_out_and_come_back(void **state) {
  (void)state;
  World world = world_of(whole);
  Value *row = ARENA_ARRAY(world.arena, Value, world.resource->stored_count);
  const Value *read = NULL;
  assert_true(str_equal(image_of(&world, row), STR("{}")));
  assert_int_equal(change_image_parse(STR("{}"), world.resource, world.arena, &read, NULL), CODE_OK);
  for (size_t i = 0; i < world.resource->stored_count; i++) assert_int_equal(read[i].type, VALUE_NULL);
  world_done(&world);
}

static void another_contract_reads_the_columns_it_has(void **state) {
  (void)state;
  World world = world_of(whole), other = world_of(lesser);
  const Value *read = NULL;
  Error err = {0};
  assert_int_equal(change_image_parse(image_of(&world, example_row(&world)), other.resource, other.arena, &read, &err), CODE_OK);
  assert_int_equal(read[2].integer, INT64_MIN);
  assert_int_equal(read[3].type, VALUE_NULL);
  world_done(&world);
  world_done(&other);
}

static void a_key_is_read_back(void **state) {
  (void)state;
  World world = world_of(whole);
  Buf out = buf_on(world.arena, 1 << 20);
  const Value *key = NULL;
  Error err = {0};
  change_key_write(&out, world.resource, example_row(&world));
  assert_true(str_equal(buf_str(&out), STR("[\"a \\\"quoted\\\"\\nü\",-7]")));
  assert_int_equal(change_key_parse(buf_str(&out), world.resource, world.arena, &key, &err), CODE_OK);
  assert_true(str_equal(key[0].text, STR("a \"quoted\"\nü")));
  assert_int_equal(key[1].integer, -7);
  world_done(&world);
}

static void keys_of_many_rows_are_taken_one_by_one(void **state) {
  (void)state;
  Str keys = STR("[[\"a]\\\"\",1],[\"\",-2],[\"\\\\\",3]]"), key;
  static const char *const expected[] = {"[\"a]\\\"\",1]", "[\"\",-2]", "[\"\\\\\",3]"};
  assert_int_equal(change_key_count(keys), 3);
  for (size_t i = 0; i < 3; i++) {
    assert_true(change_key_next(&keys, &key));
    assert_true(str_equal(key, str_of(expected[i])));
  }
  assert_false(change_key_next(&keys, &key));
  static const char *const others[] = {"", "[", "[]", "[\"a\",1]", "[\"[[\"]", "[[", "[[\"a", "{}"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) assert_int_equal(change_key_count(str_of(others[i])), 0);
}

static void what_is_no_image_is_an_error(void **state) {
  (void)state;
  World world = world_of(whole);
  const Value *read = NULL;
  Error err = {0};
  static const char *const texts[] = {"", "[]", "{\"part\":\"x\"}", "{\"part\":1.5}", "{\"raw\":\"!\"}", "{\"flag\":0}", "{\"code\":1}"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    assert_int_not_equal(change_image_parse(str_of(texts[i]), world.resource, world.arena, &read, &err), CODE_OK);
  static const char *const keys[] = {"{}", "[]", "[\"a\"]", "[\"a\",1,2]", "[1,1]"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    assert_int_not_equal(change_key_parse(str_of(keys[i]), world.resource, world.arena, &read, &err), CODE_OK);
  world_done(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_value_is_read_back),
      cmocka_unit_test(nulls_are_left_out_and_come_back),
      cmocka_unit_test(another_contract_reads_the_columns_it_has),
      cmocka_unit_test(a_key_is_read_back),
      cmocka_unit_test(keys_of_many_rows_are_taken_one_by_one),
      cmocka_unit_test(what_is_no_image_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
