/* expr_test.c - the rule language against INTERFACE §2, expression by expression. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/datetime.h"
#include "contract/expr.h"
#include "contract/expr_impl.h"
#include "contract/load.h"

static const char contract_text[] =
    "extend schema @service(name: \"library\", version: \"v1\")\n"
    "enum Status { OPEN CLOSED ARCHIVED @value(name: \"old\") }\n"
    "enum Kind { A_VALUE_WHOSE_NAME_IS_LONG_ENOUGH_TO_FILL_WHAT_A_HINT_HAS ANOTHER_WHOSE_NAME_IS_JUST_AS_LONG_AS_THAT_OF_THE_FIRST "
    "THE_THIRD }\n"
    "type Geo { lat: Float }\n"
    "type Seat @resource @access(read: \"true\", write: \"true\") { row: Int! @id place: Int! @id }\n"
    "type Address { city: String since: DateTime price: Decimal geo: Geo lines: [String!] }\n"
    "type Author @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID! name: String age: Int secret: String @hidden boss: Author books: [Book!]!\n"
    "}\n"
    "type Book @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID! title: String! pages: Int copies: BigInt weight: Float price: Decimal published: Boolean createdAt: DateTime due: Date\n"
    "  counts: [Int!] kind: Kind seat: Seat"
    "  code: UUID status: Status file: Bytes extra: JSON tags: [String!] prices: [Decimal] states: [Status!] address: Address addresses: "
    "[Address!]\n"
    "  author: Author\n"
    "}\n";

typedef struct Fixture {
  Arena *arena;
  Contract *contract;
  const Resource *book;
  Value row[64];
  JsonValue claims;
  Value roles[1];
  Caller caller;
} Fixture;

static void set(Fixture *fixture, const char *field, Value value) {
  const Field *found = resource_field(fixture->book, str_of(field));
  assert_non_null(found);
  fixture->row[found->stored_index] = value;
}

static int set_up(void **state) {
  static Fixture fixture;
  memset(&fixture, 0, sizeof fixture);
  fixture.arena = arena_create(0);
  ContractFile file = {STR("library.graphql"), {contract_text, sizeof contract_text - 1}};
  DiagnosticList list = {0};
  Error error = {0};
  Code code = contract_load(&file, 1, fixture.arena, &fixture.contract, &list, &error);
  if (code != CODE_OK) {
    Buf text = buf_on(fixture.arena, 1 << 20);
    diagnostics_write(&text, &list, false);
    fail_msg("%s %.*s", error.text, (int)text.len, text.ptr);
  }
  fixture.book = contract_resource(fixture.contract, STR("Book"));
  set(&fixture, "id", value_text(STR("b1")));
  set(&fixture, "title", value_text(STR("Tea \xf0\x9f\x8d\xb5")));
  set(&fixture, "pages", value_int(7));
  set(&fixture, "copies", value_int(INT64_MAX));
  set(&fixture, "weight", value_float(1.5));
  set(&fixture, "price", value_decimal(STR("10")));
  set(&fixture, "createdAt", (Value){.type = VALUE_TIMESTAMP, .integer = 1000000});
  set(&fixture, "due", (Value){.type = VALUE_DATE, .integer = 20000});
  set(&fixture, "code", value_text(STR("0193568d-4b6a-7c3e-8f2a-1b2c3d4e5f60")));
  set(&fixture, "status", value_text(STR("old")));
  set(&fixture, "file", (Value){.type = VALUE_BYTES, .text = STR("\0\xff")});
  set(&fixture, "tags", (Value){.type = VALUE_JSON, .text = STR("[\"a\",\"b\"]")});
  set(&fixture, "prices", (Value){.type = VALUE_JSON, .text = STR("[\"1.50\",null]")});
  set(&fixture, "states", (Value){.type = VALUE_JSON, .text = STR("[\"ARCHIVED\"]")});
  set(&fixture, "address",
      (Value){.type = VALUE_JSON, .text = STR("{\"city\":\"Bern\",\"price\":\"2.5\",\"geo\":{\"lat\":46.9},\"lines\":[\"x\"]}")});
  set(&fixture, "addresses", (Value){.type = VALUE_JSON, .text = STR("[{\"city\":\"Bern\"},{\"city\":\"Rome\"}]")});
  set(&fixture, "authorId", value_text(STR("a1")));
  assert_int_equal(json_parse(STR("{\"sub\":\"a1\",\"level\":7,\"admin\":true,\"groups\":[\"x\",\"y\"],\"limit\":\"10.0\"}"), 8,
                              fixture.arena, &fixture.claims, &error),
                   CODE_OK);
  fixture.roles[0] = value_text(STR("staff"));
  fixture.caller = (Caller){.is_authenticated = true, .id = value_text(STR("a1")), .roles = {fixture.roles, 1}, .claims = &fixture.claims};
  *state = &fixture;
  return 0;
}

static int tear_down(void **state) {
  Fixture *fixture = *state;
  contract_destroy(fixture->contract);
  arena_destroy(fixture->arena);
  return 0;
}

static const ExprLimits no_limits = {.depth_max = EXPR_DEPTH_MAX};

static Code parse(Fixture *fixture, const char *source, ExprUse use, const Expr **ret, ExprMistake *mistakes, size_t *count) {
  Error error = {0};
  return expr_parse(str_of(source), use == EXPR_USE_DEFAULT ? NULL : fixture->book, use, NULL, &no_limits, fixture->arena, ret, mistakes,
                    count, &error);
}

static const Expr *parsed(Fixture *fixture, const char *source, ExprUse use) {
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  if (parse(fixture, source, use, &expr, mistakes, &count) != CODE_OK) fail_msg("%s: %s", source, count > 0 ? mistakes[0].message : "?");
  return expr;
}

static bool holds_as(Fixture *fixture, const char *source, ExprUse use, const Caller *caller) {
  const Expr *expr = parsed(fixture, source, use);
  ExprEnv env = {.caller = caller, .now_us = 5000000, .row = fixture->row, .old = fixture->row};
  bool plain = false, reduced_holds = false;
  Error error = {0};
  assert_int_equal(expr_eval_bool(expr, &env, fixture->arena, &plain, &error), CODE_OK);
  /* Partial evaluation, without the row and with it, says the same. */
  ExprEnv without_row = {.caller = caller, .now_us = 5000000};
  const Expr *reduced = NULL;
  assert_int_equal(expr_reduce(expr, &without_row, fixture->arena, &reduced, &error), CODE_OK);
  assert_int_equal(expr_eval_bool(reduced, &env, fixture->arena, &reduced_holds, &error), CODE_OK);
  assert_int_equal(reduced_holds, plain);
  assert_int_equal(expr_reduce(expr, &env, fixture->arena, &reduced, &error), CODE_OK);
  assert_int_equal(reduced->kind, EXPR_LITERAL);
  assert_int_equal(expr_is_true(reduced), plain);
  return plain;
}

static void check_all_hold(Fixture *fixture, const char *const *sources, size_t count, ExprUse use, bool wanted) {
  for (size_t i = 0; i < count; i++) {
    if (holds_as(fixture, sources[i], use, &fixture->caller) != wanted) fail_msg("%s should be %s", sources[i], wanted ? "true" : "false");
  }
}
#define TRUE_OF(fixture, ...)                                                                                                              \
  check_all_hold(fixture, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), EXPR_USE_RULE,  \
                 true)
#define FALSE_OF(fixture, ...)                                                                                                             \
  check_all_hold(fixture, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), EXPR_USE_RULE,  \
                 false)

static void comparisons_are_exact(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "pages == 7", "pages != 8", "pages < 8", "pages >= 7", "7 == pages", "pages == 7.0", "pages < 7.5",
          "copies == 9223372036854775807", "copies > 9223372036854775806", "weight == 1.5", "weight < 2", "price == 10",
          "price == \"10.00\"", "price < 10.0000000000000000000000000001", "price > 9.9999999999999999999999999999",
          "title == 'Tea \\U0001F375'", "title > \"Tea\"", "createdAt == \"1970-01-01T00:00:01Z\"",
          "createdAt == '1970-01-01T01:00:01+01:00'", "createdAt < now()", "due == \"2024-10-04\"", "due < date(\"2024-10-05\")",
          "file == b'\\x00\\xff'", "code == '0193568D-4B6A-7C3E-8F2A-1B2C3D4E5F60'", "pages == 0x7",
          "title == \"\"\"Tea \xf0\x9f\x8d\xb5\"\"\"", "-pages == -7", "pages > -9223372036854775808");
  FALSE_OF(fixture, "pages == 8", "price == 10.01", "price < \"10\"", "title == 'tea'", "copies < 9223372036854775807", "pages < 7",
           "pages > 7.5");
}

static void null_is_false_but_where_it_is_asked_for(void **state) {
  Fixture *fixture = *state;
  set(fixture, "published", value_null());
  set(fixture, "pages", value_null());
  set(fixture, "authorId", value_null());
  set(fixture, "tags", value_null());
  TRUE_OF(fixture, "published == null", "!published", "published != true", "published != false", "pages == null", "pages != 7",
          "author == null", "author.id == null", "!has(pages)", "has(title)", "!(pages < 7)", "!(pages >= 7)", "tags == null",
          "tags.all(t, t == 'x')", "!('a' in tags)", "pages + 1 == null", "pages != copies", "published ? false : true",
          "!(author.name == auth.id)");
  FALSE_OF(fixture, "published", "published == false", "published == true", "pages == 7", "pages < 7", "pages >= 7", "author.id == auth.id",
           "author != null", "tags.exists(t, true)", "'a' in tags", "pages in [7]", "author.name.startsWith('')", "pages == pages",
           "size(tags) == 0");
}

static void a_stranger_is_nobody(void **state) {
  Fixture *fixture = *state;
  Caller stranger = {0};
  set(fixture, "authorId", value_null());
  assert_false(holds_as(fixture, "author.id == auth.id", EXPR_USE_RULE, &stranger));
  assert_true(holds_as(fixture, "auth.id == null", EXPR_USE_RULE, &stranger));
  assert_true(holds_as(fixture, "author.id != auth.id", EXPR_USE_RULE, &stranger));
  assert_false(holds_as(fixture, "'staff' in auth.roles", EXPR_USE_RULE, &stranger));
  assert_false(holds_as(fixture, "auth.claims.admin", EXPR_USE_RULE, &stranger));
  assert_false(holds_as(fixture, "pages > auth.claims.level", EXPR_USE_RULE, &stranger));
  assert_false(holds_as(fixture, "auth.claims.x == auth.claims.y", EXPR_USE_RULE, &stranger));
}

static void the_caller_is_known_by_id_roles_and_claims(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "author.id == auth.id", "authorId == auth.id", "'staff' in auth.roles", "auth.claims.admin",
          "auth.claims.level == pages", "auth.claims.level + 1 == pages + 1", "price == auth.claims.limit", "'x' in auth.claims.groups",
          "auth.claims.groups.exists(g, g == 'y')", "has(auth.claims.admin)", "size(auth.claims.groups) == 2", "auth.claims.sub == auth.id",
          "auth.id in ['a1']");
  FALSE_OF(fixture, "auth.claims.missing", "auth.claims.level", "auth.claims.level == title", "auth.claims.sub in tags",
           "pages == auth.id");
}

static void arithmetic_is_checked_and_null_where_it_fails(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "pages + 1 == 8", "pages / 2 == 3", "-pages / 2 == -3", "pages % 4 == 3", "-pages % 4 == -3", "copies + 1 == null",
          "copies * 2 == null", "-copies - 2 == null", "pages / (pages - 7) == null", "pages % (pages - 7) == null",
          "weight / (weight - 1.5) == null", "weight * 2 == 3", "price + 0.1 == 10.1", "price * price == 100", "price + pages == 17",
          "weight + pages == 8.5", "price * 1e36 * 10 * 10 == null", "createdAt + duration('1h30m') == timestamp('1970-01-01T01:30:01Z')",
          "duration('1s') + createdAt == createdAt + duration('1000ms')", "now() - createdAt == duration('4s')",
          "now() - createdAt < duration('24h')");
  FALSE_OF(fixture, "copies + 1 > 0", "copies + 1 <= 0", "weight * 1e308 * 10 > 0");
}

static void functions_of_text_go_by_code_points_and_bytes(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "size(title) == 5", "title.size() == 5", "title.startsWith('Tea')", "title.contains('ea ')",
          "title.endsWith('\\U0001F375')", "title.matches('^T.a')", "title.matches(\"\\\\p{So}$\")", "title.contains('')",
          "size(file) == 2", "matches(title, 'T')");
  FALSE_OF(fixture, "title.startsWith('tea')", "title.endsWith('Tea')", "title.contains('xyz')", "title.matches('^$')");
}

static void lists_and_embedded_objects_are_looked_into(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "'a' in tags", "size(tags) == 2", "tags.exists(t, t == 'b')", "tags.all(t, size(t) == 1)", "1.5 in prices",
          "\"1.5\" in prices", "size(prices) == 2", "prices.exists(p, p == null)", "pages in [1, 7, null]", "title in ['x', title]",
          "'ARCHIVED' in states", "address.city == 'Bern'", "address.price == 2.50", "address.geo.lat > 46", "address.since == null",
          "has(address.city)", "'x' in address.lines", "addresses.exists(a, a.city == 'Rome')", "!addresses.all(a, a.city == 'Rome')",
          "tags.exists(t, states.exists(s, s == 'ARCHIVED' && t == 'a'))", "has(title) && !(pages in [])");
  FALSE_OF(fixture, "'c' in tags", "pages in [1, 2]", "tags.exists(t, t == title)", "address.geo.lat > 47",
           "address.lines.exists(l, l == 'y')");
}

static void enums_are_written_by_name_and_sort_by_name(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "status == 'ARCHIVED'", "status in ['OPEN', 'ARCHIVED']", "status < 'CLOSED'", "status.startsWith('ARCH')",
          "size(status) == 8", "status in states", "status != 'OPEN'", "(pages == 7 ? status : 'OPEN') == 'ARCHIVED'",
          "status == title || status.contains('ARCH')");
  FALSE_OF(fixture, "status == 'OPEN'", "status > 'CLOSED'", "status == title");
}

static void update_rules_see_the_row_before(void **state) {
  Fixture *fixture = *state;
  assert_true(holds_as(fixture, "old.pages == pages && old.author.id == auth.id", EXPR_USE_UPDATE, &fixture->caller));
}

static void operators_bind_as_in_cel(void **state) {
  Fixture *fixture = *state;
  TRUE_OF(fixture, "pages == 7 || pages == 8 && pages == 9", "pages + 2 * 3 == 13", "(pages + 2) * 3 == 27", "pages - 2 - 3 == 2",
          "!(pages == 8) && has(title)", "pages == 7 ? true : pages == 8 ? false : false", "pages == 7 == true",
          "-(-pages) == 7 // a comment");
}

/* ---- mistakes ---- */

typedef struct Wrong {
  const char *source;
  const char *place; /* the text at which the mistake stands */
  const char *message;
  const char *hint;
} Wrong;

static void check_wrong(Fixture *fixture, const Wrong *wrong, ExprUse use) {
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  Code code = parse(fixture, wrong->source, use, &expr, mistakes, &count);
  if (code != CODE_BAD_REQUEST || count == 0) fail_msg("%s is refused (code %d)", wrong->source, (int)code);
  Str place = str_slice(str_of(wrong->source), mistakes[0].begin, mistakes[0].end);
  if (!str_equal(place, str_of(wrong->place)))
    fail_msg("%s: at \"%.*s\" (%s)", wrong->source, (int)place.len, place.ptr, mistakes[0].message);
  if (strstr(mistakes[0].message, wrong->message) == NULL) fail_msg("%s: %s", wrong->source, mistakes[0].message);
  if (strstr(mistakes[0].hint, wrong->hint) == NULL) fail_msg("%s: hint %s", wrong->source, mistakes[0].hint);
}

static void mistakes_say_where_and_what_instead(void **state) {
  Fixture *fixture = *state;
  const Wrong wrongs[] = {
      {"titel == 'x'", "titel", "Book has no field \"titel\"", "\"title\""},
      {"author.nam == 'x'", "nam", "Author has no field", "\"name\""},
      {"autor == null", "autor", "no field", "\"author\""},
      {"status == 'OPNE'", "'OPNE'", "not a value of Status", "OPEN"},
      {"status in ['OPEN', 'X']", "'X'", "not a value of Status", "OPEN, CLOSED, ARCHIVED"},
      {"pages == 'x'", "'x'", "is not a number", "without quotes"},
      {"pages == title", "pages == title", "can't be compared", ""},
      {"price / 2 == 5", "price / 2", "has no meaning", "multiply"},
      {"price == 'abc'", "'abc'", "not a Decimal", ""},
      {"createdAt > 'yesterday'", "'yesterday'", "not a DateTime", "RFC 3339"},
      {"createdAt > due", "createdAt > due", "can't be compared", "timestamp"},
      {"createdAt + '1h' > now()", "createdAt + '1h'", "no meaning", "duration"},
      {"author == 'a1'", "author == 'a1'", "can't be compared", "field of the row"},
      {"author", "author", "Boolean is needed", "null"},
      {"title", "title", "Boolean is needed", ""},
      {"pages && published", "pages", "Boolean is needed", ""},
      {"author.books.stars > 1", "author.books", "list of rows", "exists"},
      {"tags == 'x'", "tags == 'x'", "can't be compared", "in list"},
      {"title.startWith('x')", "startWith", "no function", "startsWith"},
      {"title.matches(title)", "title", "pattern", ""},
      {"title.matches('(')", "'('", "", ""},
      {"size(pages) == 1", "pages", "has no size", ""},
      {"size(title, 1) == 1", "size(title, 1)", "written size(x)", ""},
      {"pages = 7", "=", "single =", "=="},
      {"pages == 7 and published", "and", "stands where", "&&"},
      {"pages == 7 & published", "&", "single &", "&&"},
      {"(pages == 7", "", "ends where", ""},
      {"pages == 'x", "'x", "does not end", ""},
      {"pages == 99999999999999999999", "99999999999999999999", "64 bits", ""},
      {"weight == 1e999", "1e999", "fit a Float", ""},
      {"title == '\\q'", "\\q", "not an escape", ""},
      {"title == '\\ud800'", "\\ud800", "not a character", ""},
      {"title == '\\x00'", "\\x00", "NUL", ""},
      {"1 == 1", "1 == 1", "true whatever", "write true"},
      {"published || true", "published || true", "true whatever", ""},
      {"published && 1 > 2", "published && 1 > 2", "false whatever", "write false"},
      {"auth.name == 'x'", "name", "no \"name\"", "auth.id"},
      {"old.pages == 1", "old", "update rules only", ""},
      {"uuid() == id", "uuid()", "defaults only", ""},
      {"code == 'x'", "'x'", "not a UUID", ""},
      {"published < true", "published", "no order", ""},
      {"extra == 'x'", "extra == 'x'", "can't be compared", ""},
      {"tags.exists(1, true)", "1", "name for the item", ""},
      {"tags.exists(t, t)", "t", "Boolean is needed", ""},
      {"tags.exists(t, tags.exists(t, t == 'x'))", "t", "bound already", ""},
      {"author.books == null", "author.books == null", "never null", "size"},
      {"title + 'x' == 'y'", "title + 'x'", "no meaning", ""},
      {"address.town == 'x'", "town", "Address has no field", ""},
      {"pages.x == 1", "x", "has no fields", ""},
      {"", "", "ends where", ""},
      {"pages == 7 pages", "pages", "stands where", ""},
      {"now() - due > duration('1h')", "now() - due", "no meaning", ""},
      {"(published ? author : author) == null", "published ? author : author", "chooses between values", ""},
      {"size(nope) == 1", "nope", "no field \"nope\"", ""},
      {"tags.contains('a')", "tags", "stands where a String is needed", "write x in list"},
      {"nope.startsWith('x')", "nope", "no field", ""},
      {"timestamp(nope) > now()", "nope", "no field", ""},
      {"now() - createdAt > duration(title)", "title", "takes a string that is written here", ""},
      {"now() - createdAt > duration('x')", "'x'", "not a duration", "24h"},
      {"now() - createdAt == '1h'", "'1h'", "is not a duration", "duration("},
      {"tags.exists(auth, true)", "auth", "a meaning of its own", ""},
      {"nope.exists(x, true)", "nope", "no field", ""},
      {"title.exists(x, true)", "title", "takes a list", ""},
      {"exists(tags, t, true)", "exists(tags, t, true)", "it is written list.exists(x, condition)", ""},
      {"tags.all(a, tags.all(b, tags.all(c, tags.all(d, tags.all(e, tags.all(f, tags.all(g, tags.all(h, tags.all(i, true)))))))))",
       "tags.all(i, true)", "more than 8 deep", ""},
      {"pages in [author]", "author", "a list holds values", ""},
      {"title in ['a', published]", "'a', published", "can't be in one list", ""},
      {"null == author.books", "null == author.books", "never null", "size"},
      {"extra < null", "extra", "no order", ""},
      {"pages in tags", "pages in tags", "can't be compared", ""},
      {"1.5 in counts", "1.5", "never an item of this list", ""},
      {"'x' in author.books", "author.books", "a list of rows holds no values", "exists"},
      {"tags in tags", "tags", "never an item of a list", ""},
      {"pages in title", "title", "stands where a list is needed", "contains"},
      {"nope + 1 == 2", "nope", "no field", ""},
      {"price + 'x' == 1", "'x'", "not a Decimal", ""},
      {"-nope == 1", "nope", "no field", ""},
      {"-title == 'x'", "-title", "has no negative", ""},
      {"-published", "-published", "has no negative", "write !"},
      {"(published ? null : null) == pages", "published ? null : null", "chooses between values", ""},
      {"(published ? 1 : 'x') == 1", "'x'", "not a number", ""},
      {"due == 'x'", "'x'", "not a Date", "2026-11-23"},
      {"file == 'x'", "'x'", "not Bytes", "b\""},
      {"status == kind", "kind", "can't be compared", ""},
      {"kind == 'nothing like any of them'", "'nothing like any of them'", "not a value of Kind", "its values are A_VALUE"},
      {"title == '\\xZZ'", "\\xZ", "not an escape", ""},
      {"title == '\\u12G4'", "\\u1", "not an escape", ""},
      {"tags.x == 1", "tags.x", "is a list and has no fields", "exists"},
      {"auth.claims.groups.exists(g, g.x == 1)", "g.x", "has no fields", ""},
      {"addresses.exists(a, a.nope == 1)", "nope", "Address has no field", ""},
      {"auth == null", "auth", "no value of its own", "auth.id"},
      {"'x'.y == 1", "y", "nothing to belong to", ""},
      {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a == 1",
       "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "at most 32 names", ""},
      {"pages in [1, @]", "@", "means nothing here", ""},
      {"pages in [1 2]", "2", "comma or ]", ""},
      {"(@", "@", "means nothing here", ""},
      {"title.@", "@", "means nothing here", ""},
      {"title.size@", "@", "means nothing here", ""},
      {"!@", "@", "means nothing here", ""},
      {"!)", ")", "a value is expected", ""},
      {"pages == )", ")", "a value is expected", ""},
      {"published ? @", "@", "means nothing here", ""},
      {"published ? )", ")", "a value is expected", ""},
      {"published ? true : @", "@", "means nothing here", ""},
      {"published ? true : )", ")", "a value is expected", ""},
      {"published ? true", "", "the : of a condition", ""},
  };
  for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) check_wrong(fixture, &wrongs[i], EXPR_USE_RULE);
}

static void a_filter_knows_the_caller_and_no_hidden_fields(void **state) {
  Fixture *fixture = *state;
  assert_int_equal(parsed(fixture, "author.id == auth.id", EXPR_USE_FILTER)->args[1]->kind, EXPR_AUTH_ID);
  check_wrong(fixture, &(Wrong){"author.secret == 'x'", "secret", "no field", ""}, EXPR_USE_FILTER);
  const Expr *constant = parsed(fixture, "1 == 1", EXPR_USE_FILTER);
  assert_int_equal(constant->kind, EXPR_EQ);
}

static void every_mistake_is_told_at_once(void **state) {
  Fixture *fixture = *state;
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  assert_int_equal(parse(fixture, "titel == 'x' && (pages == 'y' || authr.id == auth.id)", EXPR_USE_RULE, &expr, mistakes, &count),
                   CODE_BAD_REQUEST);
  assert_int_equal(count, 3);
}

static void hostile_sources_are_refused(void **state) {
  Fixture *fixture = *state;
  enum { DEEP = 10000 };
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  static const struct {
    const char *open, *middle, *close;
  } nests[] = {{"(", "true", ")"},  {"!", "published", ""}, {"[", "1", "]"},           {"-", "1", ""},
               {"", "pages", "+1"}, {"", "pages", ".x"},    {"true?", "true", ":true"}};
  for (size_t n = 0; n < sizeof nests / sizeof *nests; n++) {
    Buf source = buf_on(fixture->arena, 1 << 20);
    for (size_t i = 0; i < DEEP; i++) buf_add(&source, str_of(nests[n].open));
    buf_add(&source, str_of(nests[n].middle));
    for (size_t i = 0; i < DEEP; i++) buf_add(&source, str_of(nests[n].close));
    buf_add_byte(&source, '\0');
    assert_int_equal(parse(fixture, source.ptr, EXPR_USE_RULE, &expr, mistakes, &count), CODE_BAD_REQUEST);
    assert_true(count > 0);
  }
}

static void a_long_chain_adds_no_depth(void **state) {
  Fixture *fixture = *state;
  Buf source = buf_on(fixture->arena, 1 << 20);
  for (size_t i = 0; i < 2000; i++) buf_printf(&source, "%spages == %zu", i == 0 ? "" : " || ", i);
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  Error error = {0};
  assert_int_equal(
      expr_parse(buf_str(&source), fixture->book, EXPR_USE_RULE, NULL, &no_limits, fixture->arena, &expr, mistakes, &count, &error),
      CODE_OK);
  ExprLimits filter = {.bytes_max = 4096, .nodes_max = EXPR_FILTER_NODES_MAX, .depth_max = EXPR_DEPTH_MAX};
  assert_int_equal(
      expr_parse(buf_str(&source), fixture->book, EXPR_USE_FILTER, NULL, &filter, fixture->arena, &expr, mistakes, &count, &error),
      CODE_TOO_LARGE);
  assert_int_equal(expr_parse(str_slice(buf_str(&source), 0, 2000), fixture->book, EXPR_USE_FILTER, NULL, &filter, fixture->arena, &expr,
                              mistakes, &count, &error),
                   CODE_TOO_LARGE);
}

/* ---- reduction ---- */

static void check_reduced(Fixture *fixture, const char *source, const char *wanted) {
  const Expr *expr = parsed(fixture, source, EXPR_USE_RULE), *reduced = NULL;
  ExprEnv env = {.caller = &fixture->caller, .now_us = 5000000};
  Error error = {0};
  assert_int_equal(expr_reduce(expr, &env, fixture->arena, &reduced, &error), CODE_OK);
  Buf text = buf_on(fixture->arena, 4096);
  expr_write(&text, reduced);
  buf_add_byte(&text, '\0');
  assert_string_equal(text.ptr, wanted);
}

/* What is written is read again as what it was: 0 is an Int, which has no sign. */
static void a_negative_zero_is_written_as_one(void **state) {
  Fixture *fixture = *state;
  check_reduced(fixture, "weight < -0.0", "(weight < 0)");
  check_reduced(fixture, "weight < 0.0", "(weight < 0)");
}

static void what_is_known_of_the_caller_is_folded(void **state) {
  Fixture *fixture = *state;
  check_reduced(fixture, "'staff' in auth.roles || published", "true");
  check_reduced(fixture, "'boss' in auth.roles || published", "(published == true)");
  check_reduced(fixture, "'boss' in auth.roles && published", "false");
  check_reduced(fixture, "published || author.id == auth.id", "(published || (authorId == \"a1\"))");
  check_reduced(fixture, "author.id == auth.claims.nothing", "false");
  check_reduced(fixture, "author.id != auth.claims.nothing", "true");
  check_reduced(fixture, "pages < auth.claims.level", "(pages < 7)");
  check_reduced(fixture, "tags.exists(t, t in auth.claims.groups)", "tags.exists(t, (t in [\"x\", \"y\"]))");
  check_reduced(fixture, "!(!published) && true", "(published == true)");
  check_reduced(fixture, "createdAt > now() - duration('1s')", "(createdAt > timestamp(\"1970-01-01T00:00:04Z\"))");
  check_reduced(fixture, "('staff' in auth.roles && published) == true", "((published == true) == true)");
  check_reduced(fixture, "author.name == 'x'", "(author.name == \"x\")");
  check_reduced(fixture, "status == 'ARCHIVED'", "(status == \"ARCHIVED\")");
}

static void a_reduced_tree_owns_its_literals(void **state) {
  Fixture *fixture = *state;
  ExprEnv env = {.caller = &fixture->caller};
  Error error = {0};
  const Expr *reduced = NULL;
  const Expr *with_literal = parsed(fixture, "pages == 1 && published", EXPR_USE_RULE);
  assert_int_equal(expr_reduce(with_literal, &env, fixture->arena, &reduced, &error), CODE_OK);
  assert_ptr_not_equal(reduced->args[0]->args[1], with_literal->args[0]->args[1]);
  const Expr *without = parsed(fixture, "published && author == null", EXPR_USE_RULE);
  assert_int_equal(expr_reduce(without, &env, fixture->arena, &reduced, &error), CODE_OK);
  assert_ptr_equal(reduced, without);
  const Expr *open = parsed(fixture, "true", EXPR_USE_RULE);
  assert_int_equal(expr_reduce(open, &env, fixture->arena, &reduced, &error), CODE_OK);
  assert_true(expr_is_true(reduced));
}

/* ---- defaults ---- */

static void defaults_take_the_fields_type(void **state) {
  Fixture *fixture = *state;
  static const struct {
    const char *source, *field;
    ValueType type;
  } defaults[] = {{"auth.id", "author", VALUE_TEXT},
                  {"now()", "createdAt", VALUE_TIMESTAMP},
                  {"uuid()", "code", VALUE_TEXT},
                  {"now()", "due", VALUE_DATE},
                  {"auth.claims.level", "pages", VALUE_INT},
                  {"1", "price", VALUE_DECIMAL},
                  {"'OPEN'", "status", VALUE_TEXT},
                  {"'staff' in auth.roles", "published", VALUE_BOOL},
                  {"auth.roles", "tags", VALUE_LIST},
                  {"'staff' in auth.roles ? 'ARCHIVED' : 'OPEN'", "status", VALUE_TEXT}};
  for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
    const Expr *expr = NULL;
    ExprMistake mistakes[EXPR_MISTAKES_MAX];
    size_t count = 0;
    Error error = {0};
    const Field *field = resource_field(fixture->book, str_of(defaults[i].field));
    Code code =
        expr_parse(str_of(defaults[i].source), NULL, EXPR_USE_DEFAULT, field, &no_limits, fixture->arena, &expr, mistakes, &count, &error);
    if (code != CODE_OK) fail_msg("%s: %s", defaults[i].source, error.text);
    ExprEnv env = {.caller = &fixture->caller, .now_us = 5000000};
    Value value;
    assert_int_equal(expr_eval(expr, &env, fixture->arena, &value, &error), CODE_OK);
    assert_int_equal(value.type, defaults[i].type);
    if (i == 9) assert_memory_equal(value.text.ptr, "old", 3);
  }
}

static void a_default_of_another_type_is_refused(void **state) {
  Fixture *fixture = *state;
  static const struct {
    const char *source, *field, *message;
  } wrongs[] = {{"'x'", "published", "'x' is not a Boolean"},
                {"'staff' in auth.roles ? 'OPNE' : 'OPEN'", "status", "\"OPNE\" is not a value of Status"},
                {"'x'", "code", "'x' is not a UUID"},
                {"auth.roles", "counts", "a list of another type stands where a list of an integer is needed"},
                {"now()", "pages", "a DateTime stands where an integer is needed"},
                {"'1'", "seat", "a relation with a composite key has no default"},
                {"nope", "pages", "\"nope\" is unknown: a default sees auth, now() and uuid(), and no row"}};
  for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
    const Expr *expr = NULL;
    ExprMistake mistakes[EXPR_MISTAKES_MAX];
    size_t count = 0;
    Error error = {0};
    const Field *field = resource_field(fixture->book, str_of(wrongs[i].field));
    Code code =
        expr_parse(str_of(wrongs[i].source), NULL, EXPR_USE_DEFAULT, field, &no_limits, fixture->arena, &expr, mistakes, &count, &error);
    if (code != CODE_BAD_REQUEST) fail_msg("%s for %s: %d", wrongs[i].source, wrongs[i].field, (int)code);
    assert_int_equal(count, 1);
    assert_string_equal(mistakes[0].message, wrongs[i].message);
  }
}

/* ---- memory ---- */

static void running_out_of_memory_is_an_error_everywhere(void **state) {
  Fixture *fixture = *state;
  static const char source[] =
      "title.matches('^T') && (price + 1 > '2.5' || tags.exists(t, t in ['a', auth.id])) && address.city == auth.claims.sub";
  bool is_done = false;
  for (size_t after = 1; !is_done && after < 10000; after++) {
    Arena *arena = arena_create(0);
    assert_non_null(arena);
    const Expr *expr = NULL, *reduced = NULL;
    ExprMistake mistakes[EXPR_MISTAKES_MAX];
    size_t count = 0;
    Error error = {0};
    ExprEnv env = {.caller = &fixture->caller, .row = NULL};
    ExprEnv with_row = {.caller = &fixture->caller, .row = fixture->row};
    bool holds = false;
    memory_fail_after(after);
    Code code = expr_parse(str_of(source), fixture->book, EXPR_USE_RULE, NULL, &no_limits, arena, &expr, mistakes, &count, &error);
    if (code == CODE_OK) code = expr_reduce(expr, &env, arena, &reduced, &error);
    if (code == CODE_OK) code = expr_eval_bool(reduced, &with_row, arena, &holds, &error);
    memory_fail_after(0);
    is_done = code == CODE_OK;
    if (!is_done) assert_int_equal(code, CODE_UNAVAILABLE);
    arena_destroy(arena);
  }
  assert_true(is_done);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(comparisons_are_exact, set_up, tear_down),
      cmocka_unit_test_setup_teardown(null_is_false_but_where_it_is_asked_for, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_stranger_is_nobody, set_up, tear_down),
      cmocka_unit_test_setup_teardown(the_caller_is_known_by_id_roles_and_claims, set_up, tear_down),
      cmocka_unit_test_setup_teardown(arithmetic_is_checked_and_null_where_it_fails, set_up, tear_down),
      cmocka_unit_test_setup_teardown(functions_of_text_go_by_code_points_and_bytes, set_up, tear_down),
      cmocka_unit_test_setup_teardown(lists_and_embedded_objects_are_looked_into, set_up, tear_down),
      cmocka_unit_test_setup_teardown(enums_are_written_by_name_and_sort_by_name, set_up, tear_down),
      cmocka_unit_test_setup_teardown(update_rules_see_the_row_before, set_up, tear_down),
      cmocka_unit_test_setup_teardown(operators_bind_as_in_cel, set_up, tear_down),
      cmocka_unit_test_setup_teardown(mistakes_say_where_and_what_instead, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_filter_knows_the_caller_and_no_hidden_fields, set_up, tear_down),
      cmocka_unit_test_setup_teardown(every_mistake_is_told_at_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(hostile_sources_are_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_long_chain_adds_no_depth, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_known_of_the_caller_is_folded, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_negative_zero_is_written_as_one, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_reduced_tree_owns_its_literals, set_up, tear_down),
      cmocka_unit_test_setup_teardown(defaults_take_the_fields_type, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_default_of_another_type_is_refused, set_up, tear_down),
      cmocka_unit_test_setup_teardown(running_out_of_memory_is_an_error_everywhere, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
