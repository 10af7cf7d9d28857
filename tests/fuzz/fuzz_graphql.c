/* fuzz_graphql.c - "DOCUMENT\0VARIABLES" as a GraphQL request to a small contract: whatever comes is refused with mistakes that can be
 * shown, or becomes calls within the limits. What is taken once is taken again. */
#include <string.h>

#include "api/graphql.h"
#include "base/utf8.h"
#include "contract_text.h"
#include "property.h"

static const char CONTRACT[] =
    "extend schema @service(name: \"shop\")\n"
    "enum Status { OPEN CLOSED @value(name: \"closed-2\") }\n"
    "type Address { city: String geo: Geo }\n"
    "type Geo { lat: Float }\n"
    "type Product @resource @access(read: \"true\", write: \"true\") @unique(fields: [\"category\", \"name\"]) {\n"
    "  code: String! @id\n  day: Date! @id\n  name: String!\n  price: Decimal! @decimal(scale: 2)\n  stock: Int!\n  sold: BigInt\n  "
    "active: Boolean\n  status: Status\n  tags: [String!]\n  made: DateTime\n  extra: JSON\n  address: Address\n  secret: String @hidden\n"
    "  category: Category\n  reviews: [Review!]!\n}\n"
    "type Category @resource @access(read: \"true\", write: \"true\") { id: ID! name: String! @unique products: [Product!]! }\n"
    "type Review @resource @access(read: \"stars > 1\", write: \"true\") { id: ID! product: Product! stars: Int! }\n";

static const GraphqlLimits limits = {
    .depth_max = 15, .cost_max = 10000, .aliases_max = 50, .document_bytes_max = 65536, .tokens_max = 10000, .has_introspection = true};

/* Made once for all inputs. */
static const Api *shared_api(const GraphqlSchema **ret_schema) {
  static Api *api;
  static GraphqlSchema *schema;
  EngineLimits engine = {.page_size = 20, .page_size_max = 100, .groups_max = 1000, .nesting_max = 5, .filter_bytes_max = 4096};
  engine.result_bytes_max = 1048576;
  if (api == NULL) {
    static const Face *const faces[] = {&FACE_GRAPHQL};
    Arena *arena = arena_create(0);
    Contract *contract = contract_of_text(CONTRACT);
    PROPERTY(api_create(contract, &engine, faces, 1, &api, NULL) == CODE_OK);
    PROPERTY(graphql_schema_create(contract, arena, &schema, NULL) == CODE_OK);
  }
  *ret_schema = schema;
  return api;
}

static void check_mistakes(const GraphqlMistakes *mistakes) {
  PROPERTY(mistakes->list.count <= GRAPHQL_ERRORS_MAX);
  for (size_t i = 0; i < mistakes->list.count; i++) {
    const GraphqlMistake *mistake = &mistakes->list.items[i];
    PROPERTY(mistake->code == CODE_BAD_REQUEST || mistake->code == CODE_TOO_LARGE);
    PROPERTY(mistake->message.len > 0 && utf8_is_valid(mistake->message));
    for (size_t k = 0; k < mistake->place_count; k++) PROPERTY(mistake->places[k].line > 0 && mistake->places[k].column > 0);
  }
}

static void check_selection(const Selection *selection) {
  PROPERTY(selection->count > 0 && selection->list.limit <= 100);
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    PROPERTY(item->field->resource == selection->resource && !item->field->is_hidden);
    PROPERTY((item->nested != NULL) == (item->field->kind != FIELD_STORED));
    if (item->nested != NULL) check_selection(item->nested);
  }
}

static void check_calls(const GraphqlRun *run) {
  PROPERTY(run->cost >= 0 && run->cost <= (int64_t)limits.cost_max && run->call_count <= run->root_count);
  for (size_t i = 0; i < run->call_count; i++) {
    const Operation *operation = &run->calls[i].operation;
    PROPERTY(operation->list.limit <= 100 && operation->resource != NULL);
    if (operation->action == ACTION_AGGREGATE)
      PROPERTY(operation->aggregate->metric_count > 0);
    else
      check_selection(operation->selection);
  }
}

/* What the face does between a request and its calls. */
static bool run_operation(GraphqlRun *run, size_t at, const JsonValue *variables) {
  static const Caller nobody;
  run->operation = &run->document->operations[at];
  if (run->operation->kind == GRAPHQL_SUBSCRIPTION) return true;
  if (!graphql_variables(run, variables) || !graphql_compile(run, &nobody, 0)) return false;
  check_calls(run);
  return true;
}

static bool run_all(Str query, const JsonValue *variables, Arena *arena) {
  const GraphqlSchema *schema;
  const Api *api = shared_api(&schema);
  GraphqlMistakes mistakes = graphql_mistakes_on(arena);
  GraphqlParseLimits parse_limits = {limits.document_bytes_max, limits.tokens_max};
  GraphqlDocument document;
  bool is_good = graphql_parse(query, &parse_limits, arena, &document, &mistakes);
  if (is_good) graphql_validate(schema, &document, true, &mistakes);
  is_good = is_good && !graphql_is_refused(&mistakes);
  for (size_t i = 0; is_good && i < document.operation_count; i++) {
    GraphqlMistakes own = graphql_mistakes_on(arena);
    GraphqlRun run = {.api = api, .schema = schema, .limits = &limits, .document = &document, .arena = arena, .mistakes = &own};
    PROPERTY(run_operation(&run, i, variables) || graphql_is_refused(&own));
    check_mistakes(&own);
  }
  check_mistakes(&mistakes);
  return is_good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  Str text = {(const char *)data, size};
  size_t zero = str_find_byte(text, '\0', 0);
  JsonValue variables;
  Error err;
  bool has_variables = zero < size && json_parse(str_slice(text, zero + 1, size), JSON_DEPTH_DEFAULT, arena, &variables, &err) == CODE_OK;
  const JsonValue *given = has_variables && variables.type == JSON_OBJECT ? &variables : NULL;
  Str query = str_slice(text, 0, zero);
  if (utf8_is_valid(query)) {
    bool is_good = run_all(query, given, arena);
    PROPERTY(run_all(query, given, arena) == is_good);
  }
  arena_destroy(arena);
  return 0;
}
