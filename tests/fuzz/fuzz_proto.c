/* fuzz_proto.c - messages of a contract from whatever bytes: what was read comes back when it is written and read again, by the wire and by
 * ProtoJSON; masks and input take whatever is in a request. The first byte chooses the message and the form. */
#include <string.h>

#include "api/proto_decode.h"
#include "api/proto_json.h"
#include "api/proto_select.h"
#include "contract_text.h"
#include "property.h"

enum { BYTES_MAX = 1 << 24 };

static const char sdl[] =
    "extend schema @service(name: \"f\", version: \"v1\")\n"
    "enum Mood { A B }\n"
    "type Point { x: Float!  label: String @length(max: 3)  at: DateTime  mood: Mood  more: JSON }\n"
    "type Thing @resource @access(read: \"true\", write: \"true\") {\n"
    "  id: ID!  text: String!  small: Int  big: BigInt!  price: Decimal  at: DateTime!  any: JSON  blob: Bytes  mood: Mood\n"
    "  point: Point  points: [Point!]  moods: [Mood]  bigs: [BigInt!]  times: [DateTime!]  anys: [JSON!]  owner: Owner  secret: String "
    "@hidden\n"
    "}\n"
    "type Owner @resource @access(read: \"true\", write: \"true\") { house: Int! @id  name: String! @id  things: [Thing!]! }\n";

static const char *const types[] = {"f.v1.Thing", "f.v1.UpdateThingRequest", "f.v1.AggregateThingsResponse", "f.v1.ListThingsRequest",
                                    "f.v1.GetOwnerRequest"};

/* Made once for the process, as a server does. */
static const ProtoSchema *schema_of_process(void) {
  static ProtoSchema *schema;
  if (schema != NULL) return schema;
  Arena *arena = arena_create(0);
  PROPERTY(proto_schema_create(contract_of_text(sdl), NULL, arena, &schema, NULL) == CODE_OK);
  return schema;
}

static Str written(const ProtoNode *node, Arena *arena) {
  Buf out = buf_on(arena, BYTES_MAX);
  proto_write(node, &out);
  PROPERTY(out.failed == CODE_OK);
  return buf_str(&out);
}

/* The text comes back. Not always the bytes: every NaN is one, and a mask's path with a comma in it is two. */
static void check_json(const ProtoNode *node, Arena *arena) {
  Buf json = buf_on(arena, BYTES_MAX), rewritten = buf_on(arena, BYTES_MAX);
  ProtoNode *again = NULL;
  Error err;
  if (proto_json_write(node, &json, &err) != CODE_OK) return;
  /* What is nested deeper than our JSON may be, and NUL, which it refuses, don't come back. */
  if (proto_json_read(node->type, buf_str(&json), false, arena, &again, &err) != CODE_OK) return;
  PROPERTY(proto_json_write(again, &rewritten, &err) == CODE_OK);
  PROPERTY(str_equal(buf_str(&json), buf_str(&rewritten)));
}

static void check_requests(const ProtoSchema *schema, const ProtoNode *node, Arena *arena) {
  const ProtoDatum *paths;
  JsonValue input;
  Selection *selection;
  const Value *key;
  Error err;
  const Resource *thing = schema->resources[0].resource, *owner = schema->resources[1].resource;
  if (node->type->resource != NULL) {
    (void)proto_input(node, PROTO_INPUT_CREATE, NULL, 0, arena, &input, &err);
    (void)proto_input(node, PROTO_INPUT_UPDATE, NULL, 0, arena, &input, &err);
    (void)proto_key(node, node->type->resource, arena, &key, &err);
  }
  if (proto_field(node->type, STR("house")) != NULL) (void)proto_key(node, owner, arena, &key, &err);
  size_t count = proto_paths(node, STR("read_mask"), &paths);
  (void)proto_select(schema, thing, paths, count, 5, arena, &selection, &err);
  count = proto_paths(node, STR("update_mask"), &paths);
  const ProtoNode *row = proto_child(node, STR("thing"));
  if (row != NULL) (void)proto_input(row, PROTO_INPUT_UPDATE, paths, count, arena, &input, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  const ProtoSchema *schema = schema_of_process();
  Arena *arena = arena_create(0);
  Str bytes = {(const char *)data + 1, size - 1};
  const ProtoMessage *type = proto_message(schema, str_of(types[data[0] / 2 % (sizeof types / sizeof *types)]));
  ProtoNode *node = NULL, *again = NULL;
  Error err;
  Code code = data[0] % 2 == 0 ? proto_read(type, bytes, arena, &node, &err) : proto_json_read(type, bytes, true, arena, &node, &err);
  if (code == CODE_OK) {
    Str once = written(node, arena);
    PROPERTY(proto_read(type, once, arena, &again, &err) == CODE_OK);
    PROPERTY(str_equal(written(again, arena), once));
    check_json(node, arena);
    check_requests(schema, node, arena);
  }
  arena_destroy(arena);
  return 0;
}
