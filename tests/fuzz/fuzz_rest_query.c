/* fuzz_rest_query.c - "KEY?QUERY" as a REST request to a small contract: whatever comes is decoded within the limits or refused with a
 * problem that can be shown; a key that was read is written as a path that reads back the same. */
#include <string.h>

#include "api/problem_json.h"
#include "api/rest_map.h"
#include "api/rest_query.h"
#include "api/rest_route.h"
#include "base/utf8.h"
#include "contract_text.h"
#include "property.h"

static const char CONTRACT[] =
    "extend schema @service(name: \"shop\")\n"
    "enum Status { OPEN CLOSED @value(name: \"closed-2\") }\n"
    "type Address { city: String geo: Geo }\n"
    "type Geo { lat: Float }\n"
    "type Product @resource @access(read: \"true\", write: \"true\") {\n"
    "  code: String! @id\n  day: Date! @id\n  name: String!\n  price: Decimal! @decimal(scale: 2)\n  stock: Int!\n  sold: BigInt\n  "
    "weight: Float\n"
    "  active: Boolean\n  status: Status\n  tags: [String!]\n  made: DateTime\n  photo: Bytes\n  extra: JSON\n  address: Address\n  "
    "secret: String @hidden\n"
    "  ref: UUID\n  count: Int\n  category: Category\n  reviews: [Review!]!\n}\n"
    "type Category @resource @access(read: \"true\", write: \"true\") { id: ID! name: String! products: [Product!]! }\n"
    "type Review @resource @access(read: \"true\", write: \"true\") { id: ID! product: Product! stars: Int! }\n";

static const EngineLimits limits = {.page_size = 20, .page_size_max = 100, .groups_max = 1000, .nesting_max = 5, .filter_bytes_max = 4096};

/* Made once for all inputs. */
static const RestMap *shared_map(void) {
  static RestMap *map;
  if (map != NULL) return map;
  Arena *arena = arena_create(0);
  PROPERTY(rest_map_create(contract_of_text(CONTRACT), arena, &map, NULL) == CODE_OK);
  return map;
}

static void check_refusal(const RestDecoder *decoder, Code code) {
  PROPERTY(code == CODE_BAD_REQUEST || code == CODE_NOT_FOUND);
  PROPERTY(decoder->problem != NULL && decoder->problem->code == code);
  PROPERTY(decoder->problem->detail.len > 0 && utf8_is_valid(decoder->problem->detail) && utf8_is_valid(decoder->problem->hint));
}

static void check_key(const RestMap *map, const RestRoute *route, Arena *arena) {
  Buf path = buf_on(arena, SIZE_MAX);
  buf_add(&path, route->resource->path);
  buf_add_byte(&path, '/');
  rest_key_write(route->resource->resource, route->key, &path);
  RestDecoder decoder = {.map = map, .limits = &limits, .arena = arena};
  RestRoute again;
  PROPERTY(rest_route(&decoder, buf_str(&path), &again) == CODE_OK && again.key != NULL);
  PROPERTY(str_equal(again.key[0].text, route->key[0].text) && again.key[1].integer == route->key[1].integer);
}

static void check_selection(const Selection *selection, size_t depth) {
  PROPERTY(depth <= limits.nesting_max && selection->count > 0 && selection->list.limit <= limits.page_size_max);
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    PROPERTY(item->field->resource == selection->resource && !item->field->is_hidden && item->face != NULL);
    PROPERTY(i == 0 || selection->items[i - 1].field->index < item->field->index);
    PROPERTY((item->nested != NULL) == (item->field->kind != FIELD_STORED));
    if (item->nested != NULL) check_selection(item->nested, depth + 1);
  }
}

/* Whatever an aggregate asks for, its template names each value of a group once, and conditions name metrics that are there. */
static void check_aggregate(const RestAggregate *made) {
  const Aggregate *aggregate = &made->aggregate;
  PROPERTY(made->piece_count <= aggregate->by_count + aggregate->metric_count && made->end.len > 0);
  for (size_t i = 0; i < made->piece_count; i++) {
    PROPERTY(made->pieces[i].value < aggregate->by_count + aggregate->metric_count && utf8_is_valid(made->pieces[i].before));
    for (size_t k = 0; k < i; k++) PROPERTY(made->pieces[k].value != made->pieces[i].value);
  }
  for (size_t i = 0; i < aggregate->metric_count; i++) {
    const Metric *metric = &aggregate->metrics[i];
    PROPERTY((metric->field == NULL) == (metric->kind == METRIC_COUNT) && (metric->field == NULL || !metric->field->is_hidden));
  }
  for (size_t i = 0; i < aggregate->order_count; i++)
    PROPERTY(aggregate->order[i].index < (aggregate->order[i].is_metric ? aggregate->metric_count : aggregate->by_count));
  for (size_t i = 0; i < aggregate->having_count; i++) PROPERTY(aggregate->having[i].metric < aggregate->metric_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const RestMap *map = shared_map();
  Arena *arena = arena_create(0);
  Str text = {(const char *)data, size};
  size_t mark = str_find_byte(text, '?', 0);
  Buf path = buf_on(arena, SIZE_MAX);
  buf_add(&path, STR("/v1/products/"));
  buf_add(&path, str_slice(text, 0, mark));
  RestDecoder decoder = {.map = map, .limits = &limits, .arena = arena};
  RestRoute route;
  Code code = rest_route(&decoder, buf_str(&path), &route);
  if (code != CODE_OK) check_refusal(&decoder, code);
  if (code == CODE_OK && route.target == REST_ITEM && route.key != NULL) check_key(map, &route, arena);
  if (mark < text.len) {
    RestQuery query;
    const RestResource *product = rest_map_at(map, contract_resource(map->contract, STR("Product")));
    code = rest_query_decode(&decoder, product, str_slice(text, mark + 1, text.len), REST_QUERY_LIST, &query);
    if (code != CODE_OK) check_refusal(&decoder, code);
    if (code == CODE_OK) check_selection(query.selection, 0);
    if (code == CODE_OK) PROPERTY(query.list.limit <= limits.page_size_max);
    decoder.problem = NULL;
    code = rest_query_decode(&decoder, product, str_slice(text, mark + 1, text.len), REST_QUERY_AGGREGATE, &query);
    if (code != CODE_OK) check_refusal(&decoder, code);
    if (code == CODE_OK) check_aggregate(&query.aggregate);
  }
  arena_destroy(arena);
  return 0;
}
