/* text_test.c - memory that runs out wherever a text becomes what it stands for: rules, values, patches, tables, messages of protocol
 * buffers, coded bytes. What each text says with memory is in the unit tests beside the code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/proto_decode.h"
#include "api/proto_json.h"
#include "api/proto_select.h"
#include "codec/brotli.h"
#include "codec/csv.h"
#include "codec/gzip.h"
#include "codec/json_patch.h"
#include "codec/json_sort.h"
#include "codec/zstd.h"
#include "contract/expr_why.h"
#include "contract/input.h"
#include "contract/load.h"
#include "contract/value_json.h"
#include "lack.h"

enum { ROW_MAX = 64, NOW_US = 5000000, MESSAGE_MAX = 1024 };

static const char contract_text[] =
    "extend schema @service(name: \"library\", version: \"v1\")\n"
    "enum Status { OPEN CLOSED ARCHIVED @value(name: \"old\") }\n"
    "type Geo { lat: Float any: JSON }\n"
    "type Address { city: String! @length(min: 1, max: 9) since: DateTime price: Decimal geo: Geo lines: [String!] status: Status }\n"
    "type Author @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID! name: String age: Int secret: String @hidden boss: Author books: [Book!]!\n"
    "}\n"
    "type Book @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID! title: String! @length(min: 1, max: 20) pages: Int @range(min: 1, max: 5000) copies: BigInt weight: Float\n"
    "  price: Decimal @decimal(precision: 8, scale: 2) @range(min: \"0.5\") published: Boolean createdAt: DateTime due: Date @range(min: "
    "\"2000-01-01\")\n"
    "  code: UUID status: Status file: Bytes @length(max: 8) extra: JSON tags: [String!] @length(max: 3) @pattern(regex: \"^[a-z]+$\")\n"
    "  prices: [Decimal] states: [Status!] address: Address addresses: [Address!] mail: Email link: URL counts: [Int!]\n"
    "  author: Author\n"
    "}\n"
    "type Place @resource @access(read: \"true\", write: \"true\") { house: UUID! @id day: Date! @id name: String! }\n";

static struct {
  Arena *arena;
  Contract *contract;
  const Resource *book;
  Value row[ROW_MAX], author[ROW_MAX];
  JsonValue claims;
  Value roles[1];
  Caller caller;
  ProtoSchema *proto;
  bool is_bad; /* all are shown before a test ends */
} world;

static void set(Value *row, const Resource *resource, const char *field, Value value) {
  const Field *found = resource_field(resource, str_of(field));
  assert_non_null(found);
  row[found->stored_index] = value;
}

static void make_rows(void) {
  const Resource *author = contract_resource(world.contract, STR("Author"));
  world.book = contract_resource(world.contract, STR("Book"));
  set(world.row, world.book, "id", value_text(STR("b1")));
  set(world.row, world.book, "title", value_text(STR("Tea")));
  set(world.row, world.book, "pages", value_int(7));
  set(world.row, world.book, "copies", value_int(INT64_MAX));
  set(world.row, world.book, "weight", value_float(1.5));
  set(world.row, world.book, "price", value_decimal(STR("10")));
  set(world.row, world.book, "createdAt", (Value){.type = VALUE_TIMESTAMP, .integer = 1000000});
  set(world.row, world.book, "due", (Value){.type = VALUE_DATE, .integer = 20000});
  set(world.row, world.book, "status", value_text(STR("old")));
  set(world.row, world.book, "file", (Value){.type = VALUE_BYTES, .text = STR("\0\xff")});
  set(world.row, world.book, "tags", (Value){.type = VALUE_JSON, .text = STR("[\"a\",\"b\"]")});
  set(world.row, world.book, "prices", (Value){.type = VALUE_JSON, .text = STR("[\"1.50\",null]")});
  set(world.row, world.book, "states", (Value){.type = VALUE_JSON, .text = STR("[\"ARCHIVED\"]")});
  set(world.row, world.book, "address",
      (Value){.type = VALUE_JSON, .text = STR("{\"city\":\"Bern\",\"price\":\"2.50\",\"geo\":{\"lat\":46.9},\"lines\":[\"x\"]}")});
  set(world.row, world.book, "addresses", (Value){.type = VALUE_JSON, .text = STR("[{\"city\":\"Bern\"},{\"city\":\"Rome\"}]")});
  set(world.row, world.book, "authorId", value_text(STR("a1")));
  set(world.author, author, "id", value_text(STR("a1")));
  set(world.author, author, "name", value_text(STR("Ann")));
  set(world.author, author, "bossId", value_text(STR("a1")));
}

static int set_up(void **state) {
  (void)state;
  world.arena = arena_create(0);
  ContractFile file = {STR("library.graphql"), {contract_text, sizeof contract_text - 1}};
  DiagnosticList list = {0};
  if (contract_load(&file, 1, world.arena, &world.contract, &list, NULL) != CODE_OK) fail_msg("%.*s", STR_ARGS(list.items[0].message));
  make_rows();
  assert_int_equal(
      json_parse(STR("{\"sub\":\"a1\",\"level\":7,\"admin\":true,\"groups\":[\"x\",\"y\"],\"limit\":\"10.00\",\"file\":\"AP8=\","
                     "\"at\":\"1970-01-01T00:00:01Z\",\"more\":{\"a\":1}}"),
                 8, world.arena, &world.claims, NULL),
      CODE_OK);
  world.roles[0] = value_text(STR("staff"));
  world.caller = (Caller){.is_authenticated = true, .id = value_text(STR("a1")), .roles = {world.roles, 1}, .claims = &world.claims};
  assert_int_equal(proto_schema_create(world.contract, NULL, world.arena, &world.proto, NULL), CODE_OK);
  lack_init();
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  contract_destroy(world.contract);
  arena_destroy(world.arena);
  return 0;
}

static void check(const char *text, bool is_taken, LackWork *work, const void *context) {
  Arena *arena = arena_create(0);
  Error err = {0};
  Buf out = buf_on(arena, LACK_TEXT_BYTES_MAX);
  if ((work(context, arena, &out, &err) == CODE_OK) != is_taken)
    fail_msg("%s is %s: %s %.*s", text, is_taken ? "refused" : "taken", err.text, STR_ARGS(buf_str(&out)));
  arena_destroy(arena);
  if (!lack_check(text, work, context)) world.is_bad = true;
}

static void all_were_right(void) {
  bool is_bad = world.is_bad;
  world.is_bad = false;
  assert_false(is_bad);
}

/* What is refused has been told so; what it says instead is for the comparison. */
static Code refused(Code code, Buf *out, const Error *err) {
  if (code != CODE_OK && code != CODE_UNAVAILABLE) buf_printf(out, "%s\n", err->text);
  return code;
}

/* ---- rules ---- */

typedef struct Rule {
  const char *text;
  ExprUse use;
  const char *field; /* a default's; NULL: a Boolean */
  bool is_random;    /* what it gives is always new */
  bool is_refused;
} Rule;

static const Value *to_one(void *context, const Relation *relation, const Value *row) {
  (void)context, (void)relation, (void)row;
  return world.author;
}

static size_t to_many(void *context, const Relation *relation, const Value *row, const Value *const **ret_rows) {
  static const Value *const rows[] = {world.row};
  (void)context, (void)relation, (void)row;
  *ret_rows = rows;
  return 1;
}

static Code ask_oracle(void *context, const Expr *expr, bool *ret, Error *err) {
  Arena *arena = context;
  (void)expr;
  *ret = false;
  return arena_alloc(arena, 8) == NULL ? error_no_memory(err) : CODE_OK;
}

static void write_why(const Why *why, Buf *out) {
  for (size_t i = 0; i < why->parts.count; i++) {
    const WhyPart *part = &why->parts.items[i];
    buf_printf(out, "%.*s %d", STR_ARGS(part->text), (int)part->verdict);
    for (size_t k = 0; k < part->values.count; k++)
      buf_printf(out, " %.*s=%.*s", STR_ARGS(part->values.items[k].name), STR_ARGS(part->values.items[k].text));
    buf_add_byte(out, '\n');
  }
}

static Code judge(const Expr *expr, Arena *arena, Buf *out, Error *err) {
  ExprResolver resolver = {to_one, to_many, NULL};
  WhyOracle oracle = {ask_oracle, arena};
  ExprEnv nothing = {.caller = &world.caller, .now_us = NOW_US}, rows = nothing, all = nothing;
  const Expr *reduced = NULL;
  bool holds = false;
  Why why = {0};
  rows.row = rows.old = world.row;
  all = rows;
  all.resolver = &resolver;
  TRY(expr_reduce(expr, &nothing, arena, &reduced, err));
  expr_write(out, reduced);
  TRY(expr_eval_bool(expr, &all, arena, &holds, err));
  buf_printf(out, "\n%d\n", holds);
  TRY(expr_eval_bool(reduced, &all, arena, &holds, err));
  buf_printf(out, "%d\n", holds);
  TRY(expr_reduce(expr, &rows, arena, &reduced, err));
  expr_write(out, reduced);
  TRY(expr_why(expr, &rows, &oracle, arena, &why, err));
  write_why(&why, out);
  return CODE_OK;
}

static Code rule_work(const void *context, Arena *arena, Buf *out, Error *err) {
  static const ExprLimits limits = {.bytes_max = 4096, .nodes_max = 1000, .depth_max = EXPR_DEPTH_MAX};
  const Rule *rule = context;
  const Field *field = rule->field == NULL ? NULL : resource_field(world.book, str_of(rule->field));
  ExprMistake mistakes[EXPR_MISTAKES_MAX];
  size_t count = 0;
  const Expr *expr = NULL;
  Code code =
      expr_parse(str_of(rule->text), field == NULL ? world.book : NULL, rule->use, field, &limits, arena, &expr, mistakes, &count, err);
  for (size_t i = 0; code == CODE_BAD_REQUEST && i < count; i++)
    buf_printf(out, "%u %u %s %s\n", mistakes[i].begin, mistakes[i].end, mistakes[i].message, mistakes[i].hint);
  if (code != CODE_OK) return code;
  if (!rule->is_random) expr_write(out, expr);
  if (field == NULL) return judge(expr, arena, out, err);
  ExprEnv env = {.caller = &world.caller, .now_us = NOW_US};
  Value value = value_null();
  TRY(expr_eval(expr, &env, arena, &value, err));
  if (!rule->is_random) value_write_json(field, &value, out);
  return CODE_OK;
}

static void rules_are_parsed_reduced_and_judged(void **state) {
  (void)state;
  static const char *const rules[] = {
      "pages == 7 && published || pages < 7.5 && weight >= 1.5 && title != 'x' || price == \"10.00\" || copies > 3 || pages != 8 || pages "
      "> 1"
      " || pages > 2 || pages > 3 || pages > 4 || pages > 5",
      "createdAt < now() && due == \"2024-10-04\" && due < date(\"2024-10-05\") && createdAt == '1970-01-01T00:00:01Z'",
      "file == b'\\x00\\xff' && code == '0193568D-4B6A-7C3E-8F2A-1B2C3D4E5F60' || title == \"\"\"a\\u00e4\"\"\" || file == b'\\xFF'",
      "author.name == 'Ann' && author.boss.name != null && has(author.age) || author == null",
      "author.books.exists(b, b.pages > 3 && b.author.name == 'Ann') && author.books.all(b, b.tags.exists(t, t == 'a'))",
      "size(author.books) == 1 && size(title) == 3 && size(file) == 2 && size(tags) == 2 && size(auth.claims.groups) == 2",
      "tags.exists(t, t == 'b' && t in auth.claims.groups) || tags.all(t, size(t) == 1) && 'a' in tags && !('c' in tags)",
      "1.5 in prices && prices.exists(p, p == null) && pages in [1, 7, null] && title in ['x', title] && status in states",
      "pages in [1, 7.5] || weight in [1, 2] || price in [1, 2.5] || auth.id in ['a1', 'a2'] || auth.claims.level in [7] || null in tags",
      "address.city == 'Bern' && address.price == 2.50 && address.geo.lat > 46 && address.since == null && 'x' in address.lines",
      "addresses.exists(a, a.city == 'Rome' && a.price == null) && address.geo.any == null && has(address.geo.any)",
      "status == 'ARCHIVED' || status < 'CLOSED' || status.startsWith('ARCH') || status == title || (published ? status : 'OPEN') == "
      "'OPEN'",
      "pages + 1 == 8 && pages / 2 * 2 - 1 % 3 == -pages && price + 0.1 == 10.1 && weight * 2 == 3 && copies + 1 == null && price * price "
      "> 1",
      "createdAt + duration('1h30m') > now() - duration('1s') && now() - createdAt == duration('4s') && -duration('1s') < duration('2s')",
      "title.startsWith('T') && title.endsWith('a') && title.contains('e') && title.matches('^T.a$') && matches(title, 'T')",
      "'staff' in auth.roles && auth.claims.admin && auth.claims.level + 1 == pages + 1 && price == auth.claims.limit && "
      "has(auth.claims.sub)",
      "auth.claims.groups.exists(g, g == 'y') && 'x' in auth.claims.groups && auth.claims.file == file && auth.claims.at == createdAt",
      "auth.claims.sub == auth.id && auth.claims.nothing == null && auth.claims.more == null && timestamp(auth.claims.at) == createdAt",
      "!published && !(pages < 7) && (published ? pages > 1 : weight > 1) && (published ? null : 3) == pages && -(-pages) == 7 && -(3) < 0",
      "(published == true ? title : 'x') == auth.id || (author.name == 'x' ? true : tags.exists(t, t == title))",
  };
  static const char *const refused_rules[] = {
      "price / 2 == 1 || nope == 2 || tags == 'x' || title.matches('(') || status == 'OPNE' || pages == 'x' || [author] == tags",
      "size(title, 1) == 1",
      "title == '\\q'",
      "(pages == 7",
      "1 == 1",
      "published || true",
  };
  static const Rule others[] = {
      {"old.pages == pages && old.author.id == auth.id && old.author.name == 'x'", EXPR_USE_UPDATE, NULL, false, false},
      {"author.id == auth.id && author.secret == 'x'", EXPR_USE_FILTER, NULL, false, true},
      {"author.id == auth.id && author.books.exists(b, b.id == 'x')", EXPR_USE_FILTER, NULL, false, false},
      {"auth.id", EXPR_USE_DEFAULT, "author", false, false},
      {"now()", EXPR_USE_DEFAULT, "createdAt", false, false},
      {"now()", EXPR_USE_DEFAULT, "due", false, false},
      {"uuid()", EXPR_USE_DEFAULT, "code", true, false},
      {"uuid()", EXPR_USE_DEFAULT, "title", true, false},
      {"auth.claims.level", EXPR_USE_DEFAULT, "pages", false, false},
      {"auth.claims.limit", EXPR_USE_DEFAULT, "price", false, false},
      {"auth.claims.groups", EXPR_USE_DEFAULT, "tags", false, false},
      {"auth.claims.file", EXPR_USE_DEFAULT, "file", false, false},
      {"1", EXPR_USE_DEFAULT, "price", false, false},
      {"auth.roles", EXPR_USE_DEFAULT, "tags", false, false},
      {"'OPEN'", EXPR_USE_DEFAULT, "status", false, false},
      {"'0193568D-4B6A-7C3E-8F2A-1B2C3D4E5F60'", EXPR_USE_DEFAULT, "code", false, false},
      {"'staff' in auth.roles ? 'ARCHIVED' : 'OPEN'", EXPR_USE_DEFAULT, "status", false, false},
      {"'staff' in auth.roles ? now() : null", EXPR_USE_DEFAULT, "due", false, false},
      {"auth.roles", EXPR_USE_DEFAULT, "counts", false, true},
      {"'x'", EXPR_USE_DEFAULT, "published", false, true},
  };
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) check(rules[i], true, rule_work, &(Rule){.text = rules[i]});
  for (size_t i = 0; i < sizeof refused_rules / sizeof *refused_rules; i++)
    check(refused_rules[i], false, rule_work, &(Rule){.text = refused_rules[i]});
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) check(others[i].text, !others[i].is_refused, rule_work, &others[i]);
  all_were_right();
}

/* ---- values ---- */

typedef struct Given {
  const char *field, *json;
  bool is_text; /* of a URL */
  bool is_refused;
} Given;

static void write_input_mistakes(const InputMistakes *mistakes, Buf *out) {
  for (size_t i = 0; i < mistakes->count; i++)
    buf_printf(out, "%d %.*s %.*s\n", (int)mistakes->items[i].code, STR_ARGS(mistakes->items[i].pointer),
               STR_ARGS(mistakes->items[i].detail));
}

static Code value_work(const void *context, Arena *arena, Buf *out, Error *err) {
  const Given *given = context;
  const Field *field = resource_field(world.book, str_of(given->field));
  InputPath path = {.name = field->name};
  InputMistakes mistakes = {0};
  JsonValue json;
  Value value = value_null();
  Code code;
  if (given->is_text) {
    code = field_text_decode(field, str_of(given->json), &path, arena, &value, &mistakes, err);
  } else {
    TRY(json_parse(str_of(given->json), JSON_DEPTH_DEFAULT, arena, &json, err));
    code = field_value_decode(field, &json, &path, arena, &value, &mistakes, err);
  }
  if (code == CODE_OK) {
    value_write_json(field, &value, out);
    code = field_value_check(field, &value, &path, arena, &mistakes, err);
  }
  if (code != CODE_UNAVAILABLE) write_input_mistakes(&mistakes, out);
  return code;
}

static void values_are_taken_or_refused(void **state) {
  (void)state;
  static const Given givens[] = {
      {"title", "\"Tea\\u00e4\"", false, false},
      {"title", "\"\"", false, true},
      {"title", "null", false, true},
      {"title", "5", false, true},
      {"pages", "7", false, false},
      {"pages", "0", false, true},
      {"pages", "1e400", false, true},
      {"copies", "\"9223372036854775807\"", false, false},
      {"weight", "1.5", false, false},
      {"price", "\"1.50\"", false, false},
      {"price", "1.50", false, false},
      {"price", "\"1.501\"", false, true},
      {"price", "\"0.1\"", false, true},
      {"price", "\"1234567890\"", false, true},
      {"createdAt", "\"1970-01-01T01:00:00.000001+01:00\"", false, false},
      {"due", "\"1999-01-01\"", false, true},
      {"code", "\"0190163D-8694-739B-AEA5-966C26F8AD91\"", false, false},
      {"code", "\"x\"", false, true},
      {"status", "\"ARCHIVED\"", false, false},
      {"status", "\"old\"", false, true},
      {"file", "\"aGk=\"", false, false},
      {"file", "\"AAAAAAAAAAAAAAAA\"", false, true},
      {"file", "\"a\"", false, true},
      {"extra", "{ \"b\": [1.0, null], \"a\": \"\\u0041\" }", false, false},
      {"mail", "\"a.b+c@example.org\"", false, false},
      {"mail", "\"x\"", false, true},
      {"link", "\"https://example.org/\"", false, false},
      {"tags", "[\"a\", \"b\"]", false, false},
      {"tags", "[\"a\", null, 3, \"B\", \"c\"]", false, true},
      {"tags", "{}", false, true},
      {"prices", "[\"1.5\", 2, null]", false, false},
      {"prices", "[\"x\"]", false, true},
      {"address", "{\"city\":\"x\",\"status\":\"ARCHIVED\",\"price\":\"1.5\",\"geo\":{\"lat\":1,\"any\":{\"a\":[1]}},\"lines\":[\"y\"]}",
       false},
      {"address", "{\"city\":\"far too long\",\"status\":5,\"geo\":[],\"nope\":1}", false, true},
      {"address", "[]", false, true},
      {"addresses", "[{\"city\":\"x\"},{\"lines\":[1]},null]", false, true},
      {"pages", "12", true, false},
      {"pages", "x", true, true},
      {"published", "true", true, false},
      {"status", "ARCHIVED", true, false},
      {"code", "0190163D-8694-739B-AEA5-966C26F8AD91", true, false},
      {"file", "aGk=", true, false},
      {"tags", "[\"a\"]", true, false},
      {"tags", "a", true, true},
      {"address", "{\"city\":\"x\"}", true, false},
      {"price", "1.50", true, false},
      {"title", "\xff", true, true},
  };
  for (size_t i = 0; i < sizeof givens / sizeof *givens; i++) check(givens[i].json, !givens[i].is_refused, value_work, &givens[i]);
  all_were_right();
}

/* ---- patches ---- */

static const char patched[] = "{\"a\":{\"b\":[1,{\"c\":\"x\"},3],\"~/\":null},\"d\":\"e\",\"f\":[]}";

static Code patch_work(const void *context, Arena *arena, Buf *out, Error *err) {
  JsonValue document, patch, result;
  JsonPatchFailure failure = {0};
  TRY(json_parse(str_of(patched), JSON_DEPTH_DEFAULT, arena, &document, err));
  TRY(json_parse(str_of(context), JSON_DEPTH_DEFAULT, arena, &patch, err));
  Code code = json_patch_apply(&document, &patch, arena, &result, &failure, err);
  if (code == CODE_OK) json_write(out, &result);
  return refused(code, out, err);
}

static Code merge_work(const void *context, Arena *arena, Buf *out, Error *err) {
  JsonValue document, patch, result;
  TRY(json_parse(str_of(patched), JSON_DEPTH_DEFAULT, arena, &document, err));
  TRY(json_parse(str_of(context), JSON_DEPTH_DEFAULT, arena, &patch, err));
  TRY(json_merge_patch_apply(&document, &patch, arena, &result, err));
  json_write(out, &result);
  return CODE_OK;
}

static void patches_are_applied_or_refused(void **state) {
  (void)state;
  static const char *const patches[] = {
      "[{\"op\":\"add\",\"path\":\"/a/b/1/d\",\"value\":{\"g\":[1,2,3,4,5,6,7,8,9]}},{\"op\":\"remove\",\"path\":\"/a/b/0\"},"
      "{\"op\":\"replace\",\"path\":\"/a/~0~1\",\"value\":\"y\"},{\"op\":\"move\",\"from\":\"/a/b/0\",\"path\":\"/f/-\"},"
      "{\"op\":\"copy\",\"from\":\"/f\",\"path\":\"/g\"},{\"op\":\"test\",\"path\":\"/d\",\"value\":\"e\"}]",
      "[{\"op\":\"replace\",\"path\":\"\",\"value\":[1]},{\"op\":\"add\",\"path\":\"/0\",\"value\":2}]",
  };
  static const char *const refused_patches[] = {
      "[{\"op\":\"test\",\"path\":\"/d\",\"value\":\"x\"}]",
      "[{\"op\":\"add\",\"path\":\"/a~2\",\"value\":1}]",
      "[{\"op\":\"remove\",\"path\":\"/nope\"}]",
      "[{\"op\":\"none\",\"path\":\"/a\"}]",
  };
  static const char *const merges[] = {
      "{\"a\":{\"b\":null,\"n\":{\"m\":{\"o\":1,\"p\":null}}},\"d\":{\"x\":{\"y\":2}},\"f\":[1]}",
      "[1,2]",
  };
  for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) check(patches[i], true, patch_work, patches[i]);
  for (size_t i = 0; i < sizeof refused_patches / sizeof *refused_patches; i++)
    check(refused_patches[i], false, patch_work, refused_patches[i]);
  for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) check(merges[i], true, merge_work, merges[i]);
  all_were_right();
}

/* ---- tables ---- */

static Code csv_work(const void *context, Arena *arena, Buf *out, Error *err) {
  CsvReader reader;
  Str rest = str_of(context);
  csv_reader_init(&reader, arena, MESSAGE_MAX, 64);
  for (bool is_over = false; !is_over;) {
    bool has_record = false;
    is_over = rest.len == 0;
    TRY(refused(is_over ? csv_read_end(&reader, &has_record, err) : csv_read(&reader, &rest, &has_record, err), out, err));
    for (size_t i = 0; has_record && i < csv_cell_count(&reader); i++) csv_write_cell(out, csv_cell(&reader, i).text);
  }
  return CODE_OK;
}

static void tables_are_read(void **state) {
  (void)state;
  static const char *const tables[] = {"\xef\xbb\xbf"
                                       "a,b,c\r\n1,\"x \"\"y\"\"\",\n\"\",2,3\n1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n4,5,6",
                                       "a,\"b\"c\n"};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) check(tables[i], i == 0, csv_work, tables[i]);
  all_were_right();
}

/* ---- messages ---- */

typedef struct Message {
  const char *type, *json;
  bool is_refused;
} Message;

static Code proto_rewrite(const ProtoNode *node, Arena *arena, Buf *out, Error *err) {
  Buf bytes = buf_on(arena, LACK_TEXT_BYTES_MAX);
  ProtoNode *again = NULL;
  Str written;
  TRY(proto_json_write(node, out, err));
  proto_write(node, &bytes);
  TRY(buf_finish(&bytes, &written, err));
  TRY(proto_read(node->type, written.ptr == NULL ? STR("") : written, arena, &again, err));
  return proto_json_write(again, out, err);
}

static Code proto_ask(const ProtoNode *node, Arena *arena, Buf *out, Error *err) {
  const ProtoDatum *paths;
  const Value *key;
  JsonValue input;
  Selection *selection;
  const ProtoNode *row = node->type->resource != NULL ? node : proto_child(node, STR("book"));
  if (row != NULL) {
    TRY(proto_input(row, PROTO_INPUT_CREATE, NULL, 0, arena, &input, err));
    json_write(out, &input);
    size_t count = row == node ? 0 : proto_paths(node, STR("update_mask"), &paths);
    TRY(proto_input(row, PROTO_INPUT_UPDATE, count == 0 ? NULL : paths, count, arena, &input, err));
    json_write(out, &input);
  }
  bool is_place = proto_field(node->type, STR("house")) != NULL;
  TRY(proto_key(row != NULL ? row : node, is_place ? contract_resource(world.contract, STR("Place")) : world.book, arena, &key, err));
  buf_printf(out, "%d\n", key != NULL);
  size_t count = proto_paths(node, STR("read_mask"), &paths);
  if (count == 0) return CODE_OK;
  TRY(proto_select(world.proto, world.book, paths, count, 5, arena, &selection, err));
  buf_printf(out, "%zu\n", selection->count);
  return CODE_OK;
}

static Code message_work(const void *context, Arena *arena, Buf *out, Error *err) {
  const Message *message = context;
  ProtoNode *node = NULL;
  Code code = proto_json_read(proto_message(world.proto, str_of(message->type)), str_of(message->json), false, arena, &node, err);
  if (code == CODE_OK) code = proto_rewrite(node, arena, out, err);
  if (code == CODE_OK) code = proto_ask(node, arena, out, err);
  return refused(code, out, err);
}

#define BOOK                                                                                                                               \
  "{\"title\":\"Tea\",\"pages\":7,\"copies\":\"9\",\"weight\":1.5,\"price\":\"1.50\",\"published\":true,\"createdAt\":\"2026-11-23T12:00:" \
  "00.5Z\","                                                                                                                               \
  "\"due\":\"2026-11-23\",\"code\":\"0190163d-8694-739b-aea5-966c26f8ad91\",\"status\":\"STATUS_OPEN\",\"file\":\"-_8\",\"extra\":{\"a\":" \
  "[1,"                                                                                                                                    \
  "null,{\"b\":"                                                                                                                           \
  "\"x\"}],\"c\":true},\"tags\":[\"a\",\"b\"],\"prices\":[\"1.5\"],\"states\":[\"STATUS_OPEN\",\"STATUS_ARCHIVED\"],\"address\":{"         \
  "\"city\":\"Bern\","                                                                                                                     \
  "\"geo\":"                                                                                                                               \
  "{\"lat\":46.9,\"any\":[1,{\"x\":\"y\"}]},\"lines\":[\"l\"],\"since\":\"2026-01-01T00:00:00Z\"},\"addresses\":[{\"city\":\"Rome\"}],"    \
  "\"authorId\":\"a1\",\"counts\":[1,2]}"

static void messages_are_read_and_written(void **state) {
  (void)state;
  static const Message messages[] = {
      {"library.v1.Book", BOOK},
      {"library.v1.UpdateBookRequest",
       "{\"book\":" BOOK ",\"updateMask\":\"title,address.geo.lat,address.city,tags,authorId,extra,createdAt\"}"},
      {"library.v1.UpdateBookRequest", "{\"book\":{\"id\":\"b1\"},\"updateMask\":\"*\"}"},
      {"library.v1.UpdateBookRequest", "{\"book\":{\"id\":\"b1\",\"title\":\"x\",\"address\":{}}}"},
      {"library.v1.UpdateBookRequest", "{\"book\":{\"id\":\"b1\"},\"updateMask\":\"nope\"}", true},
      {"library.v1.ListBooksRequest", "{\"filter\":\"a\",\"pageSize\":3,\"readMask\":\"title,author.name,author.boss.name,address.city\"}"},
      {"library.v1.ListBooksRequest", "{\"readMask\":\"author.nope\"}", true},
      {"library.v1.GetPlaceRequest", "{\"house\":\"0190163D-8694-739B-AEA5-966C26F8AD91\",\"day\":\"2026-11-23\"}"},
      {"library.v1.AggregateBooksResponse",
       "{\"groups\":[{\"by\":{\"a\":1,\"b\":[null,\"x\"]},\"count\":\"2\",\"sum\":{\"a\":{\"b\":true},\"a2\":\"1\"}}]}"},
      {"library.v1.Book", "{\"nope\":1}", true},
      {"library.v1.Book", "{\"status\":\"NOPE\"}", true},
      {"library.v1.Book", "{", true},
  };
  for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
    check(messages[i].json, !messages[i].is_refused, message_work, &messages[i]);
  all_were_right();
}

/* ---- coded bytes ---- */

typedef struct Coding {
  const char *name;
  Compressor *(*compressor)(int level);
  Decompressor *(*decompressor)(void);
  int level;
} Coding;

static Code decode_all(Decompressor *decompressor, Str coded, Buf *out, Error *err) {
  Code code = CODE_OK;
  while (code == CODE_OK && !(coded.len == 0 && decompressor->is_between)) {
    size_t left = coded.len, len = out->len;
    code = decompressor->read(decompressor, &coded, 7, out, err);
    if (code == CODE_OK && coded.len == left && out->len == len) return error_set(err, CODE_BAD_REQUEST, "cut off");
  }
  return code;
}

static Code coding_work(const void *context, Arena *arena, Buf *out, Error *err) {
  const Coding *coding = context;
  Buf coded = buf_on(arena, LACK_TEXT_BYTES_MAX);
  Compressor *compressor = coding->compressor(coding->level);
  if (compressor == NULL) return error_no_memory(err);
  Code code = compressor->add(compressor, STR("tea, tea and tea again"), false, &coded, err);
  if (code == CODE_OK) code = compressor->add(compressor, STR("; and coffee"), true, &coded, err);
  compressor->destroy(compressor);
  TRY(code);
  if (coding->decompressor == NULL) {
    buf_add(out, buf_str(&coded));
    return CODE_OK;
  }
  Decompressor *decompressor = coding->decompressor();
  if (decompressor == NULL) return error_no_memory(err);
  code = decode_all(decompressor, buf_str(&coded), out, err);
  decompressor->destroy(decompressor);
  return refused(code, out, err);
}

static Code gzip_work(const void *context, Arena *arena, Buf *out, Error *err) {
  Buf coded = buf_on(arena, LACK_TEXT_BYTES_MAX);
  TRY(gzip_compress(str_of(context), GZIP_LEVEL_BEST, &coded, err));
  return refused(gzip_decompress(buf_str(&coded), out, err), out, err);
}

static void bytes_are_coded_and_come_back(void **state) {
  (void)state;
  static const Coding codings[] = {{"gzip", gzip_compressor_create, gzip_decompressor_create, GZIP_LEVEL_FAST},
                                   {"Zstandard", zstd_compressor_create, zstd_decompressor_create, ZSTD_LEVEL_FAST},
                                   {"Brotli", brotli_compressor_create, NULL, BROTLI_LEVEL_FAST}};
  for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) check(codings[i].name, true, coding_work, &codings[i]);
  check("gzip, whole", true, gzip_work, "tea, tea and tea again");
  all_were_right();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rules_are_parsed_reduced_and_judged), cmocka_unit_test(values_are_taken_or_refused),
      cmocka_unit_test(patches_are_applied_or_refused),      cmocka_unit_test(tables_are_read),
      cmocka_unit_test(messages_are_read_and_written),       cmocka_unit_test(bytes_are_coded_and_come_back),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
