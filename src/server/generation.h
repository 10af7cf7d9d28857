/* generation.h - the contracts as they are served, one a version. A reload makes a new generation; each loop lets the old one go when its
 * last request on it is done. Immutable but for its count of holders; any thread. */
#pragma once
#include "api/face.h"
#include "observe/metrics.h"
#include "server/config.h"

typedef struct GenerationVersion {
  Contract *contract;
  Api *api;
  size_t first_route;
  size_t *first_methods; /* of each face */
} GenerationVersion;

typedef struct Generation {
  GenerationVersion *versions; /* as they were given */
  size_t version_count, newest;
  const Str *routes; /* the labels of metrics: generation_route says which is whose */
  size_t route_count;
  RequestMetrics **metrics; /* one a worker */
  size_t worker_count;
  Arena *arena;
  _Atomic size_t holders;
} Generation;

enum { METHOD_COUNT = HTTP_UNKNOWN + 1 };
enum { ROUTE_OTHER = 0, ROUTE_OPERATIONS /* probes, metrics, pages */, ROUTE_FIRST_RESOURCE };

/* The limits that requests are held to, of those that can be configured. */
EngineLimits generation_limits(const ServeConfig *config);

/* Takes the contracts over, on failure too. One holder: the caller. */
/* `paths`: where the contracts come from; beside them lie the numbers of their protocol buffers. NULL:
 * they follow the contracts' order. */
/* `streams`: the event streams of the process, which outlive it; NULL: there are none. */
Code generation_create(Contract *const *contracts, const Str *paths, size_t count, const ServeConfig *config, size_t worker_count,
                       struct GraphqlStreams *streams, Generation **ret, Error *err);
void generation_hold(Generation *generation);
void generation_release(Generation *generation); /* the last one destroys it; NULL is fine */

/* All loops' counters as Prometheus' text. */
void generation_write_metrics(const Generation *generation, Buf *out);

/* Of a face that has methods; a request that calls none of them is counted among others. */
size_t generation_method_route(const GenerationVersion *version, const Face *face, const HttpRequest *request);
static inline size_t generation_route(const GenerationVersion *version, const Resource *resource, bool has_key) {
  return version->first_route + 2 * (size_t)resource->index + has_key;
}
