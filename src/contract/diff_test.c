/* Every kind of change between two contracts, and whom it concerns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "contract/diff.h"
#include "contract/load.h"

#define SERVICE "extend schema @service(name: \"shop\")\n"
#define OPEN "@access(read: \"true\", write: \"true\") "
/* A resource P with these fields; one with these directives; one whose read rule this is. */
#define P(fields) SERVICE "type P @resource " OPEN "{ id: ID! " fields " }"
#define D(directives) SERVICE "type P @resource " OPEN directives "{ id: ID! a: Int b: Int s: String }"
#define R(rule) SERVICE "type P @resource @access(read: " rule ") { id: ID! n: Int s: String owner: String open: Boolean }"

typedef struct Change {
  const char *old, *new;
  const char *expected; /* "class kind subject", a line each */
} Change;

static const Change changes[] = {
    {P("a: Int"), P("a: Int"), ""},
    /* Types. */
    {P("a: Int"), P("a: Int") " type Q @resource " OPEN "{ id: ID! }", "compatible type-added Q\n"},
    {P("a: Int") " type Q @resource " OPEN "{ id: ID! }", P("a: Int"),
     "breaking-readers type-removed Q\nbreaking-writers type-removed Q\n"},
    {P("a: Int") " type Q @resource @access(read: \"true\") { id: ID! }", P("a: Int"), "breaking-readers type-removed Q\n"},
    {P("a: Int"), SERVICE "type Q @resource(path: \"ps\", table: \"ps\") @renamed(from: \"P\") " OPEN "{ id: ID! a: Int }",
     "breaking-readers type-renamed Q\nbreaking-writers type-renamed Q\n"},
    {D(""), SERVICE "type P @resource(path: \"things\") " OPEN "{ id: ID! a: Int b: Int s: String }",
     "breaking-readers path-changed P\nbreaking-writers path-changed P\n"},
    {D(""), SERVICE "type P @resource(table: \"things\") " OPEN "{ id: ID! a: Int b: Int s: String }", "compatible table-changed P\n"},
    {SERVICE "type P @resource " OPEN "{ id: ID! }",
     "extend schema @service(name: \"shop\", version: \"v2\")\ntype P @resource " OPEN "{ id: ID! }", "compatible version-changed shop\n"},
    {SERVICE "type P @resource " OPEN "{ id: ID! c: String! @id }", SERVICE "type P @resource " OPEN "{ id: ID! @id c: String! @id }",
     "breaking-readers key-changed P\nbreaking-writers key-changed P\n"},
    {D(""), D("@deprecated(reason: \"x\") "), "compatible type-deprecated P\n"},
    /* Fields. */
    {P(""), P("a: Int"), "compatible field-added P.a\n"},
    {P(""), P("a: Int!"), "breaking-writers field-added P.a\n"},
    {P(""), P("a: Int! @default(value: 1)"), "compatible field-added P.a\n"},
    {P(""), P("a: Int! @default(value: 1) @readonly"), "compatible field-added P.a\n"},
    {P("a: Int"), P(""), "breaking-readers field-removed P.a\nbreaking-writers field-removed P.a\n"},
    {P("a: Int @readonly"), P(""), "breaking-readers field-removed P.a\n"},
    {P("a: Int @hidden"), P(""), "breaking-writers field-removed P.a\n"},
    {P("a: Int"), P("b: Int @renamed(from: \"a\") @column(name: \"a\")"),
     "breaking-readers field-renamed P.b\nbreaking-writers field-renamed P.b\n"},
    {P("a: Int"), P("a: Int @column(name: \"x\")"), "compatible column-changed P.a\n"},
    {P("a: Int"), P("a: Int @hidden"), "breaking-readers field-hidden P.a\n"},
    {P("a: Int @hidden"), P("a: Int"), "access-widened field-shown P.a\n"},
    {P("a: Int"), P("a: Int @readonly"), "breaking-writers field-readonly P.a\n"},
    {P("a: Int @readonly"), P("a: Int"), "access-widened field-writable P.a\n"},
    {P("a: Int"), P("a: Int @immutable"), "breaking-writers field-immutable P.a\n"},
    {P("a: Int @immutable"), P("a: Int"), "access-widened field-mutable P.a\n"},
    {P("a: Int"), P("a: Int @deprecated(sunset: \"2027-01-01\")"), "compatible field-deprecated P.a\ncompatible sunset-changed P.a\n"},
    {P("a: Int @deprecated"), P("a: Int"), "compatible field-undeprecated P.a\n"},
    /* Nullability. */
    {P("a: Int!"), P("a: Int"), "breaking-readers nullable P.a\n"},
    {P("a: Int"), P("a: Int!"), "breaking-writers required P.a\n"},
    {P("a: [Int!]"), P("a: [Int]"), "breaking-readers nullable P.a\n"},
    {P("a: [Int]"), P("a: [Int!]"), "breaking-writers required P.a\n"},
    /* Types of values: wider breaks readers, narrower breaks writers. */
    {P("a: Int"), P("a: Float"), "breaking-readers type-changed P.a\n"},
    {P("a: Float"), P("a: Int"), "breaking-writers type-changed P.a\n"},
    {P("a: Int"), P("a: BigInt"), "breaking-readers type-changed P.a\n"},
    {P("a: Email"), P("a: String"), "breaking-readers type-changed P.a\n"},
    {P("a: String"), P("a: Email"), "breaking-writers type-changed P.a\n"},
    {P("a: String"), P("a: ID"), "compatible type-changed P.a\n"},
    {P("a: Int"), P("a: JSON"), "breaking-readers type-changed P.a\n"},
    {P("a: BigInt"), P("a: String"), "breaking-readers type-changed P.a\nbreaking-writers type-changed P.a\n"},
    {P("a: Boolean"), P("a: Date"), "breaking-readers type-changed P.a\nbreaking-writers type-changed P.a\n"},
    {P("a: Int"), P("a: [Int]"), "breaking-readers type-changed P.a\nbreaking-writers type-changed P.a\n"},
    /* Constraints. */
    {P("a: Int"), P("a: Int @range(min: 0)"), "breaking-writers constraint-tightened P.a\n"},
    {P("a: Int @range(min: 5, max: 9)"), P("a: Int @range(min: 1, max: 10)"),
     "compatible constraint-loosened P.a\ncompatible constraint-loosened P.a\n"},
    {P("a: Decimal @range(max: \"10.50\")"), P("a: Decimal @range(max: \"9\")"), "breaking-writers constraint-tightened P.a\n"},
    {P("a: Decimal @range(max: \"10.50\")"), P("a: Decimal @range(max: \"10.5\")"), ""},
    {P("a: String @length(max: 10)"), P("a: String @length(max: 20)"), "compatible constraint-loosened P.a\n"},
    {P("a: String @length(max: 10)"), P("a: String @length(min: 1, max: 10)"), "breaking-writers constraint-tightened P.a\n"},
    {P("a: String @pattern(regex: \"a\")"), P("a: String"), "compatible constraint-loosened P.a\n"},
    {P("a: String @pattern(regex: \"a\")"), P("a: String @pattern(regex: \"b\")"), "breaking-writers constraint-tightened P.a\n"},
    {P("a: Decimal @decimal(precision: 10)"), P("a: Decimal @decimal(precision: 8)"), "breaking-writers constraint-tightened P.a\n"},
    {P("a: Decimal @decimal(scale: 2)"), P("a: Decimal @decimal(scale: 3)"),
     "compatible constraint-loosened P.a\nbreaking-readers scale-changed P.a\n"},
    /* Defaults. */
    {P("a: Int!"), P("a: Int! @default(value: 1)"), "compatible default-added P.a\n"},
    {P("a: Int! @default(value: 1)"), P("a: Int!"), "breaking-writers default-removed P.a\n"},
    {P("a: Int @default(value: 1)"), P("a: Int"), "compatible default-removed P.a\n"},
    {P("a: Int @default(value: 1)"), P("a: Int @default(value: 2)"), "compatible default-changed P.a\n"},
    {P("a: DateTime @default(expr: \"now()\")"), P("a: DateTime @default(expr: \"now( )\")"), ""},
    /* Enums. */
    {P("e: E") " enum E { A }", P("e: E") " enum E { A B }", "breaking-readers enum-value-added E.B\n"},
    {P("e: E") " enum E { A B }", P("e: E") " enum E { A }",
     "breaking-readers enum-value-removed E.B\nbreaking-writers enum-value-removed E.B\n"},
    {P("e: E") " enum E { A }", P("e: E") " enum E { A @value(name: \"a\") }", "compatible enum-value-stored E.A\n"},
    {P("e: E") " enum E { A }", P("e: E") " enum E { A @deprecated }", "compatible enum-value-deprecated E.A\n"},
    /* Embedded types. */
    {P("e: E") " type E { a: Int }", P("e: E") " type E { a: Int b: Int! }", "breaking-writers field-added E.b\n"},
    {P("e: E") " type E { a: Int! }", P("e: E") " type E { a: Int }", "breaking-readers nullable E.a\n"},
    /* Relations. */
    {P(""), P("p: P"), "compatible field-added P.p\n"},
    {P("q: Q") " type Q @resource " OPEN "{ id: ID! }", P("q: Q!") " type Q @resource " OPEN "{ id: ID! }",
     "breaking-writers required P.q\n"},
    {P("q: Q!") " type Q @resource " OPEN "{ id: ID! }", P("q: Q") " type Q @resource " OPEN "{ id: ID! }",
     "breaking-readers nullable P.q\n"},
    {P("p: P"), P(""), "breaking-readers field-removed P.p\nbreaking-writers field-removed P.p\n"},
    {P("p: P"), P("p: P @relation(onDelete: CASCADE)"), "access-widened on-delete-changed P.p\n"},
    {P("p: P @relation(onDelete: CASCADE)"), P("p: P"), "breaking-writers on-delete-changed P.p\n"},
    {P("p: P @relation(onDelete: CASCADE)"), P("p: P @relation(onDelete: SET_NULL)"), "compatible on-delete-changed P.p\n"},
    {P("p: P"), P("p: P @relation(onDelete: SET_NULL)"), "access-widened on-delete-changed P.p\n"},
    {P("p: P") " type Q @resource " OPEN "{ id: ID! }", P("p: Q") " type Q @resource " OPEN "{ id: ID! }",
     "breaking-readers relation-changed P.p\nbreaking-writers relation-changed P.p\n"},
    {P("p: P"), P("p: P ps: [P!]!"), "compatible field-added P.ps\n"},
    {P("p: P ps: [P!]!"), P("p: P"), "breaking-readers field-removed P.ps\nbreaking-writers field-removed P.ps\n"},
    {P("p: Int"), P("p: P"), "breaking-readers field-kind-changed P.p\nbreaking-writers field-kind-changed P.p\n"},
    /* What stands on a type. */
    {P("a: Int"), P("a: Int @unique"), "breaking-writers unique-added P\n"},
    {P("a: Int @unique"), P("a: Int"), "breaking-readers unique-removed P\n"},
    {D("@unique(fields: [\"a\", \"b\"]) "), D("@unique(fields: [\"b\", \"a\"]) "), ""},
    {D(""), D("@index(fields: [\"a\"]) "), "compatible index-added P\n"},
    {D("@index(fields: [\"a\"]) "), D(""), "compatible index-removed P\n"},
    {D("@index(fields: [\"a\"]) "), D("@index(fields: [\"a desc\"]) "), "compatible index-added P\ncompatible index-removed P\n"},
    {D(""), D("@check(expr: \"a < b\") "), "breaking-writers check-added P\n"},
    {D("@check(expr: \"a < b\") "), D(""), "compatible check-removed P\n"},
    {D("@check(expr: \"a > 5\") "), D("@check(expr: \"a > 3\") "), "compatible check-loosened P\ncompatible check-removed P\n"},
    {D("@check(expr: \"a < b\") "), D("@check(expr: \"b > a\") "), ""},
    {D("@search(fields: [\"s\"]) "), D(""), "breaking-readers search-narrowed P\n"},
    {D(""), D("@search(fields: [\"s\"]) "), "compatible search-added P\n"},
    {P("a: Int"), P("a: Int @cache(maxAge: 5)"), "compatible cache-changed P.a\n"},
    {D(""), D("@cache(maxAge: 5) "), "compatible cache-changed P\n"},
    {D(""), D("@transaction(isolation: SERIALIZABLE) "), "compatible isolation-changed P\n"},
    /* Access of types: what no rule allows is refused. */
    {R("\"false\""), R("\"open\""), "access-widened rule-widened P.read\n"},
    {R("\"open\""), R("\"true\""), "access-widened rule-widened P.read\n"},
    {R("\"open\""), R("\"false\""), "access-narrowed rule-narrowed P.read\n"},
    {R("\"open\""), R("\"open || owner == auth.id\""), "access-widened rule-widened P.read\n"},
    {R("\"open\""), R("\"open && owner == auth.id\""), "access-narrowed rule-narrowed P.read\n"},
    {R("\"open || owner == auth.id\""), R("\"auth.id == owner || open\""), ""},
    {R("\"open && n > 3\""), R("\"3 < n && open\""), ""},
    {R("\"open\""), R("\"owner == auth.id\""), "access-widened rule-changed P.read\n"},
    {R("\"n > 5\""), R("\"n >= 5\""), "access-widened rule-widened P.read\n"},
    {R("\"n > 5\""), R("\"n > 6\""), "access-narrowed rule-narrowed P.read\n"},
    {R("\"n == 5\""), R("\"n <= 5\""), "access-widened rule-widened P.read\n"},
    {R("\"s in ['a']\""), R("\"s in ['b', 'a']\""), "access-widened rule-widened P.read\n"},
    {R("\"s in ['a', 'b']\""), R("\"s == 'a'\""), "access-narrowed rule-narrowed P.read\n"},
    {R("\"!(open && n > 3)\""), R("\"!open\""), "access-narrowed rule-narrowed P.read\n"},
    {R("\"open && (n > 1 || s == 'a')\""), R("\"open && (n > 1 || s == 'a' || owner == auth.id)\""),
     "access-widened rule-widened P.read\n"},
    {SERVICE "type P @resource @access(read: \"true\") { id: ID! }",
     SERVICE "type P @resource @access(read: \"true\", create: \"auth.id != null\") { id: ID! }", "access-widened rule-widened P.create\n"},
    {SERVICE "type P @resource @access(read: \"true\", write: \"auth.id != null\") { id: ID! }",
     SERVICE "type P @resource @access(read: \"true\") { id: ID! }",
     "access-narrowed rule-narrowed P.create\naccess-narrowed rule-narrowed P.update\naccess-narrowed rule-narrowed P.delete\n"},
    /* Access of fields: what no rule narrows follows the type's. */
    {P("a: Int"), P("a: Int @access(read: \"auth.id != null\")"), "access-narrowed rule-narrowed P.a.read\n"},
    {P("a: Int @access(read: \"auth.id != null\")"), P("a: Int"), "access-widened rule-widened P.a.read\n"},
    {P("a: Int @access(create: \"a > 1\")"), P("a: Int @access(create: \"a > 0\")"), "access-widened rule-widened P.a.create\n"},
};

static Contract *load(Arena *arena, const char *name, const char *text) {
  DiagnosticList list = {0};
  Contract *contract = NULL;
  Error err = {0};
  ContractFile file = {str_of(name), str_of(text)};
  if (contract_load(&file, 1, arena, &contract, &list, &err) != CODE_OK)
    fail_msg("%s\n%.*s", text, list.count == 0 ? 0 : (int)list.items[0].message.len, list.count == 0 ? "" : list.items[0].message.ptr);
  return contract;
}

typedef struct Compared {
  Arena *arena;
  Contract *old, *new;
  Diff diff;
} Compared;

static Compared compare(const char *old, const char *new) {
  Compared compared = {.arena = arena_create(0)};
  Error err = {0};
  compared.old = load(compared.arena, "old.graphql", old);
  compared.new = load(compared.arena, "new.graphql", new);
  assert_int_equal(contract_diff(compared.old, compared.new, compared.arena, &compared.diff, &err), CODE_OK);
  return compared;
}

static void done(Compared compared) {
  contract_destroy(compared.old);
  contract_destroy(compared.new);
  arena_destroy(compared.arena);
}

static void each_change_is_told_to_whom_it_concerns(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    Compared compared = compare(changes[i].old, changes[i].new);
    Buf out = buf_on(compared.arena, 1 << 16);
    for (size_t k = 0; k < compared.diff.changes.count; k++) {
      const DiffChange *change = &compared.diff.changes.items[k];
      buf_printf(&out, "%.*s %.*s %.*s\n", STR_ARGS(diff_class_name(change->class)), STR_ARGS(change->kind), STR_ARGS(change->subject));
    }
    if (!str_equal(buf_str(&out), str_of(changes[i].expected)))
      fail_msg("%s\n%s\n%.*snot\n%s", changes[i].old, changes[i].new, STR_ARGS(buf_str(&out)), changes[i].expected);
    done(compared);
  }
}

static void text_is_grouped_and_names_the_place(void **state) {
  (void)state;
  Compared compared = compare(SERVICE "type P @resource\n  @access(read: \"true\") {\n  id: ID!\n  gone: Int\n}", SERVICE
                              "type P @resource\n  @access(read: \"true\", create: \"auth.id != null\") {\n  id: ID!\n  new: Int\n}");
  Buf out = buf_on(compared.arena, 1 << 16);
  diff_write_text(&out, &compared.diff);
  static const char expected[] = "Breaking for readers (1)\n"
                                 "  old.graphql:5:3: P.gone: is gone\n"
                                 "\nBreaking for writers (1)\n"
                                 "  old.graphql:5:3: P.gone: is gone: input that has it is refused\n"
                                 "\nAccess widened (1)\n"
                                 "  new.graphql:3:33: P.create: was refused, is \"auth.id != null\"\n"
                                 "\nCompatible (1)\n"
                                 "  new.graphql:5:3: P.new: is new\n";
  if (!str_equal(buf_str(&out), str_of(expected))) fail_msg("%.*s", STR_ARGS(buf_str(&out)));
  done(compared);
}

static void json_names_class_kind_and_both_places(void **state) {
  (void)state;
  Compared compared = compare(P("a: Int!"), P("a: Int"));
  Buf out = buf_on(compared.arena, 1 << 16);
  diff_write_json(&out, &compared.diff);
  JsonValue json;
  Error err = {0};
  assert_int_equal(json_parse(buf_str(&out), 16, compared.arena, &json, &err), CODE_OK);
  const JsonValue *change = &json_get(&json, STR("changes"))->items[0];
  assert_true(str_equal(json_get(change, STR("class"))->text, STR("breaking-readers")));
  assert_true(str_equal(json_get(change, STR("kind"))->text, STR("nullable")));
  assert_true(str_equal(json_get(change, STR("subject"))->text, STR("P.a")));
  assert_true(str_equal(json_get(json_get(change, STR("old")), STR("file"))->text, STR("old.graphql")));
  assert_true(str_equal(json_get(json_get(change, STR("new")), STR("line"))->text, STR("2")));
  assert_true(str_equal(json_get(json_get(&json, STR("counts")), STR("breaking-readers"))->text, STR("1")));
  assert_true(str_equal(json_get(json_get(&json, STR("counts")), STR("compatible"))->text, STR("0")));
  done(compared);
}

static void nothing_changes_between_equal_contracts(void **state) {
  (void)state;
  Compared compared = compare(D(""), D(""));
  Buf out = buf_on(compared.arena, 1 << 16);
  diff_write_text(&out, &compared.diff);
  assert_true(str_equal(buf_str(&out), STR("Nothing changes\n")));
  done(compared);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_change_is_told_to_whom_it_concerns),
      cmocka_unit_test(text_is_grouped_and_names_the_place),
      cmocka_unit_test(json_names_class_kind_and_both_places),
      cmocka_unit_test(nothing_changes_between_equal_contracts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
