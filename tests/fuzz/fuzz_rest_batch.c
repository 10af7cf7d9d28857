/* fuzz_rest_batch.c - a body as POST /v1/batch to a small contract: whatever comes is decoded within the limits, or refused with a problem
 * that can be shown; references are resolved or refused; and bytes that are read as a kept answer are written as they were. */
#include <string.h>

#include "api/rest.h"
#include "api/rest_batch.h"
#include "api/rest_map.h"
#include "base/utf8.h"
#include "contract_text.h"
#include "property.h"

static const char CONTRACT[] =
    "extend schema @service(name: \"shop\")\n"
    "type Product @resource @access(read: \"true\", write: \"true\") {\n"
    "  code: String! @id\n  name: String!\n  price: Decimal\n  extra: JSON\n  category: Category\n}\n"
    "type Category @resource @access(read: \"true\", write: \"true\") { code: String! @id name: String! products: [Product!]! }\n";

static const EngineLimits limits = {
    .page_size = 20, .page_size_max = 100, .nesting_max = 5, .batch_max = 10, .filter_bytes_max = 4096, .result_bytes_max = 1 << 16};

/* Made once for all inputs. */
static const Api *shared_api(void) {
  static Api *api;
  static const Face *const faces[] = {&FACE_REST};
  if (api != NULL) return api;
  PROPERTY(api_create(contract_of_text(CONTRACT), &limits, faces, 1, &api, NULL) == CODE_OK);
  return api;
}

static void check_problem(const Problem *problem) {
  PROPERTY(problem != NULL && problem->code != CODE_OK && problem->code != CODE_INTERNAL);
  PROPERTY(problem->detail.len > 0 && utf8_is_valid(problem->detail) && utf8_is_valid(problem->hint));
}

/* As if each call had written a row. */
static void play(CallGroup *group) {
  static const Value key[] = {{.type = VALUE_TEXT, .text = STR_INIT("k")}};
  for (size_t i = 0; i < group->count; i++) {
    Call *call = &group->calls[i];
    const Problem *problem = NULL;
    PROPERTY(call->operation.resource != NULL);
    if (call->before != NULL && call->before(call, call->before_context, &problem) != CODE_OK) {
      check_problem(problem);
      return;
    }
    if (call->operation.action >= ACTION_CREATE) call->result = (Result){.key = key, .is_hidden = true};
  }
}

static void check_kept(Str text, Arena *arena) {
  HttpResponse response;
  if (rest_once_read(text, arena, &response) != CODE_OK) return;
  Str first = rest_once_write(&response, arena);
  HttpResponse again;
  PROPERTY(first.ptr != NULL && rest_once_read(first, arena, &again) == CODE_OK);
  PROPERTY(again.status == response.status && again.header_count == response.header_count && str_equal(again.body, response.body));
  PROPERTY(str_equal(rest_once_write(&again, arena), first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const HttpHeader headers[] = {{STR_INIT("content-type"), STR_INIT("application/json")}};
  Arena *arena = arena_create(0);
  HttpExchange exchange = {.arena = arena,
                           .request = {.method = HTTP_POST,
                                       .method_text = STR("POST"),
                                       .target = STR("/v1/batch"),
                                       .path = STR("/v1/batch"),
                                       .headers = headers,
                                       .header_count = 1,
                                       .body = {(const char *)data, size}}};
  ApiRequest request = {.exchange = &exchange, .api = shared_api(), .face = &FACE_REST, .request_id = STR("r")};
  if (FACE_REST.decode(&request) != CODE_OK)
    check_problem(request.problem);
  else if (!request.is_answered)
    play(&request.group);
  check_kept(exchange.request.body, arena);
  arena_destroy(arena);
  return 0;
}
