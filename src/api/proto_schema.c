/* proto_schema.c - the schema of a contract, put together from its parts. */
#include "api/proto_schema.h"

#include <assert.h>

#include "api/proto_build.h"
#include "contract/plural.h"
#include "query/operation.h"

/* FileOptions.go_package: protoc-gen-go asks for one. */
enum { OPTION_GO_PACKAGE = 11 };

/* ---- the contract's file ---- */

/* "v1", "v2beta1" end a package; what else a version may be stands before "v1". */
static bool is_package_version(Str version) {
  size_t at = 1;
  if (version.len < 2 || version.ptr[0] != 'v' || version.ptr[1] < '1' || version.ptr[1] > '9') return false;
  while (at < version.len && version.ptr[at] >= '0' && version.ptr[at] <= '9') at++;
  Str rest = str_slice(version, at, version.len);
  if (rest.len == 0) return true;
  if (!str_starts_with(rest, STR("alpha")) && !str_starts_with(rest, STR("beta"))) return false;
  for (size_t i = rest.ptr[0] == 'a' ? 5 : 4; i < rest.len; i++) {
    if (rest.ptr[i] < '0' || rest.ptr[i] > '9') return false;
  }
  return true;
}

static void begin_file(ProtoBuilder *builder) {
  const Contract *contract = builder->contract;
  Str service = proto_kept(builder, name_snake(contract->service_name, builder->arena));
  if (service.len == 0 || service.ptr[0] < 'a' || service.ptr[0] > 'z') service = proto_text_of(builder, "service_%.*s", STR_ARGS(service));
  Str version = contract->service_version;
  if (!is_package_version(version)) {
    Str snake = proto_kept(builder, name_snake(version, builder->arena));
    service = proto_text_of(builder, "%.*s_%.*s", STR_ARGS(service), STR_ARGS(snake));
    version = STR("v1");
  }
  Str name = proto_text_of(builder, "%.*s/%.*s/%.*s.proto", STR_ARGS(service), STR_ARGS(version), STR_ARGS(service));
  builder->own = proto_build_file(builder, name, proto_text_of(builder, "%.*s.%.*s", STR_ARGS(service), STR_ARGS(version)));
  Str go = proto_text_of(builder, "%.*s/%.*s;%.*s%.*s", STR_ARGS(service), STR_ARGS(version), STR_ARGS(service), STR_ARGS(version));
  proto_build_option(builder, builder->own, OPTION_GO_PACKAGE, go);
}

/* ---- what is prepared for rows ---- */

static Code make_whole(const ProtoResource *made, Arena *arena, Selection **ret, Error *err) {
  const Resource *resource = made->resource;
  Selection *selection = ARENA_NEW(arena, Selection);
  SelectionItem *items = ARENA_ARRAY(arena, SelectionItem, resource->stored_count + 1);
  if (selection == NULL || items == NULL) return error_no_memory(err);
  size_t count = 0;
  for (size_t i = 0; i < resource->stored_count; i++) {
    const Field *field = resource->stored[i];
    if (field->is_hidden) continue;
    items[count++] = (SelectionItem){.field = field, .name = field->name, .face = made->row_fields[field->index]};
  }
  *selection = (Selection){.resource = resource, .items = items, .count = count, .is_whole = true, .list = {.limit = -1}};
  *ret = selection;
  return CODE_OK;
}

static const ProtoService *service_of(const ProtoFile *file, const Resource *resource) {
  for (size_t i = 0; i < file->service_count; i++) {
    if (file->services[i]->resource == resource) return file->services[i];
  }
  return NULL;
}

static const ProtoMessage *row_of(const ProtoFile *file, const Resource *resource) {
  for (size_t i = 0; i < file->message_count; i++) {
    if (file->messages[i]->resource == resource) return file->messages[i];
  }
  return NULL;
}

static Code prepare_resource(const ProtoFile *file, const Resource *resource, Arena *arena, ProtoResource *ret, Error *err) {
  ProtoResource made = {.resource = resource, .service = service_of(file, resource), .row = row_of(file, resource)};
  const ProtoField **fields = ARENA_ARRAY(arena, const ProtoField *, resource->field_count + 1);
  const ProtoMethod **methods = ARENA_ARRAY(arena, const ProtoMethod *, PROTO_OWN);
  if (fields == NULL || methods == NULL) return error_no_memory(err);
  assert(made.row != NULL && made.service != NULL); /* each resource has both */
  for (size_t i = 0; i < made.row->field_count; i++) fields[made.row->fields[i].field->index] = &made.row->fields[i];
  for (size_t i = 0; i < made.service->method_count; i++) methods[made.service->methods[i].role] = &made.service->methods[i];
  made.row_fields = fields;
  made.methods = methods;
  TRY(make_whole(&made, arena, &made.whole, err));
  *ret = made;
  return CODE_OK;
}

static Code prepare_resources(ProtoSchema *schema, Arena *arena, Error *err) {
  const Contract *contract = schema->contract;
  ProtoResource *resources = ARENA_ARRAY(arena, ProtoResource, contract->resource_count + 1);
  TRY_ALLOC(resources);
  for (size_t i = 0; i < contract->resource_count; i++)
    TRY(prepare_resource(schema->file, contract->resources[i], arena, &resources[i], err));
  schema->resources = resources;
  return CODE_OK;
}

Code proto_schema_create(const Contract *contract, const ProtoLock *lock, Arena *arena, ProtoSchema **ret, Error *err) {
  ProtoSchema *schema = ARENA_NEW(arena, ProtoSchema);
  TRY_ALLOC(schema);
  *schema = (ProtoSchema){
      .contract = contract, .methods = map_on(arena), .messages = map_on(arena), .enums = map_on(arena), .services = map_on(arena)};
  ProtoBuilder builder = {.arena = arena,
                          .contract = contract,
                          .lock = lock,
                          .schema = schema,
                          .symbols = map_on(arena),
                          .values = map_on(arena),
                          .err = err,
                          .row_names = ARENA_ARRAY(arena, Str, contract->resource_count + 1),
                          .embedded_names = ARENA_ARRAY(arena, Str, contract->embedded_count + 1),
                          .enum_names = ARENA_ARRAY(arena, Str, contract->enum_count + 1)};
  if (builder.row_names == NULL || builder.embedded_names == NULL || builder.enum_names == NULL) return error_no_memory(err);
  proto_build_wellknown(&builder);
  proto_build_protocols(&builder);
  begin_file(&builder);
  proto_build_rows(&builder);
  if (!builder.has_no_memory) proto_build_services(&builder);
  TRY(proto_build_finish(&builder, err));
  TRY(prepare_resources(schema, arena, err));
  schema->is_locked = lock != NULL && !builder.has_unlocked;
  *ret = schema;
  return CODE_OK;
}

/* ---- look-ups ---- */

const ProtoField *proto_field_numbered(const ProtoMessage *message, uint32_t number) {
  /* Nearly always numbers follow each other from 1 on. */
  if (number >= 1 && number <= message->field_count && message->by_number[number - 1]->number == number)
    return message->by_number[number - 1];
  size_t low = 0, high = message->field_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (message->by_number[middle]->number == number) return message->by_number[middle];
    if (message->by_number[middle]->number < number)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

const ProtoField *proto_field_typed(const ProtoMessage *message, const ProtoMessage *type) {
  for (size_t i = 0; i < message->field_count; i++) {
    if (message->fields[i].message == type) return &message->fields[i];
  }
  return NULL;
}

const ProtoEnumValue *proto_enum_value(const ProtoEnum *type, Str name) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (str_equal(type->values[i].name, name)) return &type->values[i];
  }
  return NULL;
}

const ProtoEnumValue *proto_enum_numbered(const ProtoEnum *type, int32_t number) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (type->values[i].number == number) return &type->values[i];
  }
  return NULL;
}
