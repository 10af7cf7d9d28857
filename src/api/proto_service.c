/* proto_service.c - a service for each resource: its methods and their requests and responses, as Google's AIPs shape them (131 to 135,
 * 157, 158, 233). */
#include "api/proto_build.h"
#include "contract/plural.h"

/* What is being made for one resource. */
typedef struct ServiceMaker {
  ProtoBuilder *builder;
  const Resource *resource;
  Str singular, plural;                            /* Product, Products */
  Str row;                                         /* shop.v1.Product */
  Str item, items;                                 /* product, products */
  Str requests[PROTO_SYNC], responses[PROTO_SYNC]; /* by ProtoRole: shop.v1.CreateProductRequest, once it is there */
} ServiceMaker;

typedef void BuildFn(ServiceMaker *maker, ProtoMessageDraft *message);

static ProtoField *add(ServiceMaker *maker, ProtoMessageDraft *message, const char *type, const char *name, const char *description) {
  ProtoField *field = proto_build_field(maker->builder, message, str_of(type), str_of(name), 0);
  field->description = str_of(description);
  return field;
}

/* The row may be called so, too, as may a type `Kind`: it makes way. */
static void keep_name(ServiceMaker *maker, ProtoMessageDraft *message, const char *name) {
  if (message != NULL) (void)proto_member_name(maker->builder, message, str_of(name));
}

static ProtoField *add_row(ServiceMaker *maker, ProtoMessageDraft *message, bool is_many, Str name) {
  ProtoBuilder *builder = maker->builder;
  if (message == NULL) return &builder->no_field;
  Str type = is_many ? proto_text_of(builder, "repeated %.*s", STR_ARGS(maker->row)) : maker->row;
  return proto_build_field(builder, message, type, proto_member_name(builder, message, name), 0);
}

static const char filter_text[] = "Which rows: a condition in the rule language, as `price >= \"10\" && category.name == \"Tea\"`.";
static const char read_mask_text[] = "Which fields, relations among them: `name`, `category.name`. Empty: all but relations.";
static const char order_text[] = "As `created_at desc, name`. The key ends every order.";

/* ---- requests ---- */

/* The key's parts, then what the method has besides. A part may have such a name: the other makes way. */
static void add_key(ServiceMaker *maker, ProtoMessageDraft *message, const char *more_type, const char *more, const char *description) {
  ProtoBuilder *builder = maker->builder;
  if (message == NULL) return;
  proto_build_lock_message(builder, message);
  for (size_t i = 0; i < maker->resource->key_count; i++) {
    const Field *key = maker->resource->keys[i];
    Str name = proto_member_name(builder, message, key->name);
    ProtoField *field = proto_build_locked(builder, message, proto_stored_type(builder, key), name, (Str){0});
    field->field = key;
    field->description = key->description;
    proto_build_json_name(field, key->name);
  }
  ProtoField *field = proto_build_locked(builder, message, str_of(more_type), proto_member_name(builder, message, str_of(more)), (Str){0});
  field->description = str_of(description);
  proto_build_reserved(builder, message);
}

static void get_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  add_key(maker, message, "google.protobuf.FieldMask", "read_mask", read_mask_text);
}

static const char etag_text[] = "The row's `etag` as its reader had it: another one is ABORTED. Empty: whatever it is.";

static void delete_request(ServiceMaker *maker, ProtoMessageDraft *message) { add_key(maker, message, "string", "etag", etag_text); }

static void list_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  add(maker, message, "string", "filter", filter_text);
  add(maker, message, "string", "order_by", order_text);
  add(maker, message, "int32", "page_size",
      "How many rows at most; 0: as many as the server thinks right. Lowered to the server's maximum.");
  add(maker, message, "string", "page_token", "The `next_page_token` of the page before, with everything else as it was there.");
  add(maker, message, "google.protobuf.FieldMask", "read_mask", read_mask_text);
  add(maker, message, "bool", "show_total", "Whether the rows are counted.");
}

static void create_request(ServiceMaker *maker, ProtoMessageDraft *message) { (void)add_row(maker, message, false, maker->item); }

static void update_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  keep_name(maker, message, "update_mask");
  keep_name(maker, message, "etag");
  (void)add_row(maker, message, false, maker->item);
  add(maker, message, "google.protobuf.FieldMask", "update_mask",
      "Which fields change; one that is named and absent becomes null. Empty: those that are there; `*`: all.");
  add(maker, message, "string", "etag", etag_text);
}

static void batch_create_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  ProtoBuilder *builder = maker->builder;
  Str type = proto_text_of(builder, "repeated %.*s", STR_ARGS(maker->requests[PROTO_CREATE]));
  proto_build_field(builder, message, type, STR("requests"), 0)->description = STR("All are created, or none.");
}

static void aggregate_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  add(maker, message, "string", "filter", filter_text);
  add(maker, message, "repeated string", "group_by", "Fields, also of to-one relations: `category.name`. Empty: one group.");
  add(maker, message, "repeated string", "metrics", "As `count`, `sum(price)`, `avg(price)`, `min(price)`, `max(price)`.");
}

static void watch_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  add(maker, message, "string", "filter", filter_text);
  add(maker, message, "string", "after", "The `position` of the last change that was seen; empty: from now on.");
}

static void export_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  add(maker, message, "string", "filter", filter_text);
  add(maker, message, "string", "order_by", order_text);
  add(maker, message, "google.protobuf.FieldMask", "read_mask", read_mask_text);
}

/* One of a message's alternatives, which its builder has named. */
static void add_choice(ServiceMaker *maker, ProtoMessageDraft *message, Str type, const char *name, int oneof, const char *description) {
  ProtoField *field = proto_build_field(maker->builder, message, type, str_of(name), 0);
  field->oneof = oneof;
  field->description = str_of(description);
}

static void sync_request(ServiceMaker *maker, ProtoMessageDraft *message) {
  add(maker, message, "string", "request_id", "The client's own name for this message: what answers it has the same.");
  int action = proto_build_oneof(maker->builder, message, STR("action"));
  add_choice(maker, message, maker->requests[PROTO_WATCH], "watch", action, "The first message, and only that.");
  add_choice(maker, message, maker->requests[PROTO_CREATE], "create", action, "");
  add_choice(maker, message, maker->requests[PROTO_UPDATE], "update", action, "");
  add_choice(maker, message, maker->requests[PROTO_DELETE], "delete", action, "");
}

/* ---- responses ---- */

static void list_response(ServiceMaker *maker, ProtoMessageDraft *message) {
  (void)add_row(maker, message, true, maker->items);
  add(maker, message, "string", "next_page_token", "Of the page behind this; empty: there is none.");
  add(maker, message, "optional int32", "total_size", "How many rows there are, where `show_total` asked for it.");
}

static void rows_response(ServiceMaker *maker, ProtoMessageDraft *message) { (void)add_row(maker, message, true, maker->items); }

static void aggregate_response(ServiceMaker *maker, ProtoMessageDraft *message) {
  ProtoBuilder *builder = maker->builder;
  ProtoMessageDraft *group = proto_build_message(builder, builder->own, message, STR("Group"));
  if (message == NULL || group == NULL) return;
  group->message.description = STR("Rows that have the same values in the fields of `group_by`. Maps are by the field's name.");
  add(maker, group, "map google.protobuf.Value", "by", "The values that the group's rows share.");
  add(maker, group, "optional int64", "count", "How many rows, where `count` was asked for.");
  add(maker, group, "map google.protobuf.Value", "sum", "Exact: strings of digits; of a Float, a number.");
  add(maker, group, "map google.protobuf.Value", "avg", "");
  add(maker, group, "map google.protobuf.Value", "min", "");
  add(maker, group, "map google.protobuf.Value", "max", "");
  Str type = proto_text_of(builder, "repeated %.*s", STR_ARGS(group->message.full_name));
  proto_build_field(builder, message, type, STR("groups"), 0)->description = STR("In the order of the group's values.");
}

static void watch_response(ServiceMaker *maker, ProtoMessageDraft *message) {
  ProtoBuilder *builder = maker->builder;
  ProtoEnumDraft *kind = proto_build_enum(builder, builder->own, message, STR("Kind"));
  if (message == NULL || kind == NULL) return;
  kind->type.description = STR("What became of the row.");
  static const struct {
    Str name, description;
  } kinds[] = {
      {STR_INIT("KIND_UNSPECIFIED"), STR_INIT("No change.")},
      {STR_INIT("KIND_CREATED"), STR_INIT("It is new.")},
      {STR_INIT("KIND_UPDATED"), STR_INIT("It has changed.")},
      {STR_INIT("KIND_DELETED"), STR_INIT("It is no more: its key alone is given.")},
      {STR_INIT("KIND_REMOVED"), STR_INIT("It fits the filter no more, or may no longer be seen: its key alone is given.")},
  };
  for (int32_t i = 0; i < (int32_t)(sizeof kinds / sizeof *kinds); i++) {
    proto_build_value(builder, kind, (ProtoEnumValue){.name = kinds[i].name, .number = i, .description = kinds[i].description});
  }
  keep_name(maker, message, "kind");
  keep_name(maker, message, "position");
  proto_build_field(builder, message, kind->type.full_name, STR("kind"), 0);
  (void)add_row(maker, message, false, maker->item);
  add(maker, message, "string", "position", "Where the stream is to be continued, as `after`.");
}

static void export_response(ServiceMaker *maker, ProtoMessageDraft *message) { (void)add_row(maker, message, false, maker->item); }

static void import_response(ServiceMaker *maker, ProtoMessageDraft *message) {
  add(maker, message, "int64", "created_count", "How many rows were created.");
}

static Str sync_result(ServiceMaker *maker, ProtoMessageDraft *response) {
  ProtoBuilder *builder = maker->builder;
  ProtoMessageDraft *result = proto_build_message(builder, builder->own, response, STR("Result"));
  if (result == NULL) return STR("");
  result->message.description = STR("What was done.");
  keep_name(maker, result, "etag");
  keep_name(maker, result, "position");
  add_row(maker, result, false, maker->item)->description =
      STR("What was created or updated; its key alone where its writer may not read it. Absent: it was deleted.");
  add(maker, result, "string", "etag", "Of the row as it is now.");
  add(maker, result, "string", "position", "Of `watch`: where the changes begin.");
  return result->message.full_name;
}

static Str sync_error(ServiceMaker *maker, ProtoMessageDraft *response) {
  ProtoBuilder *builder = maker->builder;
  ProtoMessageDraft *error = proto_build_message(builder, builder->own, response, STR("Error"));
  ProtoMessageDraft *violation = proto_build_message(builder, builder->own, response, STR("FieldViolation"));
  if (error == NULL || violation == NULL) return STR("");
  error->message.description = STR("Why nothing was done, as the status of a call of its own would say it.");
  add(maker, error, "int32", "code", "Of google.rpc.Code: 3 is INVALID_ARGUMENT.");
  add(maker, error, "string", "message", "For a person.");
  add(maker, error, "string", "reason", "For a program: `VALIDATION_FAILED`, `FORBIDDEN`, as everywhere.");
  add(maker, error, "string", "rule", "Which rule refuses, as `Product.update`.");
  Str type = proto_text_of(builder, "repeated %.*s", STR_ARGS(violation->message.full_name));
  proto_build_field(builder, error, type, STR("field_violations"), 0)->description = STR("Every mistake of the input.");
  violation->message.description = STR("A field's mistake.");
  add(maker, violation, "string", "field", "As `/price`.");
  add(maker, violation, "string", "description", "For a person.");
  add(maker, violation, "string", "reason", "For a program: `REQUIRED`, `RANGE` …");
  return error->message.full_name;
}

static void sync_response(ServiceMaker *maker, ProtoMessageDraft *message) {
  Str result = sync_result(maker, message), error = sync_error(maker, message);
  add(maker, message, "string", "request_id", "Of the message that is answered; empty: of a change.");
  int event = proto_build_oneof(maker->builder, message, STR("event"));
  add_choice(maker, message, result, "result", event, "The message's answer.");
  add_choice(maker, message, error, "error", event, "The message's answer: it was refused, and the stream goes on.");
  add_choice(maker, message, maker->responses[PROTO_WATCH], "change", event, "A change, this client's own among them.");
}

/* ---- methods ---- */

typedef struct MethodKind {
  ProtoRole role;
  const char *verb;
  bool is_plural;
  bool needs_key; /* a table without a key can be listed and nothing else */
  bool is_read, is_client_streaming, is_server_streaming;
  const char *description;
  BuildFn *request;
  BuildFn *response; /* NULL: the row itself, or nothing */
} MethodKind;

static const MethodKind kinds[] = {
    {PROTO_GET, "Get", false, true, true, false, false, "One row by its key.", get_request, NULL},
    {PROTO_LIST, "List", true, false, true, false, false, "A page of rows.", list_request, list_response},
    {PROTO_CREATE, "Create", false, true, false, false, false,
     "Creates a row. Answers it, or its key alone where its writer may not read it.", create_request, NULL},
    {PROTO_UPDATE, "Update", false, true, false, false, false, "Changes some fields of a row.", update_request, NULL},
    {PROTO_DELETE, "Delete", false, true, false, false, false, "Deletes a row.", delete_request, NULL},
    {PROTO_BATCH_CREATE, "BatchCreate", true, true, false, false, false, "Creates rows, all or none.", batch_create_request, rows_response},
    {PROTO_AGGREGATE, "Aggregate", true, false, true, false, false, "Rows counted and summed up in groups.", aggregate_request,
     aggregate_response},
    {PROTO_WATCH, "Watch", true, true, false, false, true, "Changes as they are committed, in that order, each at least once.",
     watch_request, watch_response},
    {PROTO_EXPORT, "Export", true, false, true, false, true, "All rows, however many.", export_request, export_response},
    {PROTO_IMPORT, "Import", true, true, false, true, false, "Creates rows as they come.", create_request, import_response},
    {PROTO_SYNC, "Sync", true, true, false, true, true,
     "Writes up, their results and everybody's changes down. Each write is a transaction; they are done in their order.", sync_request,
     sync_response},
};

static Str message_name(ServiceMaker *maker, Str service, Str method, const char *suffix) {
  ProtoBuilder *builder = maker->builder;
  Str name = proto_text_of(builder, "%.*s%s", STR_ARGS(method), suffix);
  return proto_symbol(builder, &builder->symbols, name, proto_text_of(builder, "%.*s%.*s", STR_ARGS(service), STR_ARGS(name)));
}

static Str build_payload(ServiceMaker *maker, Str service, Str method, const char *suffix, const char *does, BuildFn *build) {
  ProtoBuilder *builder = maker->builder;
  ProtoMessageDraft *message = proto_build_message(builder, builder->own, NULL, message_name(maker, service, method, suffix));
  if (message == NULL) return STR("");
  build(maker, message);
  message->message.description = proto_text_of(builder, "What %.*s %s.", STR_ARGS(method), does);
  return message->message.full_name;
}

static void build_method(ServiceMaker *maker, ProtoServiceDraft *service, const MethodKind *kind) {
  ProtoBuilder *builder = maker->builder;
  Str name = proto_text_of(builder, "%s%.*s", kind->verb, STR_ARGS(kind->is_plural ? maker->plural : maker->singular));
  Str request = build_payload(maker, service->service.name, name, "Request", "takes", kind->request);
  Str response = kind->role == PROTO_DELETE ? STR("google.protobuf.Empty")
                 : kind->response == NULL   ? maker->row
                                            : build_payload(maker, service->service.name, name, "Response", "answers", kind->response);
  if (kind->role < PROTO_SYNC) {
    maker->requests[kind->role] = request;
    maker->responses[kind->role] = response;
  }
  ProtoMethod *method = proto_build_method(builder, service, name, request, response);
  method->role = kind->role;
  method->description = str_of(kind->description);
  method->is_read = kind->is_read;
  method->is_client_streaming = kind->is_client_streaming;
  method->is_server_streaming = kind->is_server_streaming;
  method->resource = maker->resource;
}

static void build_service(ProtoBuilder *builder, const Resource *resource) {
  Str row = builder->row_names[resource->index];
  ServiceMaker maker = {.builder = builder,
                        .resource = resource,
                        .singular = row,
                        .plural = proto_kept(builder, name_plural(row, builder->arena)),
                        .row = proto_full_name(builder, row),
                        .item = proto_kept(builder, name_snake(row, builder->arena))};
  maker.items = proto_kept(builder, name_snake(maker.plural, builder->arena));
  Str name = proto_text_of(builder, "%.*sService", STR_ARGS(row));
  name = proto_symbol(builder, &builder->symbols, name, proto_text_of(builder, "%.*sResourceService", STR_ARGS(row)));
  ProtoServiceDraft *service = proto_build_service(builder, builder->own, name);
  if (service == NULL) return;
  service->service.resource = resource;
  service->service.description = resource->description;
  service->service.is_deprecated = resource->deprecation_reason.ptr != NULL;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (resource->key_count > 0 || !kinds[i].needs_key) build_method(&maker, service, &kinds[i]);
  }
}

void proto_build_services(ProtoBuilder *builder) {
  for (size_t i = 0; i < builder->contract->resource_count; i++) build_service(builder, builder->contract->resources[i]);
}
