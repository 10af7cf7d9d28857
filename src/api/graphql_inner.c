#include "api/graphql_inner.h"

#include "api/header.h"

static bool is_of_outer(Str name) {
  static const Str names[] = {
      STR_INIT("accept"),           STR_INIT("content-length"), STR_INIT("content-type"), STR_INIT("transfer-encoding"),
      STR_INIT("content-encoding"), STR_INIT("expect"),         STR_INIT("connection"),   STR_INIT("accept-encoding")};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (str_equal_ignore_case(name, names[i])) return true;
  }
  return false;
}

static bool fill_headers(const HttpRequest *outer, Str accept, Arena *arena, HttpRequest *ret) {
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, outer->header_count + 3);
  if (headers == NULL) return false;
  size_t count = 0;
  headers[count++] = (HttpHeader){STR("content-type"), STR("application/json")};
  headers[count++] = (HttpHeader){STR("accept"), accept};
  /* Its Accept is another, which must not take away the version that the outer one's names. */
  Str version = accept_version(http_request_header(outer, STR("accept")));
  bool has_version = version.ptr != NULL && http_request_header(outer, STR("api-version")).ptr == NULL;
  if (has_version) headers[count++] = (HttpHeader){STR("api-version"), arena_str(arena, version)};
  if (has_version && headers[count - 1].value.ptr == NULL) return false;
  for (size_t i = 0; i < outer->header_count; i++) {
    if (is_of_outer(outer->headers[i].name)) continue;
    HttpHeader *header = &headers[count++];
    *header = (HttpHeader){arena_str(arena, outer->headers[i].name), arena_str(arena, outer->headers[i].value)};
    if (header->name.ptr == NULL || header->value.ptr == NULL) return false;
  }
  ret->headers = headers;
  ret->header_count = count;
  return true;
}

HttpExchange *graphql_inner_create(const HttpExchange *outer, Str accept) {
  HttpExchange *exchange = http_inner_create(outer);
  if (exchange == NULL) return NULL;
  HttpRequest *request = &exchange->request;
  if (!fill_headers(&outer->request, accept, exchange->arena, request)) {
    http_inner_discard(exchange);
    return NULL;
  }
  request->method = HTTP_POST;
  request->method_text = STR("POST");
  request->target = request->path = STR("/graphql");
  return exchange;
}
