/* Every refusal of INTERFACE §2, at its exact place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "contract/load.h"
#include "contract/load_test_refusals.h"

static void write_all(const DiagnosticList *list, Buf *out) {
  for (size_t i = 0; i < list->count; i++) {
    const Diagnostic *mistake = &list->items[i];
    if (i > 0) buf_add_byte(out, '\n');
    buf_add(out, mistake->message);
    if (mistake->hint.len > 0) buf_printf(out, " = %.*s", STR_ARGS(mistake->hint));
  }
}

static void check_refusal(const Refusal *refusal) {
  Arena *arena = arena_create(0);
  Contract *contract = NULL;
  DiagnosticList list = {0};
  Error err = {0};
  Marked *marked = arena_alloc(arena, sizeof *marked);
  unmark(refusal->text, marked);
  ContractFile file = {STR("shop.graphql"), {marked->text, marked->len}};
  Code code = contract_load(&file, 1, arena, &contract, &list, &err);
  Buf all = buf_on(arena, 1 << 16);
  write_all(&list, &all);
  buf_add_byte(&all, '\0');
  if (code != CODE_VALIDATION_FAILED) fail_msg("accepted (%d): %s", (int)code, refusal->text);
  assert_null(contract);
  if (refusal->expected != NULL && strcmp(all.ptr, refusal->expected) != 0)
    fail_msg("%s\nexpected %s\n     got %s", refusal->text, refusal->expected, all.ptr);
  if (list.count != marked->count) fail_msg("%zu mistakes, not %zu: %s\n%s", list.count, marked->count, refusal->text, all.ptr);
  for (size_t i = 0; i < marked->count; i++) {
    SourcePlace place = list.items[i].place;
    bool is_there = place.line == marked->lines[i] && place.column == marked->columns[i];
    if (!is_there)
      fail_msg("at %u:%u, not %u:%u: %s\n%s", place.line, place.column, marked->lines[i], marked->columns[i], refusal->text, all.ptr);
  }
  arena_destroy(arena);
}

static void each_mistake_is_refused_at_its_place(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof load_refusals / sizeof load_refusals[0]; i++) check_refusal(&load_refusals[i]);
}

static void mistakes_of_all_files_come_in_the_order_of_the_source(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *contract = NULL;
  DiagnosticList list = {0};
  Error err = {0};
  const ContractFile files[] = {
      {STR("a.graphql"), STR("type A @resource @access(read: \"x\") { id: ID! b: B c: Nix }\ntype String { a: Int }")},
      {STR("b.graphql"), STR("type B @resource @access(read: \"true\") { id: ID! as: [A!]! n: Int @default(value: \"x\") }")},
  };
  assert_int_equal(contract_load(files, 2, arena, &contract, &list, &err), CODE_VALIDATION_FAILED);
  const struct {
    const char *file;
    uint32_t line, column;
  } expected[] = {{"a.graphql", 1, 33}, {"a.graphql", 1, 55}, {"a.graphql", 2, 6}, {"b.graphql", 1, 83}};
  assert_int_equal(list.count, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_true(str_equal(list.items[i].place.file, str_of(expected[i].file)));
    assert_int_equal(list.items[i].place.line, expected[i].line);
    assert_int_equal(list.items[i].place.column, expected[i].column);
  }
  arena_destroy(arena);
}

static Code load_text(Str text, Arena *arena, DiagnosticList *list) {
  Contract *contract = NULL;
  Error err = {0};
  ContractFile file = {STR("x.graphql"), text};
  Code code = contract_load(&file, 1, arena, &contract, list, &err);
  if (code == CODE_OK) contract_destroy(contract);
  return code;
}

static void check_columns(const char *text, const uint32_t *columns, size_t count) {
  Arena *arena = arena_create(0);
  DiagnosticList list = {0};
  assert_int_equal(load_text(str_of(text), arena, &list), CODE_VALIDATION_FAILED);
  assert_int_equal(list.count, count);
  for (size_t i = 0; i < count; i++) assert_int_equal(list.items[i].place.column, columns[i]);
  arena_destroy(arena);
}

static void what_is_misspelt_beside_what_can_not_be_read_is_told_too(void **state) {
  (void)state;
  check_columns("type A @resource { id: ID! a: string b: Int @default(0)\nc: Nix }", (const uint32_t[]){31, 54, 4}, 3);
  check_columns("type A @resource { id: ID! b: B c: Nix } type B @resource { id: ID!", (const uint32_t[]){36, 68}, 2);
  /* Nix may be what could not be read. */
  check_columns("type A @resource { id: ID! c: Nix } type 5 { a: Int }", (const uint32_t[]){42}, 1);
}

/* count times `unit` between `before` and `behind`. */
static Str repeated(Arena *arena, const char *before, const char *unit, size_t count, const char *middle, const char *unit2,
                    const char *behind) {
  Buf out = buf_on(arena, 16 << 20);
  buf_add(&out, str_of(before));
  for (size_t i = 0; i < count; i++) buf_add(&out, str_of(unit));
  buf_add(&out, str_of(middle));
  for (size_t i = 0; i < count; i++) buf_add(&out, str_of(unit2));
  buf_add(&out, str_of(behind));
  return buf_str(&out);
}

static void a_hostile_contract_is_refused_and_harms_nothing(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  const Str texts[] = {
      repeated(arena, "type A @resource { id: ID! @default(value: ", "[", 10000, "", "]", ") }"),
      repeated(arena, "type A @resource { id: ID! @default(value: ", "{a:", 10000, "1", "}", ") }"),
      repeated(arena, "type A @resource { id: ", "[", 10000, "ID", "]", " }"),
      repeated(arena, "type A @resource @access(read: \"", "(", 10000, "true", ")", "\") { id: ID! }"),
      repeated(arena, "", "{", 10000, "", "}", ""),
      repeated(arena, "", "# a comment\n", 450000, "", "", "type A @resource { id: ID! }"),
      repeated(arena, "", "\"", 1000001, "", "", ""),
      repeated(arena, "type ", "a", 100000, " @resource { id: ID! }", "", ""),
      repeated(arena, "type A @resource { id: ID! ", "a: Nix ", 100000, "}", "", ""),
      repeated(arena, "type A @resource @access(read: \"true\") { id: ID! ", "x", 3000, ": Int }", "", ""),
      repeated(arena, "type E { e: E @default(value: {}) f: E @default(value: {}) } type A @resource { id: ID! e: E @default(value: {}) }",
               "", 0, "", "", ""),
      {"type A @resource { id: ID!\0 }", 29},
      STR("type \xff A"),
      STR("type A @resource { id: ID! # \xc0\x80\n }"),
      STR("\xEF\xBB\xBF"),
      STR(""),
      STR("extend"),
      STR("extend extend type A { a: Int }"),
      STR("\"\"\""),
      STR("type A @resource { id: ID! a: String @default(value: \"\\u{110000}\") }"),
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    Arena *own = arena_create(0);
    DiagnosticList list = {0};
    Code code = load_text(texts[i], own, &list);
    if (code != CODE_VALIDATION_FAILED || list.count == 0) fail_msg("case %zu: %d", i, (int)code);
    Buf out = buf_on(own, 1 << 20);
    diagnostics_write(&out, &list, false);
    assert_int_equal(out.failed, CODE_OK);
    assert_true(utf8_is_valid(buf_str(&out)));
    arena_destroy(own);
  }
  arena_destroy(arena);
}

#define WHOLE                                                                                                                              \
  SERVICE                                                                                                                                  \
  "\"A status.\" enum Status { OPEN PAID @value(name: \"paid\") @deprecated(reason: \"x\") }\n"                                            \
  "type Address { city: String! @default(value: \"Bern\") tags: [String!] @length(max: 3) }\n"                                             \
  "type Category @resource @access(read: \"true\", write: \"'staff' in auth.roles\") @unique(fields: [\"name\", \"parent\"]) {\n"          \
  "  id: ID! name: String! @length(min: 1) @pattern(regex: \"^[a-z]+$\") parent: Category children: [Category!]! products: [Product!]! "   \
  "}\n"                                                                                                                                    \
  "type Product @resource @access(read: \"true\", update: \"old.price > 1.5 || 'x' in auth.roles\") @check(expr: \"price >= 0.0\", "       \
  "message: \"m\")\n"                                                                                                                      \
  "  @index(fields: [\"price desc\"], where: \"status == 'OPEN'\") {\n"                                                                    \
  "  id: ID! price: Decimal! @range(min: \"0\") @decimal(scale: 2) status: Status! @default(value: OPEN) address: Address "                \
  "@default(value: { tags: [\"a\"] })\n"                                                                                                   \
  "  category: Category! @relation(onDelete: CASCADE) at: DateTime! @default(expr: \"now()\") }\n"

static void lacking_memory_is_an_error_wherever_it_strikes(void **state) {
  (void)state;
  Arena *first = arena_create(0);
  DiagnosticList list = {0};
  assert_int_equal(load_text(STR(WHOLE), first, &list), CODE_OK);
  arena_destroy(first);
  size_t failures = 0;
  for (size_t n = 1; n < 3000; n++) {
    Arena *arena = arena_create(0);
    memory_fail_after(n);
    Code code = load_text(STR(WHOLE), arena, &list);
    memory_fail_after(0);
    arena_destroy(arena);
    if (code == CODE_OK) break;
    if (code != CODE_UNAVAILABLE) fail_msg("allocation %zu: %d", n, (int)code);
    failures++;
  }
  assert_true(failures > 5);
}

static void the_prelude_may_lie_beside_a_contract(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  Contract *contract = NULL;
  DiagnosticList list = {0};
  Error err = {0};
  const ContractFile files[] = {{STR("caisson.graphql"), contract_prelude(arena)}, {STR("shop.graphql"), STR(WHOLE)}};
  assert_int_equal(contract_load(files, 2, arena, &contract, &list, &err), CODE_OK);
  assert_int_equal(contract->enum_count, 1);
  contract_destroy(contract);
  arena_destroy(arena);
}

static void a_mistake_is_shown_with_its_line_and_a_caret(void **state) {
  (void)state;
  Arena *arena = arena_create(0);
  DiagnosticList list = {0};
  assert_int_equal(load_text(STR("type A @resource @access(read: \"true\") {\n\tid: ID!\n\tä: Int\n\tname: \x1b Strin\n}\n"), arena, &list),
                   CODE_VALIDATION_FAILED);
  Buf out = buf_on(arena, 1 << 16);
  diagnostics_write(&out, &list, false);
  Str expected = STR("x.graphql:3:2: error: unexpected character \"ä\"\n"
                     "    3 |  ä: Int\n"
                     "      |  ^\n"
                     "x.graphql:3:3: error: expected a field's name, found \":\"\n"
                     "    3 |  ä: Int\n"
                     "      |   ^\n"
                     "x.graphql:4:8: error: a control character (U+001B) can't stand here\n"
                     "    4 |  name: \xEF\xBF\xBD Strin\n"
                     "      |        ^\n");
  assert_int_equal(out.len, expected.len);
  assert_memory_equal(out.ptr, expected.ptr, expected.len);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_mistake_is_refused_at_its_place),
      cmocka_unit_test(mistakes_of_all_files_come_in_the_order_of_the_source),
      cmocka_unit_test(what_is_misspelt_beside_what_can_not_be_read_is_told_too),
      cmocka_unit_test(a_hostile_contract_is_refused_and_harms_nothing),
      cmocka_unit_test(lacking_memory_is_an_error_wherever_it_strikes),
      cmocka_unit_test(the_prelude_may_lie_beside_a_contract),
      cmocka_unit_test(a_mistake_is_shown_with_its_line_and_a_caret),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
