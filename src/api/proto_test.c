/* proto_test.c - a contract's schema, its lock, masks and input, held against INTERFACE §5. What other implementations make of it is
 * tests/e2e/proto.test.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/proto_decode.h"
#include "api/proto_descriptor.h"
#include "api/proto_encode.h"
#include "api/proto_json.h"
#include "api/proto_lock.h"
#include "api/proto_print.h"
#include "api/proto_select.h"
#include "codec/protobuf.h"
#include "contract/load.h"

enum { BYTES_MAX = 1 << 20 };

#define HEAD "extend schema @service(name: \"shop\", version: \"v1\")\n"
#define OPEN "@resource @access(read: \"true\", write: \"true\") "

static const char shop[] = HEAD "enum Status { OPEN CLOSED }\n"
                                "type Address { street: String!  zip: String  since: DateTime }\n"
                                "\"Sold.\"\n"
                                "type Product " OPEN "{\n"
                                "  id: ID!\n"
                                "  name: String!\n"
                                "  note: String\n"
                                "  price: Decimal!\n"
                                "  stock: Int! @default(value: 0)\n"
                                "  sold: BigInt\n"
                                "  weight: Float!\n"
                                "  secret: String! @access(read: \"auth.id != null\")\n"
                                "  pin: String @hidden\n"
                                "  status: Status!\n"
                                "  tags: [String!]\n"
                                "  topics: [String!]!\n"
                                "  from: Address\n"
                                "  extra: JSON\n"
                                "  blob: Bytes\n"
                                "  category: Category\n"
                                "  createdAt: DateTime! @default(expr: \"now()\") @readonly\n"
                                "}\n"
                                "type Category " OPEN "{ slug: String! @id  title: String!  products: [Product!]! }\n";

typedef struct Fixture {
  Arena *arena;
  Contract *contract;
  ProtoSchema *schema;
  Error err;
} Fixture;

static Contract *contract_of(Arena *arena, const char *sdl) {
  Contract *contract = NULL;
  DiagnosticList diagnostics = {0};
  const ContractFile file = {STR("shop.graphql"), str_of(sdl)};
  Code code = contract_load(&file, 1, arena, &contract, &diagnostics, NULL);
  if (code != CODE_OK) fail_msg("%.*s", STR_ARGS(diagnostics.items[0].message));
  return contract;
}

static Fixture fixture_of(const char *sdl) {
  Fixture fixture = {.arena = arena_create(0)};
  fixture.contract = contract_of(fixture.arena, sdl);
  assert_int_equal(proto_schema_create(fixture.contract, NULL, fixture.arena, &fixture.schema, &fixture.err), CODE_OK);
  return fixture;
}

static void fixture_done(Fixture *fixture) {
  contract_destroy(fixture->contract);
  arena_destroy(fixture->arena);
}

static Str printed(const Fixture *fixture) {
  Buf out = buf_on(fixture->arena, BYTES_MAX);
  proto_print(fixture->schema, &out);
  return buf_str(&out);
}

static void assert_has(Str text, const char *part) {
  if (!str_contains(text, str_of(part))) fail_msg("\"%s\" is not in\n%.*s", part, STR_ARGS(text));
}

static void assert_hasnt(Str text, const char *part) {
  if (str_contains(text, str_of(part))) fail_msg("\"%s\" is in\n%.*s", part, STR_ARGS(text));
}

/* ---- the schema ---- */

static void a_resource_has_the_service_that_the_interface_names(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  static const char *const paths[] = {"GetProduct",          "ListProducts",      "CreateProduct", "UpdateProduct", "DeleteProduct",
                                      "BatchCreateProducts", "AggregateProducts", "WatchProducts", "SyncProducts"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    const ProtoMethod *method = proto_method(f.schema, arena_printf(f.arena, "/shop.v1.ProductService/%s", paths[i]));
    assert_non_null(method);
    assert_int_equal(method->is_server_streaming, method->role == PROTO_WATCH || method->role == PROTO_SYNC);
    assert_ptr_equal(f.schema->resources[method->resource->index].methods[method->role], method);
  }
  Str text = printed(&f);
  assert_has(text, "package shop.v1;");
  assert_has(text, "string filter = 1;");
  assert_has(text, "repeated Product products = 1;");
  assert_has(text, "optional int32 total_size = 3;");
  assert_has(text, "map<string, google.protobuf.Value> by = 1;");
  assert_has(text, "  oneof action {\n");
  assert_has(text, "    CreateProductRequest create = 3;\n");
  const ProtoMessage *update = proto_message(f.schema, STR("shop.v1.UpdateProductRequest"));
  assert_int_equal(update->field_count, 3);
  assert_true(str_equal(update->fields[0].name, STR("product")));
  assert_true(str_equal(update->fields[1].name, STR("update_mask")));
  assert_true(str_equal(update->fields[2].name, STR("etag")));
  assert_non_null(proto_field(proto_message(f.schema, STR("shop.v1.GetCategoryRequest")), STR("slug")));
  fixture_done(&f);
}

static void a_row_makes_way_for_the_protocol_s_own_names(void **state) {
  (void)state;
  Fixture f = fixture_of(HEAD "type Kind " OPEN "{ id: ID! }\ntype Etag " OPEN "{ id: ID! }\ntype Result " OPEN "{ id: ID! }\n");
  const ProtoMessage *change = proto_message(f.schema, STR("shop.v1.WatchKindsResponse"));
  assert_int_equal(proto_field(change, STR("kind"))->type, PROTO_ENUM);
  assert_int_equal(proto_field(change, STR("kind_2"))->number, 2);
  const ProtoMessage *update = proto_message(f.schema, STR("shop.v1.UpdateEtagRequest"));
  assert_int_equal(proto_field(update, STR("etag"))->type, PROTO_STRING);
  assert_int_equal(proto_field(update, STR("etag_2"))->number, 1);
  assert_has(printed(&f), "    .shop.v1.Result result = 1;\n"); /* and not SyncResultsResponse.Result */
  fixture_done(&f);
}

static void types_and_presence_are_those_of_the_interface(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  Str text = printed(&f);
  static const char *const fields[] = {" string id = 1;",
                                       " string name = 2;",
                                       " optional string note = 3;",
                                       " string price = 4;",
                                       " optional int32 stock = 5;",
                                       " optional int64 sold = 6;",
                                       " double weight = 7;",
                                       " optional string secret = 8;",
                                       " optional string pin = 9;",
                                       " Status status = 10;",
                                       " repeated string tags = 11;",
                                       " repeated string topics = 12;",
                                       " optional Address from = 13;",
                                       " optional google.protobuf.Value extra = 14;",
                                       " optional bytes blob = 15;",
                                       " optional Category category = 16;",
                                       " optional string category_slug = 17;",
                                       " optional google.protobuf.Timestamp created_at = 18;",
                                       "  STATUS_UNSPECIFIED = 0;\n  STATUS_OPEN = 1;\n  STATUS_CLOSED = 2;\n",
                                       "// Sold.\nmessage Product {"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) assert_has(text, fields[i]);
  fixture_done(&f);
}

static void a_hidden_relation_is_set_by_its_key_and_never_read(void **state) {
  (void)state;
  Fixture f = fixture_of(HEAD "type Owner " OPEN "{ id: ID!  name: String }\ntype Thing " OPEN "{ id: ID!  owner: Owner @hidden }\n");
  const ProtoMessage *thing = proto_message(f.schema, STR("shop.v1.Thing"));
  assert_null(proto_field(thing, STR("owner")));
  assert_non_null(proto_field(thing, STR("owner_id")));
  assert_true(proto_field(thing, STR("owner_id"))->is_input_only);
  fixture_done(&f);
}

static void a_table_without_a_key_can_be_listed_and_nothing_else(void **state) {
  (void)state;
  Fixture f = fixture_of(HEAD "type Loose @resource @access(read: \"true\") { text: String }\n");
  assert_int_equal(f.schema->resources[0].service->method_count, 3);
  assert_non_null(f.schema->resources[0].methods[PROTO_LIST]);
  assert_non_null(f.schema->resources[0].methods[PROTO_AGGREGATE]);
  assert_non_null(f.schema->resources[0].methods[PROTO_EXPORT]);
  fixture_done(&f);
}

static void descriptors_are_found_by_file_and_symbol(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  static const char *const symbols[] = {"shop.v1.ProductService",
                                        "shop.v1.ProductService.GetProduct",
                                        "shop.v1.Product",
                                        "shop.v1.Product.created_at",
                                        "shop.v1.AggregateProductsResponse.Group",
                                        "shop.v1.Status",
                                        "shop.v1.WatchProductsResponse.Kind"};
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    assert_ptr_equal(proto_file_of_symbol(f.schema, str_of(symbols[i])), f.schema->file);
  assert_null(proto_file_of_symbol(f.schema, STR("shop.v1.Nothing")));
  assert_null(proto_file_of_symbol(f.schema, STR("shop.v1.Product.createdAt")));
  assert_ptr_equal(proto_file_named(f.schema, STR("shop/v1/shop.proto")), f.schema->file);
  assert_non_null(proto_file_of_symbol(f.schema, STR("grpc.health.v1.Health")));
  assert_non_null(proto_file_named(f.schema, STR("google/protobuf/struct.proto")));
  fixture_done(&f);
}

/* ---- the lock ---- */

static Str lock_text(Fixture *f, const ProtoLock *old) {
  Buf out = buf_on(f->arena, BYTES_MAX);
  assert_int_equal(proto_lock_write(f->schema, old, f->arena, &out, &f->err), CODE_OK);
  return buf_str(&out);
}

/* The lock that one contract leaves, read for the next. */
static ProtoLock *lock_after(Fixture *f, const ProtoLock *old) {
  ProtoLock *lock = NULL;
  assert_int_equal(proto_lock_parse(lock_text(f, old), STR("shop.lock.json"), f->arena, &lock, &f->err), CODE_OK);
  return lock;
}

#define BEFORE HEAD "enum Mood { GOOD BAD UGLY }\ntype Thing " OPEN "{ id: ID!  a: String  b: Int  c: Mood }\n"

/* What `sdl` is under the lock that BEFORE left; NULL: it is refused, with `f->err`. */
static ProtoSchema *under_lock(Fixture *f, const char *sdl) {
  ProtoSchema *schema = NULL;
  Contract *contract = contract_of(f->arena, sdl);
  Code code = proto_schema_create(contract, lock_after(f, NULL), f->arena, &schema, &f->err);
  contract_destroy(f->contract);
  f->contract = contract;
  f->schema = schema;
  if (code != CODE_OK) assert_int_equal(code, CODE_BAD_REQUEST);
  return code == CODE_OK ? schema : NULL;
}

static void a_locked_number_never_moves_and_a_new_field_comes_behind(void **state) {
  (void)state;
  Fixture f = fixture_of(BEFORE);
  assert_false(f.schema->is_locked);
  assert_non_null(
      under_lock(&f, HEAD "enum Mood { NEW UGLY GOOD BAD }\ntype Thing " OPEN "{ z: String  c: Mood  id: ID!  b: Int  a: String! }\n"));
  assert_false(f.schema->is_locked);
  Str text = printed(&f);
  static const char *const parts[] = {" optional string z = 5;", " optional Mood c = 4;", " string id = 1;", " optional int32 b = 3;",
                                      " string a = 2;",          " MOOD_NEW = 4;",        " MOOD_UGLY = 3;", " MOOD_GOOD = 1;"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(text, parts[i]);
  fixture_done(&f);
}

static void what_is_removed_is_reserved_for_ever(void **state) {
  (void)state;
  Fixture f = fixture_of(BEFORE);
  ProtoLock *first = lock_after(&f, NULL);
  assert_non_null(under_lock(&f, HEAD "enum Mood { GOOD UGLY }\ntype Thing " OPEN "{ id: ID!  c: Mood }\n"));
  Str text = printed(&f);
  assert_has(text, "  reserved 2 to 3;\n  reserved \"a\", \"b\";\n");
  assert_has(text, "  reserved 2;\n  reserved \"MOOD_BAD\";\n");
  /* Again with the lock of that. */
  ProtoLock *second = lock_after(&f, first);
  Contract *contract = contract_of(f.arena, HEAD "enum Mood { GOOD UGLY }\ntype Thing " OPEN "{ id: ID!  c: Mood  d: String }\n");
  ProtoSchema *schema = NULL;
  assert_int_equal(proto_schema_create(contract, second, f.arena, &schema, &f.err), CODE_OK);
  assert_int_equal(proto_field(proto_message(schema, STR("shop.v1.Thing")), STR("d"))->number, 5);
  contract_destroy(contract);
  contract = contract_of(f.arena, HEAD "enum Mood { GOOD UGLY }\ntype Thing " OPEN "{ id: ID!  c: Mood  a: String }\n");
  assert_int_equal(proto_schema_create(contract, second, f.arena, &schema, &f.err), CODE_BAD_REQUEST);
  assert_has(str_of(f.err.text), "shop.lock.json: Thing.a was removed");
  contract_destroy(contract);
  fixture_done(&f);
}

static void a_changed_type_is_refused_with_the_file_and_a_hint(void **state) {
  (void)state;
  Fixture f = fixture_of(BEFORE);
  assert_null(under_lock(&f, HEAD "enum Mood { GOOD BAD UGLY }\ntype Thing " OPEN "{ id: ID!  a: String  b: [Int!]  c: Mood }\n"));
  assert_has(str_of(f.err.text), "shop.lock.json: Thing.b is int32 there and repeated int32 now");
  assert_has(str_of(f.err.text), "name");
  fixture_done(&f);
}

static void a_renamed_field_keeps_its_number_and_its_old_name_is_reserved(void **state) {
  (void)state;
  Fixture f = fixture_of(BEFORE);
  ProtoLock *first = lock_after(&f, NULL);
  assert_non_null(under_lock(&f, HEAD "enum Mood { GOOD BAD UGLY }\ntype Thing " OPEN
                                      "{ id: ID!  newName: String @renamed(from: \"a\")  b: Int  c: Mood }\n"));
  Str text = printed(&f);
  assert_has(text, " optional string new_name = 2;");
  assert_has(text, "  reserved \"a\";\n");
  assert_hasnt(text, "  reserved 2");
  /* The lock of that is read again, and the number is in use once. */
  ProtoSchema *again = NULL;
  assert_int_equal(proto_schema_create(f.contract, lock_after(&f, first), f.arena, &again, &f.err), CODE_OK);
  assert_true(again->is_locked);
  assert_int_equal(proto_field(proto_message(again, STR("shop.v1.Thing")), STR("new_name"))->number, 2);
  fixture_done(&f);
}

static void a_type_that_comes_back_has_its_numbers(void **state) {
  (void)state;
  Fixture f = fixture_of(BEFORE "type Other " OPEN "{ id: ID!  x: Int  y: Int }\n");
  ProtoLock *first = lock_after(&f, NULL);
  assert_non_null(under_lock(&f, BEFORE));
  ProtoLock *second = lock_after(&f, first);
  Contract *contract = contract_of(f.arena, BEFORE "type Other " OPEN "{ id: ID!  y: Int  x: Int }\n");
  ProtoSchema *schema = NULL;
  assert_int_equal(proto_schema_create(contract, second, f.arena, &schema, &f.err), CODE_OK);
  assert_int_equal(proto_field(proto_message(schema, STR("shop.v1.Other")), STR("y"))->number, 3);
  assert_true(schema->is_locked);
  contract_destroy(contract);
  fixture_done(&f);
}

static void a_lock_outlives_a_new_version(void **state) {
  (void)state;
  Fixture f = fixture_of(BEFORE);
  assert_non_null(under_lock(&f, "extend schema @service(name: \"shop\", version: \"v2\")\nenum Mood { BAD GOOD UGLY }\ntype Thing " OPEN
                                 "{ id: ID!  c: Mood  b: Int  a: String }\n"));
  assert_true(f.schema->is_locked);
  Str text = printed(&f);
  assert_has(text, "package shop.v2;");
  assert_has(text, " optional Mood c = 4;");
  fixture_done(&f);
}

static void a_lock_that_is_none_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "[]",
      "{}",
      "{\"package\":1}",
      "{\"package\":\"p\",\"messages\":[]}",
      "{\"package\":\"p\",\"messages\":{\"A\":1}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":{\"a\":{\"number\":0,\"type\":\"string\"}}}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":{\"a\":{\"number\":536870912,\"type\":\"string\"}}}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":{\"a\":{\"number\":1}}}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":{\"a\":{\"type\":\"string\"}}}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":{\"a\":{\"number\":1.5,\"type\":\"string\"}}}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":{\"a\":{\"number\":1,\"type\":2}}}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"fields\":[]}}}",
      "{\"package\":\"p\",\"messages\":{\"A\":{\"reserved\":[]}}}",
      "{\"package\":\"p\",\"enums\":{\"A\":{\"values\":{\"a\":\"1\"}}}}",
      "{\"package\":\"p\",\"enums\":{\"A\":{\"values\":{\"a\":1,\"b\":1}}}}"};
  Arena *arena = arena_create(0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ProtoLock *lock = NULL;
    Error err = {0};
    assert_int_equal(proto_lock_parse(str_of(bad[i]), STR("shop.lock.json"), arena, &lock, &err), CODE_BAD_REQUEST);
    assert_has(str_of(err.text), "shop.lock.json: ");
  }
  assert_string_equal(proto_lock_path(STR("a/shop.graphql"), arena).ptr, "a/shop.lock.json");
  assert_string_equal(proto_lock_path(STR("a/shop/"), arena).ptr, "a/shop.lock.json");
  arena_destroy(arena);
}

/* ---- masks ---- */

static Str selection_text(Fixture *f, const Selection *selection) {
  Buf out = buf_on(f->arena, BYTES_MAX);
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    assert_ptr_equal(((const ProtoField *)item->face)->field, item->field);
    if (i > 0) buf_add_byte(&out, ',');
    buf_add(&out, item->field->name);
    if (item->nested != NULL) buf_printf(&out, "(%.*s)", STR_ARGS(selection_text(f, item->nested)));
  }
  return buf_str(&out);
}

static void assert_selects(Fixture *f, const char *mask, const char *expected) {
  ProtoDatum paths[16];
  size_t count = 0;
  Str rest = str_of(mask), path;
  while (str_split_next(&rest, ' ', &path)) paths[count++].text = path;
  Selection *selection = NULL;
  const Resource *product = contract_resource(f->contract, STR("Product"));
  Code code = proto_select(f->schema, product, paths, count, 2, f->arena, &selection, &f->err);
  Str got = code == CODE_OK ? selection_text(f, selection) : str_of(f->err.text);
  if (!str_equal(got, str_of(expected))) fail_msg("%s: %.*s", mask, STR_ARGS(got));
}

static void read_masks_take_names_of_either_spelling_and_relations(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  const char *whole = "id,name,note,price,stock,sold,weight,secret,status,tags,topics,from,extra,blob,categorySlug,createdAt";
  Selection *selection = NULL;
  assert_int_equal(proto_select(f.schema, contract_resource(f.contract, STR("Product")), NULL, 0, 2, f.arena, &selection, &f.err), CODE_OK);
  assert_true(selection->is_whole);
  assert_selects(&f, "*", whole);
  assert_selects(&f, "created_at name", "name,createdAt");
  assert_selects(&f, "createdAt", "createdAt");
  assert_selects(&f, "category", "category(slug,title)");
  assert_selects(&f, "name category.title category.products.name", "name,category(title,products(name))");
  assert_selects(&f, "category.title category", "category(slug,title)");
  assert_selects(&f, "from.street", "from");
  assert_selects(&f, "nam", "read_mask: Product has no field \"nam\": did you mean \"name\"?");
  assert_selects(&f, "pin", "read_mask: Product has no field \"pin\"");
  assert_selects(&f, "name.x", "read_mask: a value has no fields of its own");
  assert_selects(&f, "from.stret", "read_mask: Address has no field \"stret\": did you mean \"street\"?");
  assert_selects(&f, "category.products.category.title", "read_mask: relations are nested deeper than 2 (--nesting-max)");
  fixture_done(&f);
}

/* ---- input ---- */

/* `json` is ProtoJSON of a Product; *ret_text its input. */
static Code input_of(Fixture *f, const char *json, ProtoInputKind kind, const char *mask, Str *ret_text) {
  ProtoNode *node = NULL, *read = NULL;
  const ProtoMessage *product = proto_message(f->schema, STR("shop.v1.Product"));
  Code code = proto_json_read(product, str_of(json), false, f->arena, &node, &f->err);
  if (code != CODE_OK) fail_msg("%s: %s", json, f->err.text);
  Buf bytes = buf_on(f->arena, BYTES_MAX), out = buf_on(f->arena, BYTES_MAX);
  proto_write(node, &bytes);
  assert_int_equal(proto_read(product, buf_str(&bytes), f->arena, &read, &f->err), CODE_OK);
  ProtoDatum paths[16];
  size_t count = 0;
  Str rest = str_of(mask), path;
  while (*mask != '\0' && str_split_next(&rest, ' ', &path)) paths[count++].text = path;
  JsonValue input;
  TRY(proto_input(read, kind, paths, count, f->arena, &input, &f->err));
  json_write(&out, &input);
  *ret_text = buf_str(&out);
  return CODE_OK;
}

static void assert_input(Fixture *f, const char *json, ProtoInputKind kind, const char *mask, const char *expected) {
  Str text;
  Code code = input_of(f, json, kind, mask, &text);
  if (code != CODE_OK) text = str_of(f->err.text);
  if (!str_equal(text, str_of(expected))) fail_msg("%s %s\n  is %.*s\n not %s", json, mask, STR_ARGS(text), expected);
}

static void a_new_row_has_zeros_where_a_field_has_no_presence(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  assert_input(&f, "{}", PROTO_INPUT_CREATE, "", "{\"name\":\"\",\"weight\":0,\"topics\":[]}");
  assert_input(
      &f,
      "{\"name\":\"Tea\",\"note\":\"\",\"price\":\"1.50\",\"stock\":0,\"sold\":\"9007199254740993\",\"weight\":0.5,\"status\":"
      "\"STATUS_CLOSED\",\"tags\":[\"a\"],\"from\":{\"street\":\"x\",\"since\":\"2026-11-23T12:00:00.5Z\"},\"extra\":{\"a\":[1,null]},"
      "\"blob\":\"AAE=\",\"categorySlug\":\"tea\"}",
      PROTO_INPUT_CREATE, "",
      "{\"name\":\"Tea\",\"note\":\"\",\"price\":\"1.50\",\"stock\":0,\"sold\":9007199254740993,\"weight\":0.5,\"status\":\"CLOSED\","
      "\"tags\":[\"a\"],\"topics\":[],\"from\":{\"street\":\"x\",\"since\":\"2026-11-23T12:00:00.5Z\"},\"extra\":{\"a\":[1,null]},"
      "\"blob\":\"AAE=\",\"categorySlug\":\"tea\"}");
  fixture_done(&f);
}

static void zero_is_a_number_s_key_and_no_text_s(void **state) {
  (void)state;
  Fixture f = fixture_of("extend schema @service(name: \"shop\", version: \"v1\")\n"
                         "type Bin @resource @access(read: \"true\", write: \"true\") { n: Int! @id }\n"
                         "type Shelf @resource @access(read: \"true\", write: \"true\") { code: String! @id }\n"
                         "type Product @resource @access(read: \"true\", write: \"true\") {\n"
                         "  part: Int! @id code: String! @id bin: Bin! shelf: Shelf! }\n");
  assert_input(&f, "{\"part\":0,\"code\":\"\",\"binN\":0}", PROTO_INPUT_CREATE, "", "{\"part\":0,\"binN\":0}");
  assert_input(&f, "{\"part\":0,\"code\":\"a\",\"binN\":0}", PROTO_INPUT_UPDATE, "binN shelfCode", "{\"binN\":0,\"shelfCode\":null}");
  fixture_done(&f);
}

static void an_update_without_a_mask_is_about_what_is_there(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  assert_input(&f, "{\"id\":\"x\",\"name\":\"Tea\",\"stock\":0,\"weight\":0}", PROTO_INPUT_UPDATE, "", "{\"name\":\"Tea\",\"stock\":0}");
  fixture_done(&f);
}

static void an_update_s_mask_names_what_changes_and_null_is_what_is_absent(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  const char *row = "{\"id\":\"x\",\"name\":\"Tea\",\"note\":\"n\",\"from\":{\"street\":\"s\"}}";
  assert_input(&f, row, PROTO_INPUT_UPDATE, "note weight stock tags price",
               "{\"note\":\"n\",\"price\":null,\"stock\":null,\"weight\":0,\"tags\":[]}");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "from", "{\"from\":{\"street\":\"s\",\"zip\":null,\"since\":null}}");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "from.zip from.street", "{\"from\":{\"street\":\"s\",\"zip\":null}}");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "categorySlug", "{\"categorySlug\":null}");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "*",
               "{\"name\":\"Tea\",\"note\":\"n\",\"price\":null,\"stock\":null,\"sold\":null,\"weight\":0,\"secret\":null,\"status\":null,"
               "\"tags\":[],\"topics\":[],\"from\":{\"street\":\"s\",\"zip\":null,\"since\":null},\"extra\":null,\"blob\":null,"
               "\"categorySlug\":null}");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "nme", "update_mask: Product has no field \"nme\": did you mean \"name\"?");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "name.x", "update_mask: name has no fields of its own");
  assert_input(&f, row, PROTO_INPUT_UPDATE, "category", "category is not set here: set categorySlug");
  fixture_done(&f);
}

static void what_no_value_can_be_is_left_to_the_engine_to_refuse(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  assert_input(
      &f, "{\"weight\":\"NaN\",\"status\":99,\"from\":{\"street\":\"s\",\"since\":\"2026-11-23T12:00:00.123456789Z\"}}", PROTO_INPUT_UPDATE,
      "", "{\"weight\":\"NaN\",\"status\":\"99\",\"from\":{\"street\":\"s\",\"zip\":null,\"since\":\"2026-11-23T12:00:00.123456789Z\"}}");
  assert_input(&f, "{\"category\":{\"slug\":\"x\"}}", PROTO_INPUT_CREATE, "", "category is not set here: set categorySlug");
  const Str bad_time = STR("\x6a\x0b\x1a\x09\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"); /* from.since: seconds of 2^63 - 1 */
  ProtoNode *node = NULL;
  JsonValue input;
  assert_int_equal(proto_read(proto_message(f.schema, STR("shop.v1.Product")), bad_time, f.arena, &node, &f.err), CODE_BAD_REQUEST);
  const Str far = STR("\x6a\x0c\x1a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
  assert_int_equal(proto_read(proto_message(f.schema, STR("shop.v1.Product")), far, f.arena, &node, &f.err), CODE_OK);
  assert_int_equal(proto_input(node, PROTO_INPUT_UPDATE, NULL, 0, f.arena, &input, &f.err), CODE_OK);
  const Str nul = STR("\x12\x01\x00");
  assert_int_equal(proto_read(proto_message(f.schema, STR("shop.v1.Product")), nul, f.arena, &node, &f.err), CODE_OK);
  assert_int_equal(proto_input(node, PROTO_INPUT_UPDATE, NULL, 0, f.arena, &input, &f.err), CODE_BAD_REQUEST);
  fixture_done(&f);
}

static void keys_are_decoded_by_type(void **state) {
  (void)state;
  Fixture f = fixture_of(HEAD "type Copy " OPEN "{ branch: String! @id  number: Int! @id  day: DateTime! @id }\n");
  const ProtoMessage *get = proto_message(f.schema, STR("shop.v1.GetCopyRequest"));
  ProtoNode *node = NULL;
  const Value *key = NULL;
  const Resource *copy = contract_resource(f.contract, STR("Copy"));
  Str json = STR("{\"branch\":\"N\",\"number\":7,\"day\":\"1970-01-01T00:00:01Z\"}");
  assert_int_equal(proto_json_read(get, json, false, f.arena, &node, &f.err), CODE_OK);
  assert_int_equal(proto_key(node, copy, f.arena, &key, &f.err), CODE_OK);
  assert_true(str_equal(key[0].text, STR("N")));
  assert_int_equal(key[1].integer, 7);
  assert_int_equal(key[2].integer, 1000000);
  assert_int_equal(proto_json_read(get, STR("{\"branch\":\"N\"}"), false, f.arena, &node, &f.err), CODE_OK);
  assert_int_equal(proto_key(node, copy, f.arena, &key, &f.err), CODE_OK);
  assert_null(key);
  fixture_done(&f);
}

/* ---- ProtoJSON ---- */

static void what_json_is_no_message_is_refused_with_its_place(void **state) {
  (void)state;
  static const struct {
    const char *type, *json, *text;
  } cases[] = {
      {"Product", "{", "not JSON"},
      {"Product", "[]", "must be an object"},
      {"Product", "{\"nme\":1}", "nme: there is no such field"},
      {"Product", "{\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjj\u00e4\":1}",
       "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjj: there is no such field"},
      {"Product", "{\"name\":1}", "name: must be a string"},
      {"Product", "{\"createdAt\":\"1970-01-01T00:00:00Z\",\"created_at\":\"1970-01-01T00:00:01Z\"}",
       "created_at: is given twice, under both of its names"},
      {"Product", "{\"stock\":\"1 \"}", "stock: must be an integer"},
      {"Product", "{\"stock\":true}", "stock: must be an integer"},
      {"Product", "{\"stock\":2147483648}", "stock: must be an integer of 32 bits"},
      {"Product", "{\"stock\":1.5}", "stock: must be an integer of 32 bits"},
      {"Product", "{\"sold\":\"9223372036854775808\"}", "sold: must be an integer of 64 bits"},
      {"Product", "{\"weight\":\"1x\"}", "weight: must be a number that fits a double"},
      {"Product", "{\"weight\":1e999}", "weight: must be a number that fits a double"},
      {"Product", "{\"weight\":[]}", "weight: must be a number that fits a double"},
      {"Product", "{\"status\":\"OPEN\"}", "status: is no value of its enum"},
      {"Product", "{\"status\":true}", "status: is no value of its enum"},
      {"Product", "{\"status\":1e99}", "status: must be an integer of 32 bits"},
      {"Product", "{\"blob\":1}", "blob: must be a string of base64"},
      {"Product", "{\"blob\":\"a\"}", "blob: must be a string of base64"},
      {"Product", "{\"blob\":\"AAA==\"}", "blob: must be a string of base64"},
      {"Product", "{\"blob\":\"A!AA\"}", "blob: must be a string of base64"},
      {"Product", "{\"tags\":\"a\"}", "tags: must be an array"},
      {"Product", "{\"tags\":[\"a\",null]}", "tags: an item must not be null"},
      {"Product", "{\"tags\":[1]}", "tags: must be a string"},
      {"Product", "{\"from\":[]}", "from: must be an object"},
      {"Product", "{\"from\":{\"street\":1}}", "from.street: must be a string"},
      {"Product", "{\"createdAt\":5}", "createdAt: must be a time by RFC 3339"},
      {"Product", "{\"createdAt\":\"2026-11-23\"}", "createdAt: must be a time by RFC 3339"},
      {"Product", "{\"createdAt\":\"2026-11-23t12:00:00Z\"}", "createdAt: must be a time by RFC 3339"},
      {"Product", "{\"createdAt\":\"2026-11-23T12:00:00.Z\"}", "createdAt: must be a time by RFC 3339"},
      {"Product", "{\"extra\":{\"a\":[1e999]}}", "extra: must be a number that fits a double"},
      {"UpdateProductRequest", "{\"updateMask\":[\"name\"]}", "updateMask: must be paths, as a string"},
      {"UpdateProductRequest", "{\"updateMask\":\"created_at\"}", "updateMask: its paths are in lowerCamelCase"},
      {"ListProductsRequest", "{\"showTotal\":1}", "showTotal: must be true or false"},
      {"AggregateProductsResponse", "{\"groups\":[{\"by\":[]}]}", "groups.by: must be an object"},
      {"AggregateProductsResponse", "{\"groups\":[{\"by\":{\"a\":1e999}}]}", "groups.by: must be a number that fits a double"},
      {"SyncProductsRequest", "{\"watch\":{},\"delete\":{}}", "delete: another field of its oneof is there"},
  };
  Fixture f = fixture_of(shop);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ProtoNode *node = NULL;
    const ProtoMessage *type = proto_message(f.schema, arena_printf(f.arena, "shop.v1.%s", cases[i].type));
    assert_non_null(type);
    Code code = proto_json_read(type, str_of(cases[i].json), false, f.arena, &node, &f.err);
    if (code != CODE_BAD_REQUEST) fail_msg("%s: %d", cases[i].json, (int)code);
    if (i > 0) assert_string_equal(f.err.text, cases[i].text);
    assert_null(node);
  }
  fixture_done(&f);
}

static void bytes_that_are_no_message_are_refused(void **state) {
  (void)state;
  static const struct {
    Str bytes;
    const char *text;
  } cases[] = {
      {STR_INIT("\x12\x01\xff"), "not a protobuf message: name is not UTF-8"},
      {STR_INIT("\x6a\x03\x0a\x01\xff"), "not a protobuf message: street is not UTF-8"},
  };
  Fixture f = fixture_of(shop);
  const ProtoMessage *product = proto_message(f.schema, STR("shop.v1.Product"));
  ProtoNode *node = NULL;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(proto_read(product, cases[i].bytes, f.arena, &node, &f.err), CODE_BAD_REQUEST);
    assert_string_equal(f.err.text, cases[i].text);
  }
  /* A list in a list in a list …: extra is a Value (field 14), of which list_value is 6 and a list's values 1. */
  Buf nested = buf_on(f.arena, BYTES_MAX);
  for (size_t i = 0; i < PROTOBUF_DEPTH_MAX; i++) {
    Str inner = arena_str(f.arena, nested.len == 0 ? STR("") : buf_str(&nested));
    nested.len = 0;
    buf_add_byte(&nested, i % 2 == 1 ? 0x32 : 0x0a);
    if (inner.len > 127) buf_add_byte(&nested, (char)((inner.len & 0x7f) | 0x80));
    buf_add_byte(&nested, (char)(inner.len > 127 ? inner.len >> 7 : inner.len));
    buf_add(&nested, inner);
  }
  const ProtoMessage *value = proto_field(product, STR("extra"))->message;
  assert_int_equal(proto_read(value, buf_str(&nested), f.arena, &node, &f.err), CODE_OK);
  Buf deeper = buf_on(f.arena, BYTES_MAX);
  buf_add(&deeper, STR("\x0a"));
  buf_add_byte(&deeper, (char)((nested.len & 0x7f) | 0x80));
  buf_add_byte(&deeper, (char)(nested.len >> 7));
  buf_add(&deeper, buf_str(&nested));
  const ProtoMessage *list = proto_field(value, STR("list_value"))->message;
  assert_int_equal(proto_read(list, buf_str(&deeper), f.arena, &node, &f.err), CODE_BAD_REQUEST);
  assert_string_equal(f.err.text, "the message is nested deeper than 100");
  fixture_done(&f);
}

/* ---- rows ---- */

static void hidden_rows_of_an_array_are_their_keys_in_place(void **state) {
  (void)state;
  Fixture f = fixture_of(HEAD "type Category " OPEN "{ slug: String! @id  title: String! }\n");
  const ProtoResource *resource = &f.schema->resources[0];
  ProtoSink sink;
  proto_sink_init(&sink, 1, f.arena, BYTES_MAX);
  sink.has_row_ends = true;
  const Value first[] = {value_text(STR("a")), value_text(STR("A"))}, third[] = {value_text(STR("c")), value_text(STR(""))};
  assert_int_equal(sink.base.row(&sink.base, resource->whole, first, &f.err), CODE_OK);
  sink.base.restart(&sink.base);
  assert_int_equal(sink.base.row(&sink.base, resource->whole, first, &f.err), CODE_OK);
  assert_int_equal(sink.base.row(&sink.base, resource->whole, third, &f.err), CODE_OK);
  const Value second_key[] = {value_text(STR("b"))};
  const Value *const keys[] = {first, second_key, third};
  const bool hidden[] = {false, true, false};
  const Result result = {.keys = keys, .hidden = hidden, .key_count = 3};
  proto_sink_place_hidden(&sink, resource, &result);
  const Str expected = STR("\x0a\x06\x0a\x01"
                           "a\x12\x01"
                           "A\x0a\x03\x0a\x01"
                           "b\x0a\x03\x0a\x01"
                           "c");
  assert_true(str_equal(buf_str(&sink.out.buf), expected));
  fixture_done(&f);
}

static void an_answer_that_is_too_large_says_so(void **state) {
  (void)state;
  Fixture f = fixture_of(HEAD "type Category " OPEN "{ slug: String! @id  title: String! }\n");
  ProtoSink sink;
  proto_sink_init(&sink, 1, f.arena, 8);
  const Value row[] = {value_text(STR("abc")), value_text(STR("defghi"))};
  assert_int_equal(sink.base.row(&sink.base, f.schema->resources[0].whole, row, &f.err), CODE_TOO_LARGE);
  fixture_done(&f);
}

/* ---- memory ---- */

static void lacking_memory_is_an_error_wherever_it_happens(void **state) {
  (void)state;
  Fixture f = fixture_of(shop);
  Str lock_bytes = lock_text(&f, NULL);
  for (size_t nth = 1;; nth++) {
    Arena *arena = arena_create(0);
    ProtoLock *lock = NULL;
    ProtoSchema *schema = NULL;
    Error err = {0};
    memory_fail_after(nth);
    Code code = proto_lock_parse(lock_bytes, STR("shop.lock.json"), arena, &lock, &err);
    if (code == CODE_OK) code = proto_schema_create(f.contract, lock, arena, &schema, &err);
    bool has_failed = memory_fail_countdown == 0;
    memory_fail_after(0);
    if (code != CODE_OK) assert_int_equal(code, CODE_UNAVAILABLE);
    if (!has_failed) assert_int_equal(code, CODE_OK);
    arena_destroy(arena);
    if (!has_failed) break;
  }
  fixture_done(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_resource_has_the_service_that_the_interface_names),
      cmocka_unit_test(a_row_makes_way_for_the_protocol_s_own_names),
      cmocka_unit_test(types_and_presence_are_those_of_the_interface),
      cmocka_unit_test(a_hidden_relation_is_set_by_its_key_and_never_read),
      cmocka_unit_test(a_table_without_a_key_can_be_listed_and_nothing_else),
      cmocka_unit_test(descriptors_are_found_by_file_and_symbol),
      cmocka_unit_test(a_locked_number_never_moves_and_a_new_field_comes_behind),
      cmocka_unit_test(what_is_removed_is_reserved_for_ever),
      cmocka_unit_test(a_changed_type_is_refused_with_the_file_and_a_hint),
      cmocka_unit_test(a_renamed_field_keeps_its_number_and_its_old_name_is_reserved),
      cmocka_unit_test(a_type_that_comes_back_has_its_numbers),
      cmocka_unit_test(a_lock_outlives_a_new_version),
      cmocka_unit_test(a_lock_that_is_none_is_refused),
      cmocka_unit_test(read_masks_take_names_of_either_spelling_and_relations),
      cmocka_unit_test(a_new_row_has_zeros_where_a_field_has_no_presence),
      cmocka_unit_test(zero_is_a_number_s_key_and_no_text_s),
      cmocka_unit_test(an_update_without_a_mask_is_about_what_is_there),
      cmocka_unit_test(an_update_s_mask_names_what_changes_and_null_is_what_is_absent),
      cmocka_unit_test(what_no_value_can_be_is_left_to_the_engine_to_refuse),
      cmocka_unit_test(keys_are_decoded_by_type),
      cmocka_unit_test(what_json_is_no_message_is_refused_with_its_place),
      cmocka_unit_test(bytes_that_are_no_message_are_refused),
      cmocka_unit_test(hidden_rows_of_an_array_are_their_keys_in_place),
      cmocka_unit_test(an_answer_that_is_too_large_says_so),
      cmocka_unit_test(lacking_memory_is_an_error_wherever_it_happens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
