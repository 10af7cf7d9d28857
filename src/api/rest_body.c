/* rest_body.c - negotiation and the body. */
#include "api/rest_body.h"

Code rest_accept_check(RestDecoder *decoder, const ApiHeaders *headers) {
  if (accept_weight(headers->accept, STR("application/json")) > 0) return CODE_OK;
  /* Who asks for problem documents alone still wants to hear what went wrong, and gets JSON where nothing did. */
  Str problem = STR("application/problem+json");
  if (headers->accept.ptr != NULL && str_contains(headers->accept, problem) && accept_weight(headers->accept, problem) > 0) return CODE_OK;
  return rest_refuse(decoder, CODE_NOT_ACCEPTABLE, STR("Accept: application/json"),
                     "The answer is application/json, which the request does not accept");
}

Str rest_accept_patch(void) { return STR("application/merge-patch+json, application/json-patch+json, application/json"); }

static bool is_understood(HttpMethod method, Str type, bool *ret_is_patch) {
  *ret_is_patch = false;
  if (str_equal_ignore_case(type, STR("application/json"))) return true;
  if (method != HTTP_PATCH) return false;
  *ret_is_patch = str_equal_ignore_case(type, STR("application/json-patch+json"));
  return *ret_is_patch || str_equal_ignore_case(type, STR("application/merge-patch+json"));
}

static Code refuse_type(RestDecoder *decoder, HttpMethod method, Str given) {
  bool is_patch = method == HTTP_PATCH;
  Str shown = rest_shown(given);
  Str detail = given.ptr == NULL ? STR("The body has no Content-Type")
                                 : arena_printf(decoder->arena, "A body of type \"%.*s\" is not understood here", STR_ARGS(shown));
  Problem *problem = detail.ptr == NULL ? NULL : problem_new(decoder->arena, CODE_UNSUPPORTED_MEDIA_TYPE, detail);
  if (problem == NULL) return rest_no_memory(decoder);
  problem->hint = is_patch ? STR("Content-Type: application/merge-patch+json") : STR("Content-Type: application/json");
  if (is_patch) problem->patches = rest_accept_patch();
  decoder->problem = problem;
  return problem->code;
}

/* `fallback`: what a body without a type is; ptr NULL: refused. */
static Code check_type(RestDecoder *decoder, HttpMethod method, const ApiHeaders *headers, Str fallback, bool *ret_is_patch) {
  Str type, parameters;
  Str given = headers->content_type.ptr == NULL ? fallback : headers->content_type;
  if (given.ptr == NULL || !media_type_parse(given, &type, &parameters) || !is_understood(method, type, ret_is_patch))
    return refuse_type(decoder, method, given);
  Str charset = media_type_parameter(parameters, STR("charset"));
  if (charset.ptr != NULL && !str_equal_ignore_case(charset, STR("utf-8")) && !str_equal_ignore_case(charset, STR("utf8"))) {
    return rest_refuse(decoder, CODE_UNSUPPORTED_MEDIA_TYPE, STR("JSON is UTF-8 (RFC 8259 §8.1)"), "The body's charset is not UTF-8");
  }
  return CODE_OK;
}

static Code refuse_coding(RestDecoder *decoder, Str codings, Str detail, Str hint) {
  Problem *problem = problem_new(decoder->arena, CODE_UNSUPPORTED_MEDIA_TYPE, detail);
  if (problem == NULL) return rest_no_memory(decoder);
  problem->hint = hint;
  problem->codings = codings;
  decoder->problem = problem;
  return problem->code;
}

Code rest_coding_check(RestDecoder *decoder, const ApiHeaders *headers, Coding *ret_coding) {
  Str name = str_trim(headers->content_encoding);
  Coding coding = name.len == 0 ? CODING_IDENTITY : content_coding_find(name);
  if (ret_coding == NULL && coding != CODING_IDENTITY) {
    return refuse_coding(decoder, STR("identity"), STR("A compressed body is understood only where rows come as NDJSON or CSV"),
                         STR("send the body without Content-Encoding"));
  }
  if (coding == CODING_COUNT || (coding != CODING_IDENTITY && CONTENT_CODINGS[coding].decompressor_create == NULL))
    return refuse_coding(decoder, STR("gzip, zstd"), STR("The body's coding is not understood"), STR("send it as gzip, zstd or as it is"));
  if (ret_coding != NULL) *ret_coding = coding;
  return CODE_OK;
}

static Code refuse_no_body(RestDecoder *decoder) {
  decoder->is_body_missing = true;
  return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "The request has no body");
}

Code rest_body_check(RestDecoder *decoder, HttpMethod method, const ApiHeaders *headers, bool has_body, bool *ret_is_patch) {
  if (!has_body) return refuse_no_body(decoder);
  return check_type(decoder, method, headers, STR("application/json"), ret_is_patch);
}

Code rest_body_parse(RestDecoder *decoder, HttpMethod method, const ApiHeaders *headers, Str body, const JsonValue **ret,
                     bool *ret_is_patch) {
  TRY(rest_coding_check(decoder, headers, NULL));
  if (headers->content_type.ptr == NULL && body.len == 0) return refuse_no_body(decoder);
  TRY(check_type(decoder, method, headers, (Str){0}, ret_is_patch));
  JsonValue *value = ARENA_NEW(decoder->arena, JsonValue);
  if (value == NULL) return rest_no_memory(decoder);
  if (str_trim(body).len == 0) return refuse_no_body(decoder);
  Error err = {0};
  Code code = json_parse(body, JSON_DEPTH_DEFAULT, decoder->arena, value, &err);
  if (code == CODE_UNAVAILABLE) return rest_no_memory(decoder);
  /* Nesting beyond the limit is a matter of form here, not of size. */
  if (code != CODE_OK) return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "The body is not JSON that can be read: %s", err.text);
  *ret = value;
  return CODE_OK;
}
