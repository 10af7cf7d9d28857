/* grpc_health.c - grpc.health.v1: the server ("") and each of its services, of every version that is served. What is served at all is
 * serving; a server that is being stopped says so to those who watch, and ends. */
#include "api/grpc_stream.h"

/* HealthCheckResponse.ServingStatus */
typedef enum HealthStatus { HEALTH_SERVING = 1, HEALTH_NOT_SERVING = 2, HEALTH_SERVICE_UNKNOWN = 3 } HealthStatus;

static bool is_known(const Grpc *grpc, Str service) {
  if (service.len == 0) return true;
  for (size_t i = 0; i < grpc->all_count; i++) {
    if (map_get(&grpc->all[i]->schema->services, service) != NULL) return true;
  }
  return false;
}

/* HealthCheckResponse: an enum in field 1. It takes no memory. */
static Str status_message(HealthStatus status) {
  static const char messages[][2] = {[HEALTH_SERVING] = {8, HEALTH_SERVING},
                                     [HEALTH_NOT_SERVING] = {8, HEALTH_NOT_SERVING},
                                     [HEALTH_SERVICE_UNKNOWN] = {8, HEALTH_SERVICE_UNKNOWN}};
  return (Str){messages[status], sizeof messages[status]};
}

static Code check(ApiRequest *request, GrpcState *state) {
  Arena *arena = request->exchange->arena;
  Str message = status_message(HEALTH_SERVING);
  Error err = {0};
  if (!is_known(state->grpc, proto_text(state->message, STR("service")))) {
    request->problem = problem_create(arena, CODE_NOT_FOUND, STR("There is no such service here"));
    return CODE_NOT_FOUND;
  }
  if (grpc_write_message(state, state->method->response, message, arena, &message, &err) != CODE_OK || message.ptr == NULL) {
    request->problem = problem_no_memory(arena);
    return CODE_UNAVAILABLE;
  }
  grpc_wire_answer(&state->wire, message, NULL, 0, arena, &request->response);
  request->is_answered = true;
  return CODE_OK;
}

/* ---- Watch ---- */

static void send_status(GrpcStream *stream, HealthStatus status) { (void)grpc_stream_send(stream, status_message(status)); }

static void on_drain(HttpExchange *exchange) {
  GrpcStream *stream = grpc_state_of(exchange)->stream;
  send_status(stream, HEALTH_NOT_SERVING);
  grpc_stream_end(stream, problem_create(exchange->arena, CODE_UNAVAILABLE, STR("The server is being stopped")));
}

/* Also told to those who ask for a service that may come yet. */
static void watch_begin(GrpcStream *stream) {
  bool is_begun = stream->is_begun;
  if (is_begun) return;
  stream->request->exchange->on_drain = on_drain;
  stream->request->exchange->is_long = true;
  bool is_serving = is_known(stream->state->grpc, proto_text(stream->state->message, STR("service")));
  send_status(stream, is_serving ? HEALTH_SERVING : HEALTH_SERVICE_UNKNOWN);
}

static const GrpcStreamHandler watch_handler = {.writable = watch_begin};

static Code watch(ApiRequest *request, GrpcState *state) { return grpc_stream_prepare(request, state, &watch_handler, NULL, NULL); }

const GrpcOwnMethod GRPC_HEALTH_METHODS[] = {{STR_INIT("/grpc.health.v1.Health/Check"), check},
                                             {STR_INIT("/grpc.health.v1.Health/Watch"), watch}};
const size_t GRPC_HEALTH_METHOD_COUNT = sizeof GRPC_HEALTH_METHODS / sizeof *GRPC_HEALTH_METHODS;
