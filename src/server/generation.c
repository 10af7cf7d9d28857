/* generation.c - a contract, what its faces prepared for it, and the names of its routes. */
#include "server/generation.h"

#include <stdatomic.h>

#include "api/documents.h"
#include "api/rest.h"
#include "contract/load.h"

/* Asked in this order. */
static const Face *const faces[] = {&rest_face};

static Code make_routes(Generation *generation, Error *err) {
  const Contract *contract = generation->contract;
  generation->route_count = ROUTE_FIRST_RESOURCE + 2 * contract->resource_count;
  Str *routes = ARENA_ARRAY(generation->arena, Str, generation->route_count);
  TRY_ALLOC(routes);
  routes[ROUTE_OTHER] = STR("other");
  routes[ROUTE_OPERATIONS] = STR("operations");
  for (size_t i = 0; i < contract->resource_count; i++) {
    const Resource *resource = contract->resources[i];
    Str list = arena_printf(generation->arena, "/%.*s/%.*s", STR_ARGS(contract->service_version), STR_ARGS(resource->path));
    Str item = arena_printf(generation->arena, "%.*s/{id}", STR_ARGS(list));
    TRY_ALLOC(item.ptr);
    routes[generation_route(resource, false)] = list;
    routes[generation_route(resource, true)] = item;
  }
  generation->routes = routes;
  return CODE_OK;
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
  };
}

static Code fill(Generation *generation, const ServeConfig *config, Error *err) {
  EngineLimits limits = generation_limits(config);
  TRY(api_create(generation->contract, &limits, faces, sizeof faces / sizeof faces[0], &generation->api, err));
  generation->api->is_precondition_required = config->is_match_required;
  TRY(documents_create(generation->api, &generation->api->documents, err));
  TRY(make_routes(generation, err));
  return make_metrics(generation, err);
}

static void destroy(Generation *generation) {
  for (size_t i = 0; generation->metrics != NULL && i < generation->worker_count; i++) request_metrics_destroy(generation->metrics[i]);
  api_destroy(generation->api);
  contract_destroy(generation->contract);
  arena_destroy(generation->arena);
}

Code generation_create(Contract *contract, const ServeConfig *config, size_t worker_count, Generation **ret, Error *err) {
  Arena *arena = arena_create(0);
  Generation *generation = arena == NULL ? NULL : ARENA_NEW(arena, Generation);
  if (generation == NULL) {
    arena_destroy(arena);
    contract_destroy(contract);
    return error_no_memory(err);
  }
  generation->arena = arena;
  generation->contract = contract;
  generation->worker_count = worker_count;
  atomic_init(&generation->holders, 1);
  Code code = fill(generation, config, err);
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
