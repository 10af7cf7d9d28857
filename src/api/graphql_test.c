/* graphql_test.c - documents, from text to the engine's calls; what of them is refused, and where. */
#include "api/graphql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "api/graphql_store.h"
#include "api/graphql_test_refusals.h"
#include "base/utf8.h"
#include "contract/load.h"

static const char SHOP[] =
    "extend schema @service(name: \"shop\")\n"
    "type Product @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID! @id\n  name: String!\n  price: Decimal\n  stock: Int!\n  made: DateTime\n  extra: JSON\n  size: Size\n  category: "
    "Category\n  reviews: "
    "[Review!]!\n}\n"
    "type Size { width: Float! seen: Date }\n"
    "type Category @resource @access(read: \"true\", write: \"true\") { id: ID! @id name: String! products: [Product!]! parent: Category "
    "}\n"
    "type Review @resource @access(read: \"true\", write: \"true\") { id: ID! product: Product! stars: Int! text: String }\n";

static const GraphqlLimits limits = {
    .depth_max = 15, .cost_max = 10000, .aliases_max = 50, .document_bytes_max = 262144, .tokens_max = 50000, .has_introspection = true};
static Contract *contract;
static Api *api;
static GraphqlSchema *schema;
static Arena *shared, *arena;

static int make_api(void **state) {
  (void)state;
  static const Face *const faces[] = {&FACE_GRAPHQL};
  EngineLimits engine = {
      .page_size = 20, .page_size_max = 100, .nesting_max = 5, .groups_max = 1000, .filter_bytes_max = 4096, .result_bytes_max = 1048576};
  ContractFile file = {STR("shop.graphql"), {SHOP, sizeof SHOP - 1}};
  DiagnosticList diagnostics = {0};
  Error err;
  shared = arena_create(0);
  assert_int_equal(contract_load(&file, 1, shared, &contract, &diagnostics, &err), CODE_OK);
  assert_int_equal(api_create(contract, &engine, faces, 1, &api, &err), CODE_OK);
  return graphql_schema_create(contract, shared, &schema, &err) == CODE_OK ? 0 : 1;
}

static int free_api(void **state) {
  (void)state;
  api_destroy(api);
  contract_destroy(contract);
  arena_destroy(shared);
  return 0;
}

static int make_arena(void **state) {
  (void)state;
  arena = arena_create(0);
  return arena == NULL ? 1 : 0;
}

static int free_arena(void **state) {
  (void)state;
  arena_destroy(arena);
  return 0;
}

/* ---- a document's way, and what is said on it ---- */

static const Caller nobody;

static bool run_on(Arena *memory, Str query, const char *variables, GraphqlRun *run) {
  GraphqlMistakes *mistakes = ARENA_NEW(memory, GraphqlMistakes);
  GraphqlDocument *document = ARENA_NEW(memory, GraphqlDocument);
  JsonValue json = {.type = JSON_OBJECT};
  Error err;
  static GraphqlMistakes no_mistakes;
  no_mistakes = (GraphqlMistakes){.arena = memory, .has_no_memory = true};
  *run = (GraphqlRun){
      .api = api, .schema = schema, .limits = &limits, .arena = memory, .mistakes = mistakes == NULL ? &no_mistakes : mistakes};
  if (mistakes == NULL) return false;
  *mistakes = graphql_mistakes_on(memory);
  if (document == NULL) return graphql_no_memory(run);
  Code code = json_parse(str_of(variables), JSON_DEPTH_DEFAULT, memory, &json, &err);
  if (code == CODE_UNAVAILABLE) return graphql_no_memory(run);
  assert_int_equal(code, CODE_OK);
  GraphqlParseLimits parse_limits = {limits.document_bytes_max, limits.tokens_max};
  if (!graphql_parse(query, &parse_limits, memory, document, mistakes)) return false;
  graphql_validate(schema, document, true, mistakes);
  if (graphql_is_refused(mistakes)) return false;
  run->document = document;
  run->operation = &document->operations[0];
  return graphql_variables(run, &json) && graphql_compile(run, &nobody, 0);
}

/* "1:2 3:4 message" a line. */
static Str told(const GraphqlRun *run) {
  Buf out = buf_on(arena, 65536);
  for (size_t i = 0; i < run->mistakes->list.count; i++) {
    const GraphqlMistake *mistake = &run->mistakes->list.items[i];
    for (size_t k = 0; k < mistake->place_count; k++) buf_printf(&out, "%u:%u ", mistake->places[k].line, mistake->places[k].column);
    buf_printf(&out, "%.*s\n", STR_ARGS(mistake->message));
  }
  return buf_str(&out);
}

static void assert_refused_with(Str query, const char *variables, const char *text) {
  GraphqlRun run;
  if (run_on(arena, query, variables, &run)) fail_msg("%.*s is not refused", STR_ARGS(query));
  Str is = told(&run);
  if (!str_contains(is, str_of(text))) fail_msg("%.*s\n  says %.*s\n  not  %s", STR_ARGS(query), STR_ARGS(is), text);
}

static void assert_refused(const char *query, const char *variables, const char *text) {
  assert_refused_with(str_of(query), variables, text);
}

static GraphqlRun assert_taken(const char *query, const char *variables) {
  GraphqlRun run;
  if (!run_on(arena, str_of(query), variables, &run)) fail_msg("%s is refused: %.*s", query, STR_ARGS(told(&run)));
  return run;
}

/* ---- tests ---- */

static void mistakes_of_syntax_have_the_place_of_the_byte(void **state) {
  (void)state;
  assert_refused("{ a(b: 01) }", "{}", "1:9 Syntax error");
  assert_refused("{ a(b: 1.) }", "{}", "1:10 Syntax error");
  assert_refused("{ a(b: 1x) }", "{}", "1:9 Syntax error");
  assert_refused("{ a(b: \"x\n\") }", "{}", "1:10 Syntax error");
  assert_refused("{ a(b: \"\\q\") }", "{}", "1:9 Syntax error");
  assert_refused("{\n  a(b: $) }", "{}", "2:9 Syntax error");
  assert_refused("query ($a: Int = $b) { __typename }", "{}", "1:18 Syntax error");
  assert_refused("fragment on on Product { id }", "{}", "1:10 Syntax error");
  assert_refused("{ __typename } enum E A", "{}", "1:23 Syntax error");
  assert_refused("{ __typename", "{}", "1:13 Syntax error");
  /* What is shown of it is cut at 40 bytes, though not within a character. */
  assert_refused("{ \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u00e9\" }", "{}",
                 "1:3 Syntax error: a field is expected, not \"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
}

static void each_production_refuses_what_it_can_not_take(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof syntax_refusals / sizeof *syntax_refusals; i++)
    assert_refused(syntax_refusals[i].query, "{}", syntax_refusals[i].text);
}

static void arguments_that_do_not_go_together_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof argument_refusals / sizeof *argument_refusals; i++)
    assert_refused(argument_refusals[i].query, "{}", argument_refusals[i].text);
}

/* September 2025, §2.2 */
static void definitions_and_variables_may_be_described(void **state) {
  (void)state;
  assert_taken("\"what\" query A(\"\"\"which\"\"\" $id: ID!) { product(id: $id) { ...f } } \"part\" fragment f on Product { id }",
               "{\"id\": \"1\"}");
  assert_refused(" \"what\" { __typename }", "{}", "1:2 Syntax error");
  assert_refused("query A(\"which\" $id: ID) { __typename }", "{}", "1:9 The variable \"$id\" is never used");
  assert_refused("{ __typename } \"part\" fragment f on Query { __typename }", "{}", "1:16 The fragment \"f\" is never used");
}

static void a_definition_of_a_type_can_not_be_executed(void **state) {
  (void)state;
  assert_refused("{ __typename } scalar S fragment f on Query { __typename }", "{}",
                 "1:16 A definition of \"scalar\" can't be executed\n1:25 The fragment \"f\"");
  assert_refused("{ __typename } type A implements B & C @d(a: 1) { a: Int } union U = | A | B directive @x repeatable on FIELD | QUERY",
                 "{}", "1:78 A definition of \"directive\"");
}

static void fields_of_one_name_ask_the_same(void **state) {
  (void)state;
  assert_refused("{ a: product(id: \"1\") { id } a: category(id: \"1\") { id } }", "{}", "1:3 1:30 The fields named \"a\"");
  assert_refused("{ product(id: \"1\") { id } product(id: \"2\") { id } }", "{}", "their arguments differ");
  assert_refused("{ products { nodes { x: id } nodes { ...f } } } fragment f on Product { x: name }", "{}",
                 "1:22 1:73 The fields named \"x\"");
  /* Of two objects that can't be one the fields may differ, but not their shape. */
  assert_taken("{ node(id: \"x\") { ... on Product { x: id } ... on Category { x: nodeId } } }", "{}");
  assert_refused("{ node(id: \"x\") { ... on Product { x: stock } ... on Category { x: id } } }", "{}", "their types differ");
  assert_refused("{ node(id: \"x\") { x: nodeId ... on Category { x: id } } }", "{}", "different fields");
}

static Str repeated(const char *begin, const char *item, size_t count, const char *end) {
  Buf out = buf_on(arena, 1048576);
  buf_add(&out, str_of(begin));
  for (size_t i = 0; i < count; i++) buf_add(&out, str_of(item));
  buf_add(&out, str_of(end));
  return buf_str(&out);
}

/* Each against each would be four million comparisons a level, of sets below them. */
static void many_fields_of_one_name_are_merged_without_comparing_pairs(void **state) {
  (void)state;
  GraphqlRun run;
  Str query = repeated("{", " product(id: \"1\") { id category { id name } reviews { nodes { id } } }", 2000, " }");
  assert_true(run_on(arena, query, "{}", &run) || run.mistakes->list.items[0].code == CODE_TOO_LARGE);
}

static void assert_too_many(const char *begin, const char *item, size_t count, const char *end, const char *text) {
  assert_refused_with(repeated(begin, item, count, end), "{}", text);
}

/* Condition within condition. */
static void assert_too_deep(const char *list, const char *open, const char *inner, const char *close, size_t count, const char *text) {
  Str outer = repeated("(where: {", open, count, inner), rest = repeated("", close, count, "}) { nodes { id } } }");
  assert_refused_with(arena_printf(arena, "{ %s%.*s%.*s", list, STR_ARGS(outer), STR_ARGS(rest)), "{}", text);
}

static void what_is_bounded_is_told_with_its_bound(void **state) {
  (void)state;
  assert_too_many("{ a(b: ", "[", 101, "", "The document is nested deeper than 100");
  assert_too_many("", "{ a ", 101, "", "The document is nested deeper than 100");
  assert_too_many("{ products(where: {or: [", "{stock: {gt: 1}}, ", 60, "]}) { nodes { id } } }", "is one condition too many (100)");
  assert_too_many("{ products(where: {not: {or: [", "{stock: {gt: 1, lt: 5}}, ", 40, "]}}) { nodes { id } } }",
                  "is one condition too many (100)");
  assert_too_many("{ products(where: {stock: {in: [", "1, ", 1001, "]}}) { nodes { id } } }", "where: \"stock\" has more than 1000 values");
  assert_too_deep("products", "category: {products: {some: {", "stock: {gt: 1}", "}}}", 9, "is nested too deep");
  assert_too_deep("categories", "parent: {", "name: {eq: \"a\"}", "}", 17, "is one relation too many");
  assert_too_many("{ products(orderBy: [", "{name: ASC}, ", 17, "]) { nodes { id } } }", "orderBy: at most 16 fields");
  assert_too_many("{ productsAggregate(by: [stock], orderBy: [", "{count: ASC}, ", 17, "]) { count } }",
                  "productsAggregate: orderBy: too many terms (16)");
  assert_too_many(
      "{ productsAggregate(by: [stock], having: {sum: {stock: {gt: 1, gte: 1, lt: 9, lte: 9, ne: 5, eq: 6}}, min: {stock: {gt: 1, "
      "gte: 1, lt: 9, lte: 9, ne: 5, eq: 6}}, max: {stock: {gt: 1, gte: 1, lt: 9, lte: 9, ne: 5}}}) { count ",
      "", 0, "} }", "productsAggregate: having: too many conditions (16)");
}

/* Opened, they would be 2^40 fields. */
static void fragments_inside_of_fragments_are_merged_once(void **state) {
  (void)state;
  Buf out = buf_on(arena, 65536);
  buf_add(&out, STR("{ product(id: \"1\") { ...f0 } }"));
  for (int i = 0; i < 40; i++)
    buf_printf(&out,
               " fragment f%d on Product { a: category { products { nodes { ...f%d } } } b: category { products { nodes { ...f%d } } } }",
               i, i + 1, i + 1);
  buf_add(&out, STR(" fragment f40 on Product { id }"));
  GraphqlRun run;
  assert_false(run_on(arena, buf_str(&out), "{}", &run));
  assert_int_equal(run.mistakes->list.items[0].code, CODE_TOO_LARGE);
  assert_true(str_contains(told(&run), STR("graphql-depth-max")));
}

static void a_circle_of_fragments_is_told_with_its_spreads(void **state) {
  (void)state;
  assert_refused("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "{}",
                 "1:32 1:61 The fragment \"a\" contains itself\n");
  assert_refused("{ categories { nodes { ...f } } } fragment f on Category { products { nodes { category { ...f } } } }", "{}",
                 "1:90 The fragment \"f\" contains itself\n");
}

static void variables_are_coerced_by_their_types(void **state) {
  (void)state;
  GraphqlRun run = assert_taken(
      "query ($id: ID!, $n: Int = 2, $o: [ProductOrder!], $w: Boolean!) { products(first: $n, orderBy: $o) { nodes { id @skip(if: true) "
      "name @include(if: true) } } product(id: $id) { id @include(if: $w) name } }",
      "{\"id\": 5.0, \"o\": {\"name\": \"ASC\"}, \"w\": true, \"more\": 1}");
  Buf out = buf_on(arena, 4096);
  json_write(&out, &run.variables);
  assert_true(str_equal(buf_str(&out), STR("{\"id\":\"5\",\"n\":2,\"o\":[{\"name\":\"ASC\"}],\"w\":true}")));
  const char *query = "query ($o: ProductOrder!) { products(orderBy: [$o]) { nodes { id } } }";
  assert_refused(query, "{}", "1:8 Variable \"$o\"");
  assert_refused(query, "{\"o\": {}}", "exactly one field");
  assert_refused(query, "{\"o\": {\"name\": \"ASC\", \"stock\": \"ASC\"}}", "exactly one field");
  assert_refused(query, "{\"o\": {\"name\": null}}", "must not be null");
  assert_refused(query, "{\"o\": {\"name\": \"UP\"}}", "the value is no Order");
  assert_refused(query, "{\"o\": {\"nam\": \"ASC\"}}", "at \"o\": no such field: nam; did you mean \"name\"?");
}

typedef struct Asked {
  const char *query, *variables;
} Asked;

static const Asked asked[] = {
    {"query A($id: ID!, $n: Int = 3, $o: [ProductOrder!]) { product(id: $id) { ...f category { name } reviews(first: $n) { totalCount "
     "edges { cursor node { stars } } pageInfo { endCursor } } } products(orderBy: $o, where: {or: [{price: {gt: \"1.5\"}}, {reviews: "
     "{some: {stars: {in: [1, 2]}}}}]}, filter: \"stock > 1\") { nodes { name } } productsAggregate(by: [category_name]) { count sum { "
     "stock } } __type(name: \"Product\") { fields { name } } } fragment f on Product { nodeId name extra }",
     "{\"id\": \"1\", \"o\": [{\"category\": {\"name\": \"DESC\"}}]}"},
    {"{ productsAggregate(by: [stock], byPath: [{category: {parent: {name: true}}}, {size: {seen: true}}], where: {not: {size: {seen: "
     "{isNull: true}}}}, having: {count: {gte: 2}, sum: {price: {gt: \"10\", ne: null}}, max: {stock: {lt: 9}}}, orderBy: [{by: {stock: "
     "ASC}}, {count: DESC}, {avg: {price: DESC}}], first: 5) { __typename by { stock category { parent { name } } size { seen } } count "
     "min { price made } } }",
     "{}"},
    {"{ node(id: \"Product:1\") { nodeId ... on Product { name size { seen width } category { parent { parent { name } } products(last: 2, "
     "before: \"x\", distinct: true) { nodes { id price } } } } } categories(where: {and: [{parent: {name: {startsWith: \"a\", endsWith: "
     "\"b\", contains: \"c\", in: [\"d\"]}}}, {products: {every: {stock: {gte: 0}}, none: {price: null}}}, {or: []}]}) { totalCount edges "
     "{ cursor } } }",
     "{}"},
    {"{ _entities(representations: [{__typename: \"Product\", id: \"1\"}, {__typename: \"Category\", id: \"2\"}, {__typename: \"Product\", "
     "id: \"3\"}]) { __typename ... on Product { name category { name } } ... on Category { name } } _service { sdl } }",
     "{}"},
    {"mutation ($i: ProductCreate!) { a: createProduct(input: $i) { id size { seen } } b: updateProduct(id: \"1\", input: {name: \"b\", "
     "size: {width: 2.5}}) { name } deleteProduct(id: \"2\") { id } createCategories(inputs: [{id: \"c\", name: \"c\"}, {id: \"d\", name: "
     "\"d\"}]) { id name } }",
     "{\"i\": {\"id\": \"7\", \"name\": \"a\", \"stock\": 1, \"size\": {\"width\": 1, \"seen\": \"2026-01-31\"}}}"},
    {"subscription { productChanged(where: {stock: {gt: 1}}, filter: \"price > 1\") { __typename kind position product { id name category "
     "{ name } } } }",
     "{}"},
};

/* Whatever fails to be allocated, the document is refused for want of memory, and nothing is lost or overrun. */
static void memory_may_run_out_at_any_time(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    size_t failures = 0;
    (void)assert_taken(asked[i].query, asked[i].variables);
    for (size_t n = 1; n < 100000; n++) {
      Arena *memory = arena_create(0);
      GraphqlRun run;
      memory_fail_after(n);
      bool is_taken = run_on(memory, str_of(asked[i].query), asked[i].variables, &run);
      memory_fail_after(0);
      if (!is_taken && !run.mistakes->has_no_memory) fail_msg("document %zu, allocation %zu: refused, but not for want of memory", i, n);
      arena_destroy(memory);
      if (is_taken) break;
      failures++;
    }
    assert_in_range(failures, 40, 99998);
  }
}

/* What was valid a moment ago is neither parsed nor validated again: it is the same tree, of whatever request. */
static void a_valid_document_is_read_once(void **state) {
  (void)state;
  GraphqlStore *store = NULL;
  Error err;
  assert_int_equal(graphql_store_create(schema, &limits, arena, &store, &err), CODE_OK);
  const GraphqlDocument *first = NULL;
  static const char query[] = "{ product(id: \"1\") { name reviews { nodes { stars } } } }";
  for (int i = 0; i < 3; i++) {
    Arena *user = arena_create(0);
    GraphqlMistakes mistakes = graphql_mistakes_on(user);
    Str text = arena_str(user, str_of(query)); /* each request has its own bytes */
    const GraphqlDocument *document = NULL;
    assert_true(graphql_store_find(store, &(GraphqlRequest){.query = text}, user, &mistakes, &document));
    if (first == NULL) first = document;
    assert_ptr_equal(document, first);
    arena_destroy(user);
  }
  GraphqlMistakes mistakes = graphql_mistakes_on(arena);
  const GraphqlDocument *other = NULL;
  assert_true(graphql_store_find(store, &(GraphqlRequest){.query = STR("{ __typename }")}, arena, &mistakes, &other));
  assert_ptr_not_equal(other, first);
}

#define GRAPHQL_TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

int main(void) {
  const struct CMUnitTest tests[] = {
      GRAPHQL_TEST(mistakes_of_syntax_have_the_place_of_the_byte),
      GRAPHQL_TEST(each_production_refuses_what_it_can_not_take),
      GRAPHQL_TEST(arguments_that_do_not_go_together_are_refused),
      GRAPHQL_TEST(definitions_and_variables_may_be_described),
      GRAPHQL_TEST(a_definition_of_a_type_can_not_be_executed),
      GRAPHQL_TEST(fields_of_one_name_ask_the_same),
      GRAPHQL_TEST(many_fields_of_one_name_are_merged_without_comparing_pairs),
      GRAPHQL_TEST(what_is_bounded_is_told_with_its_bound),
      GRAPHQL_TEST(fragments_inside_of_fragments_are_merged_once),
      GRAPHQL_TEST(a_circle_of_fragments_is_told_with_its_spreads),
      GRAPHQL_TEST(variables_are_coerced_by_their_types),
      GRAPHQL_TEST(memory_may_run_out_at_any_time),
      GRAPHQL_TEST(a_valid_document_is_read_once),
  };
  return cmocka_run_group_tests(tests, make_api, free_api);
}
