/* grpc.c - the face itself: a path to a method, its message in and out of the wire's form. What it refuses it refuses in this order: the
 * path, how the call is sent, its time, its message, and then as every face does. */
#include "api/grpc.h"

#include "api/grpc_frame.h"
#include "api/grpc_state.h"
#include "api/grpc_status.h"
#include "api/problem_json.h"
#include "api/proto_json.h"
#include "api/proto_lock.h"

enum { MESSAGE_BYTES_MAX = 256 * 1024 * 1024, BODY_BYTES_MORE = 64 };

/* ---- What is made once ---- */

static const ProtoMessage *message_of_embedded(const ProtoFile *file, const Embedded *embedded) {
  for (size_t i = 0; i < file->message_count; i++) {
    if (file->messages[i]->embedded == embedded) return file->messages[i];
  }
  return NULL;
}

/* A field by its name in the .proto. */
static const Field *find_by_proto_name(const void *context, const Resource *resource, const Embedded *embedded, Str name) {
  const ProtoSchema *schema = context;
  const ProtoMessage *message = resource != NULL ? schema->resources[resource->index].row : message_of_embedded(schema->file, embedded);
  const ProtoField *field = message == NULL ? NULL : proto_field(message, name);
  return field == NULL ? NULL : field->field;
}

static const EnumValue *find_by_proto_value(const void *context, const EnumType *type, Str name) {
  const ProtoFile *file = ((const ProtoSchema *)context)->file;
  for (size_t i = 0; i < file->enum_count; i++) {
    const ProtoEnum *made = file->enums[i];
    for (size_t k = 0; made->source == type && k < made->value_count; k++) {
      if (str_equal(made->values[k].name, name)) return made->values[k].value;
    }
  }
  return NULL;
}

static size_t count_methods(const ProtoSchema *schema) {
  size_t count = 0;
  for (size_t i = 0; i < schema->file_count; i++) {
    for (size_t k = 0; k < schema->files[i]->service_count; k++) count += schema->files[i]->services[k]->method_count;
  }
  return count;
}

static Code list_methods(Grpc *grpc, Arena *arena, Error *err) {
  const ProtoSchema *schema = grpc->schema;
  const ProtoMethod **methods = (const ProtoMethod **)arena_calloc(arena, count_methods(schema) + 1, sizeof *methods);
  TRY_ALLOC(methods);
  grpc->places = map_on(arena);
  for (size_t i = 0; i < schema->file_count; i++) {
    for (size_t k = 0; k < schema->files[i]->service_count; k++) {
      const ProtoService *service = schema->files[i]->services[k];
      for (size_t m = 0; m < service->method_count; m++) {
        methods[grpc->method_count++] = &service->methods[m];
        if (!map_put(&grpc->places, service->methods[m].path, (void *)(uintptr_t)grpc->method_count)) return error_no_memory(err);
      }
    }
  }
  grpc->methods = methods;
  return CODE_OK;
}

/* The fields' numbers, where they are locked. */
static Code find_lock(const Api *api, Str contract_path, ProtoLock **ret, Error *err) {
  if (contract_path.len == 0) return CODE_OK;
  Str path = proto_lock_path(contract_path, api->arena);
  TRY_ALLOC(path.ptr);
  return proto_lock_load(path, api->arena, ret, err);
}

static Code prepare(const Api *api, const FaceOptions *options, void **ret, Error *err) {
  Grpc *grpc = ARENA_NEW(api->arena, Grpc);
  const Grpc **all = (const Grpc **)arena_calloc(api->arena, 1, sizeof *all);
  ProtoLock *lock = NULL;
  ProtoSchema *schema = NULL;
  TRY_ALLOC(grpc);
  TRY_ALLOC(all);
  TRY(find_lock(api, options->contract_path, &lock, err));
  TRY(proto_schema_create(api->contract, lock, api->arena, &schema, err));
  grpc->schema = schema;
  grpc->limits = *options->grpc;
  TRY(list_methods(grpc, api->arena, err));
  all[0] = grpc;
  grpc->all = all;
  grpc->all_count = 1;
  *ret = grpc;
  return CODE_OK;
}

/* Health and reflection answer for all. */
static Code join(Api *const *apis, size_t count, Error *err) {
  const Grpc **all = (const Grpc **)arena_calloc(apis[0]->arena, count, sizeof *all);
  TRY_ALLOC(all);
  for (size_t i = 0; i < count; i++) all[i] = grpc_of(apis[i]);
  for (size_t i = 0; i < count; i++) {
    grpc_of(apis[i])->all = all;
    grpc_of(apis[i])->all_count = count;
  }
  return CODE_OK;
}

/* "shop.v1.ProductService" of "/shop.v1.ProductService/GetProduct"; empty where the path is of another form. */
static Str service_of(Str path) {
  if (path.len < 2 || path.ptr[0] != '/') return (Str){0};
  Str name = str_slice(path, 1, str_find_byte(path, '/', 1));
  return str_find_byte(name, '.', 0) < name.len ? name : (Str){0};
}

/* "/shop.v1.ProductService/GetProduct" */
static bool is_of_contract(const Api *api, Str path) {
  Str name = service_of(path);
  const ProtoService *service = name.len == 0 ? NULL : map_get(&grpc_of(api)->schema->services, name);
  return service != NULL && service->resource != NULL;
}

size_t grpc_method_index(const Grpc *grpc, Str path) {
  uintptr_t place = (uintptr_t)map_get(&grpc->places, path);
  return place == 0 ? grpc->method_count : (size_t)place - 1;
}

/* ---- Which requests ---- */

static bool accepts(const Api *api, const HttpRequest *request) {
  if (grpc_wire_is_named(request)) return true;
  Str name = service_of(request->path);
  return name.len > 0 && map_get(&grpc_of(api)->schema->services, name) != NULL;
}

/* Of a body that holds one message, in its envelope and as text, too. */
static size_t body_bytes_max(const Api *api, const HttpRequest *request) {
  (void)request;
  return grpc_of(api)->limits.message_bytes_max / 3 * 4 + BODY_BYTES_MORE;
}

/* ---- Messages ---- */

Code grpc_read_message(const GrpcState *state, const ProtoMessage *type, Str bytes, Arena *arena, const ProtoNode **ret, Error *err) {
  ProtoNode *node = NULL;
  if (!state->wire.is_json) {
    TRY(proto_read(type, bytes, arena, &node, err));
  } else if (str_trim(bytes).len == 0) {
    node = proto_node(type, arena); /* Connect: no body is an empty message */
    TRY_ALLOC(node);
  } else {
    TRY(proto_json_read(type, bytes, false, arena, &node, err));
  }
  *ret = node;
  return CODE_OK;
}

Code grpc_write_message(const GrpcState *state, const ProtoMessage *type, Str bytes, Arena *arena, Str *ret, Error *err) {
  *ret = bytes;
  if (!state->wire.is_json) return CODE_OK;
  ProtoNode *node = NULL;
  Buf out = buf_on(arena, MESSAGE_BYTES_MAX);
  TRY(proto_read(type, bytes, arena, &node, err));
  TRY(proto_json_write(node, &out, err));
  return buf_finish(&out, ret, err);
}

/* ---- decode ---- */

static Code refuse(ApiRequest *request, const Problem *problem) {
  request->problem = problem;
  return problem->code;
}

static Code no_memory(ApiRequest *request) { return refuse(request, problem_no_memory(request->exchange->arena)); }

static const Problem *no_such_method(const ApiRequest *request, const GrpcState *state) {
  Str path = request->exchange->request.path;
  bool has_service = map_get(&state->grpc->schema->services, service_of(path)) != NULL;
  return problem_create(request->exchange->arena, CODE_METHOD_NOT_ALLOWED,
                        has_service ? STR("The service has no such method") : STR("There is no such service here"));
}

/* Whether the method can be called in the way in which the request calls it. */
static const Problem *check_wire(const ApiRequest *request, GrpcState *state) {
  Arena *arena = request->exchange->arena;
  const ProtoMethod *method = state->method;
  bool is_stream = method->is_client_streaming || method->is_server_streaming;
  GrpcWire *wire = &state->wire;
  if (wire->is_get && (is_stream || !method->is_read)) {
    Problem *problem = problem_new(arena, CODE_METHOD_NOT_ALLOWED, STR("Only what reads, and is no stream, can be called by GET"));
    if (problem != NULL) problem->allow = STR("POST");
    return problem != NULL ? problem : problem_no_memory(arena);
  }
  if (wire->protocol == GRPC_CONNECT && is_stream)
    return problem_with_hint(arena, CODE_UNSUPPORTED_MEDIA_TYPE, STR("The method is a stream"),
                             STR("Content-Type: application/connect+proto or application/connect+json"));
  if (wire->protocol == GRPC_CONNECT_STREAM && !is_stream) {
    wire->protocol = GRPC_CONNECT; /* which has a status for it */
    return problem_with_hint(arena, CODE_UNSUPPORTED_MEDIA_TYPE, STR("The method is no stream"),
                             STR("Content-Type: application/proto or application/json"));
  }
  if (wire->protocol == GRPC_WEB_TEXT && method->is_client_streaming)
    return problem_create(arena, CODE_METHOD_NOT_ALLOWED, STR("A stream of messages can't be sent as text"));
  return NULL;
}

/* All that can be said before a message has come. NULL when memory is out. */
static GrpcState *read_head(const ApiRequest *request) {
  Arena *arena = request->exchange->arena;
  const HttpRequest *http = &request->exchange->request;
  GrpcState *state = ARENA_NEW(arena, GrpcState);
  if (state == NULL) return NULL;
  state->grpc = grpc_of(request->api);
  state->method = proto_method(state->grpc->schema, http->path);
  state->refused = grpc_wire_read(http, arena, &state->wire);
  if (state->refused != NULL) return state;
  state->refused = state->method == NULL ? no_such_method(request, state) : check_wire(request, state);
  return state;
}

/* Who sends a stream may wait for an answer to its first message, or to none, before it ends it: a head that is refused is so at once. */
static bool is_body_streamed(ApiRequest *request) {
  GrpcState *state = read_head(request);
  request->face_state = state;
  if (state != NULL) return state->refused != NULL || state->method->is_client_streaming;
  /* Decode may find the memory that was missing here, and a stream's body has no end to wait for. */
  const ProtoMethod *method = proto_method(grpc_of(request->api)->schema, request->exchange->request.path);
  return method != NULL && method->is_client_streaming;
}

static Code read_only_message(ApiRequest *request, GrpcState *state) {
  Arena *arena = request->exchange->arena;
  Str bytes;
  Error err = {0};
  Code code = grpc_wire_message(&state->wire, request->exchange->request.body, state->grpc->limits.message_bytes_max, arena, &bytes, &err);
  if (code == CODE_OK) code = grpc_read_message(state, state->method->request, bytes, arena, &state->message, &err);
  return code == CODE_OK ? CODE_OK : refuse(request, problem_from_error(arena, &err));
}

static Code decode_own(ApiRequest *request, GrpcState *state) {
  for (size_t i = 0; i < GRPC_HEALTH_METHOD_COUNT; i++) {
    if (str_equal(GRPC_HEALTH_METHODS[i].path, state->method->path)) return GRPC_HEALTH_METHODS[i].decode(request, state);
  }
  for (size_t i = 0; i < GRPC_REFLECTION_METHOD_COUNT; i++) {
    if (str_equal(GRPC_REFLECTION_METHODS[i].path, state->method->path)) return GRPC_REFLECTION_METHODS[i].decode(request, state);
  }
  return refuse(request, no_such_method(request, state));
}

static Code decode(ApiRequest *request) {
  Arena *arena = request->exchange->arena;
  GrpcState *state = request->face_state != NULL ? request->face_state : read_head(request);
  if (state == NULL) return no_memory(request);
  request->face_state = state;
  if (state->refused != NULL) return refuse(request, state->refused);
  if (state->wire.timeout_us != 0) http_bound(request->exchange, state->wire.timeout_us);
  state->names = (ExprNames){.find = find_by_proto_name, .find_value = find_by_proto_value, .context = state->grpc->schema};
  state->decoder = (RestDecoder){.map = request->api->rest, .limits = &request->api->limits, .arena = arena, .names = &state->names};
  if (!state->method->is_client_streaming) TRY(read_only_message(request, state));
  if (state->method->role == PROTO_OWN) return decode_own(request, state);
  Code code = grpc_decode_call(request, state);
  if (request->problem == NULL) request->problem = state->decoder.problem;
  return code;
}

/* ---- encode ---- */

static void encode_problem(ApiRequest *request) {
  const GrpcState *state = request->face_state;
  Arena *arena = request->exchange->arena;
  GrpcWire wire;
  if (state != NULL)
    wire = state->wire;
  else
    (void)grpc_wire_read(&request->exchange->request, arena, &wire); /* refused before it was decoded */
  grpc_wire_refuse(&wire, request->problem, request->request_id, arena, &request->response);
}

static void encode(ApiRequest *request) {
  const CallGroup *group = &request->group;
  for (size_t i = 0; i < group->count && request->problem == NULL; i++) request->problem = group->calls[i].result.problem;
  if (request->problem == NULL) grpc_encode_result(request, request->face_state);
  if (request->problem != NULL) encode_problem(request);
}

static size_t list_method_names(const Api *api, Str *ret) {
  const Grpc *grpc = grpc_of(api);
  for (size_t i = 0; ret != NULL && i < grpc->method_count; i++) ret[i] = grpc->methods[i]->path;
  return grpc->method_count;
}

static size_t method_index(const Api *api, const HttpRequest *request) { return grpc_method_index(grpc_of(api), request->path); }

static void refuse_for_protocol(ApiRequest *request, const Problem *problem, HttpResponse *ret) {
  Arena *arena = request->exchange->arena;
  GrpcWire wire;
  (void)grpc_wire_read(&request->exchange->request, arena, &wire);
  grpc_wire_refuse(&wire, problem, request->request_id, arena, ret);
}

const Face FACE_GRPC = {
    .name = STR_INIT("grpc"),
    .has_status_in_trailers = true,
    .prepare = prepare,
    .join = join,
    .accepts = accepts,
    .is_of_contract = is_of_contract,
    .is_body_streamed = is_body_streamed,
    .body_bytes_max = body_bytes_max,
    .body_option = STR_INIT("--grpc-message-max"),
    .decode = decode,
    .encode = encode,
    .encode_problem = encode_problem,
    .methods = list_method_names,
    .method = method_index,
    .refuse = refuse_for_protocol,
};
