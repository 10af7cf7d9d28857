/* generation.c - the contracts, what their faces prepared for them, and the names of their routes. */
#include "server/generation.h"

#include <stdatomic.h>

#include "api/documents.h"
#include "api/face_registry.h"
#include "api/graphql_run.h"
#include "api/grpc.h"
#include "contract/load.h"
#include "contract/versions.h"
#include "server/contract_source.h"

static Code name_routes(const Generation *generation, const GenerationVersion *version, Str *routes, Error *err) {
  const Contract *contract = version->contract;
  for (size_t i = 0; i < contract->resource_count; i++) {
    const Resource *resource = contract->resources[i];
    Str list = arena_printf(generation->arena, "/%.*s/%.*s", STR_ARGS(contract->service_version), STR_ARGS(resource->path));
    Str item = arena_printf(generation->arena, "%.*s/{id}", STR_ARGS(list));
    TRY_ALLOC(item.ptr);
    routes[generation_route(version, resource, false)] = list;
    routes[generation_route(version, resource, true)] = item;
  }
  for (size_t i = 0; i < version->api->face_count; i++) {
    const Face *face = version->api->faces[i];
    if (face->methods != NULL) (void)face->methods(version->api, &routes[version->first_methods[i]]);
  }
  return CODE_OK;
}

static Code count_routes(Generation *generation, GenerationVersion *version, Error *err) {
  const Api *api = version->api;
  version->first_route = generation->route_count;
  generation->route_count += 2 * version->contract->resource_count;
  version->first_methods = ARENA_ARRAY(generation->arena, size_t, api->face_count);
  TRY_ALLOC(version->first_methods);
  for (size_t i = 0; i < api->face_count; i++) {
    version->first_methods[i] = generation->route_count;
    if (api->faces[i]->methods != NULL) generation->route_count += api->faces[i]->methods(api, NULL);
  }
  return CODE_OK;
}

static Code make_routes(Generation *generation, Error *err) {
  generation->route_count = ROUTE_FIRST_RESOURCE;
  for (size_t i = 0; i < generation->version_count; i++) TRY(count_routes(generation, &generation->versions[i], err));
  Str *routes = ARENA_ARRAY(generation->arena, Str, generation->route_count);
  TRY_ALLOC(routes);
  routes[ROUTE_OTHER] = STR("other");
  routes[ROUTE_OPERATIONS] = STR("operations");
  for (size_t i = 0; i < generation->version_count; i++) TRY(name_routes(generation, &generation->versions[i], routes, err));
  generation->routes = routes;
  return CODE_OK;
}

size_t generation_method_route(const GenerationVersion *version, const Face *face, const HttpRequest *request) {
  const Api *api = version->api;
  size_t index = face->method(api, request), i = 0;
  if (index >= face->methods(api, NULL)) return ROUTE_OTHER;
  while (api->faces[i] != face) i++;
  return version->first_methods[i] + index;
}

static Code make_metrics(Generation *generation, Error *err) {
  generation->metrics = ARENA_ARRAY(generation->arena, RequestMetrics *, generation->worker_count);
  TRY_ALLOC(generation->metrics);
  for (size_t i = 0; i < generation->worker_count; i++)
    TRY(request_metrics_create(generation->route_count, METHOD_COUNT, &generation->metrics[i], err));
  return CODE_OK;
}

void generation_write_metrics(const Generation *generation, Buf *out) {
  static const Str methods[METHOD_COUNT] = {STR_INIT("GET"),     STR_INIT("HEAD"),  STR_INIT("POST"),
                                            STR_INIT("PUT"),     STR_INIT("PATCH"), STR_INIT("DELETE"),
                                            STR_INIT("OPTIONS"), STR_INIT("other"), STR_INIT("unknown")};
  request_metrics_write(out, generation->metrics, generation->worker_count, generation->routes, methods);
}

EngineLimits generation_limits(const ServeConfig *config) {
  return (EngineLimits){
      .page_size = (int64_t)config->page_size,
      .page_size_max = (int64_t)config->page_size_max,
      .export_rows_max = (int64_t)config->export_rows_max,
      .import_bytes_max = config->import_bytes_max,
      .groups_max = (int64_t)config->groups_max,
      .nesting_max = config->nesting_max,
      .batch_max = config->batch_max,
      .filter_bytes_max = config->filter_bytes_max,
      .result_bytes_max = config->result_bytes_max,
      .plans_max = config->plans_max,
      .queue_wait_us = (int64_t)config->queue_wait_ms * 1000,
  };
}

static GraphqlLimits graphql_limits(const ServeConfig *config) {
  return (GraphqlLimits){
      .depth_max = config->graphql_depth_max,
      .cost_max = config->graphql_cost_max,
      .aliases_max = config->graphql_aliases_max,
      .document_bytes_max = config->graphql_document_bytes_max,
      .tokens_max = config->graphql_tokens_max,
      .persisted_max = config->graphql_persisted_max,
      .batch_max = config->graphql_batch_max,
      .has_introspection = config->graphql_introspection == 0,
      .has_graphiql = config->graphiql == 0,
      .ws_operations_max = config->graphql_ws_operations_max,
      .ws_message_bytes_max = config->websocket_message_bytes_max,
      .ws_queued_bytes_max = config->websocket_queued_bytes_max,
      .ws_init_timeout_ms = (uint32_t)config->graphql_ws_init_timeout_ms,
      .ws_ping_ms = (uint32_t)config->websocket_ping_ms,
      .ws_control_frames_max = config->control_frames_max > UINT32_MAX ? UINT32_MAX : (uint32_t)config->control_frames_max,
  };
}

/* The documents of --graphql-documents: NAME.graphql is NAME. */
static Code read_trusted(const Generation *generation, Str folder, FaceOptions *options, Error *err) {
  ContractSource source;
  TRY(contract_source_read(folder, generation->arena, &source, err));
  GraphqlTrusted *trusted = ARENA_ARRAY(generation->arena, GraphqlTrusted, source.count + 1);
  TRY_ALLOC(trusted);
  for (size_t i = 0; i < source.count; i++) {
    Str file = source.files[i].name, rest = file, name = file;
    while (str_split_next(&rest, '/', &name)) continue;
    if (str_ends_with(name, STR(".graphql"))) name = str_slice(name, 0, name.len - STR(".graphql").len);
    trusted[i] = (GraphqlTrusted){.name = name, .file = file, .text = source.files[i].text};
  }
  options->graphql_trusted = trusted;
  options->graphql_trusted_count = source.count;
  return CODE_OK;
}

static Code prepare_version(GenerationVersion *version, const FaceOptions *options, const ServeConfig *config, Error *err) {
  EngineLimits limits = generation_limits(config);
  size_t face_count = 0;
  const Face *const *faces = api_faces(&face_count);
  TRY(api_create(version->contract, &limits, faces, face_count, &version->api, err));
  version->api->is_precondition_required = config->is_match_required;
  TRY(api_prepare(version->api, options, err));
  return documents_create(version->api, &version->api->documents, err);
}

static Code prepare_all(Generation *generation, const Str *paths, const ServeConfig *config, struct GraphqlStreams *streams, Error *err) {
  GraphqlLimits graphql = graphql_limits(config);
  GrpcLimits grpc = {.message_bytes_max = config->grpc_message_bytes_max};
  FaceOptions options = {.graphql = &graphql, .graphql_streams = streams, .grpc = &grpc};
  Api **apis = (Api **)arena_calloc(generation->arena, generation->version_count, sizeof *apis);
  TRY_ALLOC(apis);
  if (config->graphql_documents.len > 0) TRY(read_trusted(generation, config->graphql_documents, &options, err));
  for (size_t i = 0; i < generation->version_count; i++) {
    options.contract_path = paths == NULL ? (Str){0} : paths[i];
    TRY(prepare_version(&generation->versions[i], &options, config, err));
    apis[i] = generation->versions[i].api;
  }
  return api_join(apis, generation->version_count, err);
}

static Code fill(Generation *generation, const Str *paths, const ServeConfig *config, struct GraphqlStreams *streams, Error *err) {
  TRY(prepare_all(generation, paths, config, streams, err));
  TRY(make_routes(generation, err));
  return make_metrics(generation, err);
}

static void destroy(Generation *generation) {
  for (size_t i = 0; generation->metrics != NULL && i < generation->worker_count; i++) request_metrics_destroy(generation->metrics[i]);
  for (size_t i = 0; i < generation->version_count; i++) {
    api_destroy(generation->versions[i].api);
    contract_destroy(generation->versions[i].contract);
  }
  arena_destroy(generation->arena);
}

Code generation_create(Contract *const *contracts, const Str *paths, size_t count, const ServeConfig *config, size_t worker_count,
                       struct GraphqlStreams *streams, Generation **ret, Error *err) {
  Arena *arena = arena_create(0);
  Generation *generation = arena == NULL ? NULL : ARENA_NEW(arena, Generation);
  GenerationVersion *versions = generation == NULL ? NULL : ARENA_ARRAY(arena, GenerationVersion, count);
  if (versions == NULL) {
    arena_destroy(arena);
    for (size_t i = 0; i < count; i++) contract_destroy(contracts[i]);
    return error_no_memory(err);
  }
  for (size_t i = 0; i < count; i++) versions[i].contract = contracts[i];
  generation->arena = arena;
  generation->versions = versions;
  generation->version_count = count;
  generation->newest = contract_newest((const Contract *const *)contracts, count);
  generation->worker_count = worker_count;
  atomic_init(&generation->holders, 1);
  Code code = fill(generation, paths, config, streams, err);
  if (code == CODE_OK)
    *ret = generation;
  else
    destroy(generation);
  return code;
}

void generation_hold(Generation *generation) { atomic_fetch_add_explicit(&generation->holders, 1, memory_order_relaxed); }

void generation_release(Generation *generation) {
  if (generation != NULL && atomic_fetch_sub_explicit(&generation->holders, 1, memory_order_acq_rel) == 1) destroy(generation);
}
