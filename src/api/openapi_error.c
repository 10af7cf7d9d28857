/* openapi_error.c - refusals: the problem document, and one response for each status that an operation can give. */
#include "api/error_map.h"
#include "api/openapi_impl.h"
#include "query/problem.h"

typedef struct ErrorResponse {
  OpenapiError bit;
  int status;
  Code code;
  Str name;
  Str description;
} ErrorResponse;

static const ErrorResponse responses[] = {
    {ERROR_400, 400, CODE_BAD_REQUEST, STR_INIT("BadRequest"), STR_INIT("The request can't be read: its syntax or a parameter is wrong.")},
    {ERROR_401, 401, CODE_UNAUTHENTICATED, STR_INIT("Unauthenticated"),
     STR_INIT("No token, or one that is not good; `WWW-Authenticate` says why.")},
    {ERROR_403, 403, CODE_FORBIDDEN, STR_INIT("Forbidden"), STR_INIT("An access rule refuses this; `rule` names it.")},
    {ERROR_404, 404, CODE_NOT_FOUND, STR_INIT("NotFound"), STR_INIT("There is no such resource, or the caller may not see it.")},
    {ERROR_405, 405, CODE_METHOD_NOT_ALLOWED, STR_INIT("MethodNotAllowed"),
     STR_INIT("The resource does not have this method; `Allow` says which it has.")},
    {ERROR_406, 406, CODE_NOT_ACCEPTABLE, STR_INIT("NotAcceptable"), STR_INIT("No media type that was asked for is served.")},
    {ERROR_408, 408, CODE_TIMEOUT, STR_INIT("RequestTimeout"), STR_INIT("The request came too slowly.")},
    {ERROR_409, 409, CODE_CONFLICT, STR_INIT("Conflict"),
     STR_INIT("Not unique, still referred to, or changed by someone else at the same time.")},
    {ERROR_411, 411, CODE_BAD_REQUEST, STR_INIT("LengthRequired"),
     STR_INIT("A body is wanted, and the request has neither `Content-Length` nor `Transfer-Encoding`.")},
    {ERROR_412, 412, CODE_PRECONDITION_FAILED, STR_INIT("PreconditionFailed"),
     STR_INIT("The resource is not in the state that `If-Match` or `If-None-Match` asks for.")},
    {ERROR_413, 413, CODE_TOO_LARGE, STR_INIT("TooLarge"), STR_INIT("The body, or the answer, is larger than the server's limit.")},
    {ERROR_414, 414, CODE_TOO_LARGE, STR_INIT("UriTooLong"), STR_INIT("The address is longer than the server's limit.")},
    {ERROR_415, 415, CODE_UNSUPPORTED_MEDIA_TYPE, STR_INIT("UnsupportedMediaType"),
     STR_INIT("The body's media type is not understood here.")},
    {ERROR_422, 422, CODE_VALIDATION_FAILED, STR_INIT("ValidationFailed"),
     STR_INIT("The body is well-formed but not valid; `errors` has every mistake at once.")},
    {ERROR_428, 428, CODE_PRECONDITION_REQUIRED, STR_INIT("PreconditionRequired"), STR_INIT("The server wants `If-Match` for a write.")},
    {ERROR_429, 429, CODE_RATE_LIMITED, STR_INIT("RateLimited"), STR_INIT("Too many requests; `Retry-After` says when to come again.")},
    {ERROR_431, 431, CODE_TOO_LARGE, STR_INIT("HeadersTooLarge"), STR_INIT("The headers are larger than the server's limit.")},
    {ERROR_500, 500, CODE_INTERNAL, STR_INIT("Internal"), STR_INIT("The server failed.")},
    {ERROR_503, 503, CODE_UNAVAILABLE, STR_INIT("Unavailable"),
     STR_INIT("Overloaded, without its store, or too slow; `Retry-After` says when to come again.")},
};
enum { RESPONSE_COUNT = sizeof responses / sizeof *responses };

static bool write_known(Openapi *api, unsigned errors) {
  for (size_t i = 0; i < api->errors_text_count; i++) {
    if (api->errors_texts[i].errors != errors) continue;
    json_out_raw(&api->json, api->errors_texts[i].json);
    return true;
  }
  return false;
}

static void keep_text(Openapi *api, unsigned errors, size_t begin) {
  if (api->errors_text_count == ERRORS_TEXTS_MAX || api->json.buf->failed != CODE_OK) return;
  Str json = arena_str(api->arena, str_slice(buf_str(api->json.buf), begin, api->json.buf->len));
  if (json.len > 0) api->errors_texts[api->errors_text_count++] = (ErrorsText){errors, json};
}

void openapi_error_responses(Openapi *api, unsigned errors) {
  JsonOut *json = &api->json;
  api->errors |= errors;
  if (write_known(api, errors)) return;
  size_t begin = json->buf->len + (json->needs_comma ? 1 : 0);
  for (size_t i = 0; i < RESPONSE_COUNT; i++) {
    if ((errors & responses[i].bit) == 0) continue;
    json_out_separate(json);
    buf_add_byte(json->buf, '"');
    buf_add_int64(json->buf, responses[i].status);
    buf_add(json->buf, STR("\":"));
    json->needs_comma = false;
    openapi_write_ref(api, STR("responses"), responses[i].name, (Str){0});
  }
  keep_text(api, errors, begin);
}

static void write_header(Openapi *api, Str name, Str description, Str schema, Str example) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("headers"), '{');
  json_out_member_open(json, name, '{');
  json_out_member_text(json, STR("description"), description);
  json_out_member_raw(json, STR("schema"), schema);
  json_out_member_raw(json, STR("example"), example);
  json_out_close(json, '}');
  json_out_close(json, '}');
}

static void write_headers(Openapi *api, int status) {
  if (status == 401)
    write_header(api, STR("WWW-Authenticate"), STR("What is wanted, and why what came was not good (RFC 6750)."),
                 STR("{\"type\":\"string\"}"), STR("\"Bearer\""));
  if (status == 405)
    write_header(api, STR("Allow"), STR("The methods that the resource has."), STR("{\"type\":\"string\"}"), STR("\"GET, HEAD, OPTIONS\""));
  if (status == 429 || status == 503)
    write_header(api, STR("Retry-After"), STR("Seconds."), STR("{\"type\":\"integer\",\"minimum\":0}"), STR("1"));
}

static void write_problem_example(Openapi *api, const ErrorResponse *response) {
  JsonOut *json = &api->json;
  const ErrorForm *form = error_form(response->code);
  json_out_member_open(json, STR("example"), '{');
  json_out_member_text(json, STR("type"), form->type);
  json_out_member_text(json, STR("title"), form->title);
  json_out_member_int(json, STR("status"), response->status);
  json_out_member_text(json, STR("code"), form->name);
  json_out_member_text(json, STR("detail"), response->description);
  if (response->status == 422)
    json_out_member_raw(json, STR("errors"), STR("[{\"pointer\":\"/name\",\"code\":\"REQUIRED\",\"detail\":\"a value is needed\"}]"));
  json_out_member_text(json, STR("requestId"), STR("01890a5d-ac96-774b-bcce-b302099a8057"));
  json_out_close(json, '}');
}

void openapi_write_error_responses(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("responses"), '{');
  for (size_t i = 0; i < RESPONSE_COUNT; i++) {
    if ((api->errors & responses[i].bit) == 0) continue;
    json_out_member_open(json, responses[i].name, '{');
    json_out_member_text(json, STR("description"), responses[i].description);
    write_headers(api, responses[i].status);
    json_out_member_open(json, STR("content"), '{');
    json_out_member_open(json, STR("application/problem+json"), '{');
    json_out_key(json, STR("schema"));
    openapi_ref(api, SCHEMA_PROBLEM, NULL);
    write_problem_example(api, &responses[i]);
    json_out_close(json, '}');
    json_out_close(json, '}');
    json_out_close(json, '}');
  }
  json_out_close(json, '}');
}

void openapi_problem_schema(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_raw(json, STR("type"),
                      STR("\"object\",\"description\":\"A refusal (RFC 9457).\",\"required\":[\"type\",\"title\",\"status\",\"code\"]"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_member_raw(
      json, STR("type"),
      STR("{\"type\":\"string\",\"format\":\"uri-reference\",\"description\":\"A page of this server that explains the problem.\"}"));
  json_out_member_raw(json, STR("title"), STR("{\"type\":\"string\"}"));
  json_out_member_raw(json, STR("status"), STR("{\"type\":\"integer\",\"minimum\":400,\"maximum\":599}"));
  json_out_member_open(json, STR("code"), '{');
  json_out_member_raw(json, STR("type"), STR("\"string\",\"description\":\"To decide by.\""));
  json_out_member_open(json, STR("enum"), '[');
  for (int code = CODE_BAD_REQUEST; code < CODE_COUNT; code++) json_out_text(json, error_form((Code)code)->name);
  json_out_close(json, ']');
  json_out_close(json, '}');
  json_out_member_raw(json, STR("detail"), STR("{\"type\":\"string\"}"));
  json_out_member_raw(json, STR("hint"), STR("{\"type\":\"string\",\"description\":\"What to do about it.\"}"));
  json_out_member_raw(json, STR("rule"), STR("{\"type\":\"string\",\"description\":\"The access rule that refuses: type and action.\"}"));
  json_out_member_open(json, STR("errors"), '{');
  json_out_member_raw(json, STR("type"), STR("\"array\",\"description\":\"Every mistake of the body.\""));
  json_out_member_open(json, STR("items"), '{');
  json_out_member_raw(json, STR("type"), STR("\"object\",\"required\":[\"pointer\",\"code\",\"detail\"]"));
  json_out_member_open(json, STR("properties"), '{');
  json_out_member_raw(json, STR("pointer"), STR("{\"type\":\"string\",\"description\":\"Where in the body (RFC 6901).\"}"));
  json_out_member_open(json, STR("code"), '{');
  json_out_member_raw(json, STR("type"), STR("\"string\""));
  json_out_member_open(json, STR("enum"), '[');
  for (int code = 0; code < MISTAKE_COUNT; code++) json_out_text(json, mistake_code_name((MistakeCode)code));
  json_out_close(json, ']');
  json_out_close(json, '}');
  json_out_member_raw(json, STR("detail"), STR("{\"type\":\"string\"}"));
  json_out_member_raw(json, STR("hint"), STR("{\"type\":\"string\"}"));
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_close(json, '}');
  json_out_member_raw(json, STR("operation"), STR("{\"type\":\"integer\",\"description\":\"Which of a batch's operations failed.\"}"));
  json_out_member_raw(json, STR("created"),
                      STR("{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"description\":\"How many of a stream's rows were "
                          "created, for good, before the one that is refused.\"}"));
  json_out_member_raw(json, STR("requestId"), STR("{\"type\":\"string\"}"));
  json_out_close(json, '}');
}
