/* rest_query_test.c - query strings to Operations, shown as text. */
#include "api/rest_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "contract/load.h"

static const char SHOP[] =
    "extend schema @service(name: \"shop\")\n"
    "enum Status { OPEN CLOSED @value(name: \"closed-2\") }\n"
    "type Address { city: String zip: String geo: Geo }\n"
    "type Geo { lat: Float }\n"
    "type Product @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID!\n  name: String!\n  price: Decimal! @decimal(scale: 2)\n  stock: Int!\n  sold: BigInt\n  weight: Float\n  active: Boolean\n"
    "  status: Status\n  tags: [String!]\n  made: DateTime\n  day: Date\n  photo: Bytes\n  extra: JSON\n  address: Address\n  secret: "
    "String @hidden\n"
    "  ref: UUID\n  count: Int\n  category: Category\n  reviews: [Review!]!\n}\n"
    "type Category @resource @access(read: \"true\", write: \"true\") { id: ID! name: String! products: [Product!]! }\n"
    "type Review @resource @access(read: \"true\", write: \"true\") { id: ID! product: Product! stars: Int! notes: [Note!]! }\n"
    "type Note @resource @access(read: \"true\", write: \"true\") { id: ID! review: Review! text: String }\n";

static Arena *arena;
static Contract *contract;
static RestMap *map;
static const EngineLimits limits = {.page_size = 20, .page_size_max = 100, .groups_max = 1000, .nesting_max = 5, .filter_bytes_max = 4096};

static void write_query(const ListQuery *list, Buf *out) {
  if (list->filter != NULL) {
    buf_add(out, STR(" where "));
    expr_write(out, list->filter);
  }
  for (size_t i = 0; i < list->order_count; i++) {
    const OrderTerm *term = &list->order[i];
    buf_add(out, i == 0 ? STR(" by ") : STR(","));
    if (term->is_descending) buf_add_byte(out, '-');
    for (size_t k = 0; k < term->path.hop_count; k++) buf_printf(out, "%.*s.", STR_ARGS(term->path.hops[k]->field->name));
    buf_add(out, term->path.field->name);
    for (size_t k = 0; k < term->path.member_count; k++) buf_printf(out, ".%.*s", STR_ARGS(term->path.members[k]->name));
  }
  if (list->search.ptr != NULL) buf_printf(out, " find %.*s", STR_ARGS(list->search));
  if (list->is_distinct) buf_add(out, STR(" distinct"));
  if (list->limit >= 0) buf_printf(out, " limit %lld", (long long)list->limit);
  if (list->after.ptr != NULL) buf_printf(out, " after %.*s", STR_ARGS(list->after));
  if (list->before.ptr != NULL) buf_printf(out, " before %.*s", STR_ARGS(list->before));
  if (list->is_counted) buf_add(out, STR(" counted"));
}

static void write_selection(const Selection *selection, Buf *out) {
  if (selection->is_whole) buf_add_byte(out, '*');
  for (size_t i = 0; i < selection->count && !selection->is_whole; i++) {
    if (i > 0) buf_add_byte(out, ',');
    buf_add(out, selection->items[i].name);
    if (selection->items[i].nested == NULL) continue;
    buf_add_byte(out, '(');
    write_selection(selection->items[i].nested, out);
    write_query(&selection->items[i].nested->list, out);
    buf_add_byte(out, ')');
  }
}

static Code decode(const char *query, RestQueryUse use, RestQuery *ret, const Problem **ret_problem) {
  RestDecoder decoder = {.map = map, .limits = &limits, .arena = arena};
  const RestResource *product = rest_map_at(map, contract_resource(contract, STR("Product")));
  Code code = rest_query_decode(&decoder, product, str_of(query), use, ret);
  *ret_problem = decoder.problem;
  return code;
}

static void assert_decodes(const char *query, const char *expected) {
  RestQuery made;
  const Problem *problem = NULL;
  if (decode(query, REST_QUERY_LIST, &made, &problem) != CODE_OK) fail_msg("%s: %.*s", query, STR_ARGS(problem->detail));
  Buf out = buf_on(arena, 65536);
  write_selection(made.selection, &out);
  write_query(&made.list, &out);
  if (!str_equal(buf_str(&out), str_of(expected))) fail_msg("%s\n  is  %.*s\n  not %s", query, STR_ARGS(buf_str(&out)), expected);
}

static void assert_refused(const char *query, const char *detail, const char *hint) {
  RestQuery made;
  const Problem *problem = NULL;
  if (decode(query, REST_QUERY_LIST, &made, &problem) != CODE_BAD_REQUEST) fail_msg("%s is not refused", query);
  if (!str_contains(problem->detail, str_of(detail))) fail_msg("%s\n  says %.*s\n  not  %s", query, STR_ARGS(problem->detail), detail);
  if (!str_contains(problem->hint, str_of(hint))) fail_msg("%s\n  hints %.*s\n  not   %s", query, STR_ARGS(problem->hint), hint);
}

static void fields_become_conditions(void **state) {
  (void)state;
  assert_decodes("", "*");
  assert_decodes("name=Tea", "* where (name == \"Tea\")");
  assert_decodes("name=a+b%2B%C3%A9", "* where (name == \"a b+\xC3\xA9\")");
  assert_decodes("stock[gte]=3&stock%5Blt%5D=5", "* where ((stock >= 3) && (stock < 5))");
  assert_decodes("stock[ne]=3", "* where (stock != 3)");
  assert_decodes("price[gt]=9.500", "* where (price > \"9.5\")");
  assert_decodes("sold=9007199254740993", "* where (sold == 9007199254740993)");
  assert_decodes("active=true", "* where (active == true)");
  assert_decodes("name[in]=a,b%2Cc,d\\,e", "* where (name in [\"a\", \"b\", \"c\", \"d,e\"])");
  assert_decodes("stock[in]=1,2", "* where (stock in [1, 2])");
  assert_decodes("name[contains]=0%25", "* where name.contains(\"0%\")");
  assert_decodes("name[startsWith]=L&name[endsWith]=s", "* where (name.startsWith(\"L\") && name.endsWith(\"s\"))");
  assert_decodes("sold[isNull]=true", "* where (sold == null)");
  assert_decodes("sold[isNull]=false", "* where (sold != null)");
  assert_decodes("category[isNull]=true", "* where (category == null)");
  assert_decodes("tags[contains]=tea", "* where (\"tea\" in tags)");
  assert_decodes("count[eq]=5", "* where (count == 5)");
  assert_decodes("category.name=Tea", "* where (category.name == \"Tea\")");
  assert_decodes("address.city=Oslo&address.geo.lat[lt]=1.5", "* where ((address.city == \"Oslo\") && (address.geo.lat < 1.5))");
  assert_decodes("ref=01890A5D-AC96-774B-BCCE-B302099A8057", "* where (ref == \"01890a5d-ac96-774b-bcce-b302099a8057\")");
}

static void an_enum_goes_by_what_is_stored(void **state) {
  (void)state;
  assert_decodes("status=OPEN", "* where (status == \"OPEN\")");
  assert_decodes("status=CLOSED", "* where (status == \"closed-2\")");
  assert_refused("status=closed-2", "one of OPEN, CLOSED", "");
}

static void a_list_has_an_order_and_a_page(void **state) {
  (void)state;
  assert_decodes("sort=-made,name,category.name&limit=5&after=abc&count=exact", "* by -made,name,category.name limit 5 after abc counted");
  assert_decodes("limit=0&before=x", "* limit 0 before x");
  assert_decodes("filter=stock%3E3%20%26%26%20category.name%3D%3D%22Tea%22&stock=4",
                 "* where (((stock > 3) && (category.name == \"Tea\")) && (stock == 4))");
}

static void a_list_is_searched_and_its_rows_made_distinct(void **state) {
  (void)state;
  assert_decodes("sort=address.city,-address.geo.lat", "* by address.city,-address.geo.lat");
  assert_decodes("fields=stock&distinct=true", "stock distinct");
  assert_decodes("distinct=false&q=green+tea", "* find green tea");
  assert_refused("distinct=1", "neither true nor false", "");
}

static void write_aggregate(const RestAggregate *made, Buf *out) {
  static const char *const kinds[] = {"count", "sum", "avg", "min", "max"};
  static const char *const operators[] = {
      [EXPR_EQ] = "==", [EXPR_NE] = "!=", [EXPR_LT] = "<", [EXPR_LE] = "<=", [EXPR_GT] = ">", [EXPR_GE] = ">="};
  for (size_t i = 0; i < made->piece_count; i++) buf_printf(out, "%.*s%zu", STR_ARGS(made->pieces[i].before), made->pieces[i].value);
  buf_add(out, made->end);
  for (size_t i = 0; i < made->aggregate.order_count; i++) {
    const struct AggregateOrder *order = &made->aggregate.order[i];
    buf_printf(out, " by %s%s%u", order->is_descending ? "-" : "", order->is_metric ? "metric " : "group ", order->index);
  }
  for (size_t i = 0; i < made->aggregate.having_count; i++) {
    const AggregateCondition *condition = &made->aggregate.having[i];
    buf_printf(out, " having %s %s", kinds[made->aggregate.metrics[condition->metric].kind], operators[condition->op]);
    expr_write(out, expr_literal(arena, condition->value));
  }
}

static void assert_aggregates(const char *query, const char *expected) {
  RestQuery made;
  const Problem *problem = NULL;
  if (decode(query, REST_QUERY_AGGREGATE, &made, &problem) != CODE_OK) fail_msg("%s: %.*s", query, STR_ARGS(problem->detail));
  Buf out = buf_on(arena, 65536);
  write_aggregate(&made.aggregate, &out);
  write_query(&made.list, &out);
  if (!str_equal(buf_str(&out), str_of(expected))) fail_msg("%s\n  is  %.*s\n  not %s", query, STR_ARGS(buf_str(&out)), expected);
}

static void assert_no_aggregate(const char *query, const char *detail) {
  RestQuery made;
  const Problem *problem = NULL;
  if (decode(query, REST_QUERY_AGGREGATE, &made, &problem) != CODE_BAD_REQUEST) fail_msg("%s is not refused", query);
  if (!str_contains(problem->detail, str_of(detail))) fail_msg("%s\n  says %.*s\n  not  %s", query, STR_ARGS(problem->detail), detail);
}

static void an_aggregate_has_groups_and_metrics(void **state) {
  (void)state;
  assert_aggregates("", "{\"by\":{},\"count\":0}");
  assert_aggregates("by=status,category.name,address.city&metrics=avg(stock),count,sum(price),%20sum(%20stock%20)",
                    "{\"by\":{\"status\":0,\"category.name\":1,\"address.city\":2},\"count\":4,\"sum\":{\"price\":5,\"stock\":6},\"avg\":"
                    "{\"stock\":3}}");
  /* What serves sort and having alone isn't shown. */
  assert_aggregates("by=status&sort=-sum(price),status", "{\"by\":{\"status\":0},\"count\":1} by -metric 1 by group 0");
  assert_aggregates("having=count%3E%3D10%26%26sum(price)%3C9.50", "{\"by\":{},\"count\":0} having count >=10 having sum <\"9.5\"");
  assert_aggregates("having=min(name)%20!=%20%22a%20%26%26%20b%5C%22%22", "{\"by\":{},\"count\":0} having min !=\"a && b\\\"\"");
  assert_aggregates("having=max(made)%3C'2026-01-01T00:00:00Z'&stock[gt]=3&limit=7",
                    "{\"by\":{},\"count\":0} having max <timestamp(\"2026-01-01T00:00:00Z\") where (stock > 3) limit 7");
}

static void what_makes_no_groups_and_no_metrics_is_refused(void **state) {
  (void)state;
  assert_no_aggregate("by=tags", "makes no groups");
  assert_no_aggregate("by=category", "is a relation");
  assert_no_aggregate("by=status,status", "named twice");
  assert_no_aggregate("by=", "");
  assert_no_aggregate("metrics=", "no metric");
  assert_no_aggregate("metrics=count,count", "named twice");
  assert_no_aggregate("metrics=sum(name)", "no number");
  assert_no_aggregate("metrics=sum(stock", "no metric");
  assert_no_aggregate("metrics=sum", "no metric");
  assert_no_aggregate("metrics=sum(secret)", "no field");
  assert_no_aggregate("metrics=max(active)", "no order");
  assert_no_aggregate("metrics=sum(category.name)", "no field");
  assert_no_aggregate("sort=name", "not what they are made by");
  assert_no_aggregate("having=", "a metric is expected");
  assert_no_aggregate("having=count", "is expected");
  assert_no_aggregate("having=count%3D%3D", "a number or a quoted text is expected");
  assert_no_aggregate("having=count%3E1.5", "an integer of 64 bits is expected");
  assert_no_aggregate("having=count%3E1%20%7C%7C%20count%3E2", "&& or the end is expected");
  assert_no_aggregate("having=min(name)%3D%3D%22a", "closing quote");
  assert_no_aggregate("having=count%3E1%26%26", "a metric is expected");
  assert_no_aggregate("limit=1001", "at most 1000");
  assert_no_aggregate("after=x", "neither a parameter nor a field");
  assert_no_aggregate("fields=id", "neither a parameter nor a field");
}

static void fields_are_selected_in_the_contracts_order(void **state) {
  (void)state;
  assert_decodes("fields=price,id", "id,price");
  assert_decodes("fields=id,id", "id");
  assert_decodes("fields=*", "*");
  assert_decodes("fields=id,%20category(name),reviews(stars,notes)", "id,category(name),reviews(stars,notes(*))");
  assert_decodes("fields=*,category",
                 "id,name,price,stock,sold,weight,active,status,tags,made,day,photo,extra,address,ref,count,category(*),categoryId");
  assert_decodes("fields=id,reviews(stars,notes(text))&reviews.limit=5&reviews.sort=-stars&reviews.filter=stars%3E2&reviews.notes.limit=1",
                 "id,reviews(stars,notes(text limit 1) where (stars > 2) by -stars limit 5)");
  assert_decodes("fields=category(products(id))&category.products.limit=3", "category(products(id limit 3))");
  /* The shared whole selection is not written to by a request. */
  assert_decodes("fields=reviews&reviews.limit=5", "reviews(* limit 5)");
  assert_decodes("fields=reviews", "reviews(*)");
}

static void what_is_unknown_is_refused_with_the_nearest_name(void **state) {
  (void)state;
  assert_refused("nam=x", "neither a parameter nor a field of Product", "\"name\"");
  assert_refused("limt=5", "limt", "\"limit\"");
  assert_refused("category.nam=x", "Category has no field \"nam\"", "\"name\"");
  assert_refused("address.cty=x", "cty", "\"city\"");
  assert_refused("secret=x", "neither a parameter nor a field", "");
  assert_refused("sort=secret", "no field \"secret\"", "");
  assert_refused("fields=secret", "no field \"secret\"", "");
  assert_refused("fields=id,category(nam)", "Category has no field \"nam\"", "\"name\"");
  assert_refused("stock[gteq]=1", "no operator \"gteq\"", "\"gte\"");
  assert_refused("stock[matches]=1", "no operator \"matches\"", "operators are");
  assert_refused("stock[gte=1", "no closing bracket", "");
  assert_refused("filter=stok>1", "filter, column 1", "stock");
  assert_refused("reviews.stars=5", "not a parameter of a nested list", "");
  assert_refused("fields=reviews&reviews.lmit=5", "not a parameter of a nested list", "\"limit\"");
  assert_refused("reviews.limit=5", "not among the fields", "fields=");
  assert_refused("reviews=5", "list of rows", "exists");
  assert_refused("name.x=5", "no members", "");
  assert_refused("=5", "", "");
  assert_refused("'%20OR%201=1", "neither a parameter", "");
}

static void what_does_not_fit_its_type_is_refused(void **state) {
  (void)state;
  assert_refused("stock=many", "stock: \"many\" is not an integer of 32 bits", "");
  assert_refused("stock[gt]=99999999999", "integer of 32 bits", "");
  assert_refused("stock=0x10", "integer", "");
  assert_refused("stock=", "integer", "");
  assert_refused("stock[in]=1,x", "\"x\" is not an integer", "");
  assert_refused("weight=NaN", "a number", "");
  assert_refused("weight=1e999", "a number", "");
  assert_refused("active=yes", "true or false", "");
  assert_refused("made[gt]=yesterday", "a time such as", "");
  assert_refused("made=2026-11-23T12:00:00+01:00", "%2B", "");
  assert_refused("day=2026-02-30", "a date", "");
  assert_refused("ref=x", "a UUID", "");
  assert_refused("sold[isNull]=perhaps", "neither true nor false", "");
  assert_refused("stock[contains]=1", "does not apply", "");
  assert_refused("active[gt]=true", "does not apply", "");
  assert_refused("extra=1", "does not apply", "");
  assert_refused("tags=tea", "does not apply", "[contains]");
  assert_refused("category=x", "does not apply", "category.id");
  assert_refused("address=x", "does not apply", "member");
  assert_refused("sort=tags", "no order", "");
  assert_refused("sort=address.geo", "no order", "");
  assert_refused("sort=address.city,-address.city", "named twice", "");
  assert_refused("sort=name,-name", "named twice", "");
  assert_refused("sort=", "", "");
}

static void parameters_that_contradict_are_refused(void **state) {
  (void)state;
  assert_refused("limit=5&limit=5", "given twice", "");
  assert_refused("name=a&name=b", "given twice", "filter=");
  assert_refused("limit=101", "at most 100", "nextCursor");
  assert_refused("limit=-1", "not a number of rows", "");
  assert_refused("limit=two", "not a number of rows", "");
  assert_refused("count=yes", "no way of counting", "count=exact");
  assert_refused("after=", "empty", "");
  assert_refused("after=a&before=b", "both", "");
  assert_refused("name=%ff", "UTF-8", "");
  assert_refused("name=%zz", "hexadecimal", "");
  assert_refused("name=%00", "NUL", "");
  assert_refused("fields=", "missing", "");
  assert_refused("fields=id,,name", "missing", "");
  assert_refused("fields=id)", "comma", "");
  assert_refused("fields=category(id", "closing parenthesis", "");
  assert_refused("fields=name(x)", "only a relation", "");
  assert_refused("fields=category,category(id)", "twice", "");
  assert_refused("fields=category(products(category(products(category(products(id))))))", "nested deeper than 5 (--nesting-max)", "");
}

static void a_single_resource_has_fields_alone(void **state) {
  (void)state;
  RestQuery made;
  const Problem *problem;
  assert_int_equal(decode("fields=id,reviews&reviews.limit=2", REST_QUERY_ITEM, &made, &problem), CODE_OK);
  assert_int_equal(decode("limit=2", REST_QUERY_ITEM, &made, &problem), CODE_BAD_REQUEST);
  assert_int_equal(decode("name=x", REST_QUERY_ITEM, &made, &problem), CODE_BAD_REQUEST);
  assert_int_equal(decode("field=id", REST_QUERY_ITEM, &made, &problem), CODE_BAD_REQUEST);
  assert_true(str_contains(problem->hint, STR("fields")));
  /* A DELETE has none, so that none is near. */
  assert_int_equal(decode("fields=id", REST_QUERY_NONE, &made, &problem), CODE_BAD_REQUEST);
  assert_int_equal(problem->hint.len, 0);
}

static void what_is_unknown_can_be_passed_over(void **state) {
  (void)state;
  RestDecoder decoder = {.map = map, .limits = &limits, .arena = arena, .is_lenient = true};
  const RestResource *product = rest_map_at(map, contract_resource(contract, STR("Product")));
  RestQuery made;
  assert_int_equal(rest_query_decode(&decoder, product, STR("utm_source=x&limit=3"), REST_QUERY_LIST, &made), CODE_OK);
  assert_int_equal(made.list.limit, 3);
  assert_int_equal(rest_query_decode(&decoder, product, STR("stock=x"), REST_QUERY_LIST, &made), CODE_BAD_REQUEST);
}

static void scarce_memory_is_refused_cleanly(void **state) {
  (void)state;
  const char *query = "fields=id,category(name),reviews(stars)&reviews.filter=stars%3E2&reviews.sort=-stars&name[in]=a\\,b,c&price=1.5&"
                      "sort=category.name&limit=3";
  Code code = CODE_UNAVAILABLE;
  for (size_t n = 1; code != CODE_OK && n < 500; n++) {
    Arena *scarce = arena_create(0);
    RestDecoder decoder = {.map = map, .limits = &limits, .arena = scarce};
    RestQuery made;
    memory_fail_after(n);
    code =
        rest_query_decode(&decoder, rest_map_at(map, contract_resource(contract, STR("Product"))), str_of(query), REST_QUERY_LIST, &made);
    memory_fail_after(0);
    if (code != CODE_OK) assert_int_equal(code, CODE_UNAVAILABLE);
    if (code != CODE_OK) assert_non_null(decoder.problem);
    arena_destroy(scarce);
  }
  assert_int_equal(code, CODE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_become_conditions),
      cmocka_unit_test(an_enum_goes_by_what_is_stored),
      cmocka_unit_test(a_list_has_an_order_and_a_page),
      cmocka_unit_test(a_list_is_searched_and_its_rows_made_distinct),
      cmocka_unit_test(an_aggregate_has_groups_and_metrics),
      cmocka_unit_test(what_makes_no_groups_and_no_metrics_is_refused),
      cmocka_unit_test(fields_are_selected_in_the_contracts_order),
      cmocka_unit_test(what_is_unknown_is_refused_with_the_nearest_name),
      cmocka_unit_test(what_does_not_fit_its_type_is_refused),
      cmocka_unit_test(parameters_that_contradict_are_refused),
      cmocka_unit_test(a_single_resource_has_fields_alone),
      cmocka_unit_test(what_is_unknown_can_be_passed_over),
      cmocka_unit_test(scarce_memory_is_refused_cleanly),
  };
  arena = arena_create(0);
  ContractFile file = {STR("shop.graphql"), str_of(SHOP)};
  DiagnosticList diagnostics = {0};
  Error err = {0};
  if (contract_load(&file, 1, arena, &contract, &diagnostics, &err) != CODE_OK) {
    Buf out = buf_on(arena, 65536);
    diagnostics_write(&out, &diagnostics, false);
    print_error("%.*s\n", STR_ARGS(buf_str(&out)));
    return 1;
  }
  if (rest_map_create(contract, arena, &map, &err) != CODE_OK) return 1;
  int failed = cmocka_run_group_tests_name("rest_query", tests, NULL, NULL);
  contract_destroy(contract);
  arena_destroy(arena);
  return failed;
}
