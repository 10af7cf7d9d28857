/* cors.c - an origin is compared byte for byte: scheme, host and port as browsers serialise them. */
#include "server/cors.h"

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool cors_origin_is_sound(Str origin) {
  const Str mark = STR("://");
  size_t at = str_find_byte(origin, ':', 0);
  if (str_equal(origin, STR("*"))) return true;
  if (at == 0 || !str_starts_with(str_slice(origin, at, origin.len), mark) || at + mark.len == origin.len) return false;
  for (size_t i = 0; i < origin.len; i++) {
    bool is_behind = i >= at + mark.len && (origin.ptr[i] == '/' || origin.ptr[i] == '?' || origin.ptr[i] == '#' || origin.ptr[i] == '@');
    if (is_behind || is_upper(origin.ptr[i]) || origin.ptr[i] <= ' ' || origin.ptr[i] == ',') return false;
  }
  bool is_default = (str_starts_with(origin, STR("http://")) && str_ends_with(origin, STR(":80"))) ||
                    (str_starts_with(origin, STR("https://")) && str_ends_with(origin, STR(":443")));
  return !is_default;
}

/* ptr NULL: it may not. */
static Str allowed_origin(OptionList allowed, Str origin) {
  for (size_t i = 0; origin.ptr != NULL && i < allowed.count; i++) {
    if (str_equal(allowed.items[i], STR("*"))) return STR("*");
    if (str_equal(allowed.items[i], origin)) return origin;
  }
  return (Str){NULL, 0};
}

size_t cors_headers(OptionList allowed, Str origin, HttpHeader ret[CORS_HEADERS_MAX]) {
  if (allowed.count == 0) return 0;
  Str answer = allowed_origin(allowed, origin);
  size_t count = 0;
  /* A cache must not give one origin's answer to another. */
  if (!str_equal(answer, STR("*"))) ret[count++] = (HttpHeader){STR("vary"), STR("Origin")};
  if (answer.ptr == NULL) return count;
  ret[count++] = (HttpHeader){STR("access-control-allow-origin"), answer};
  ret[count++] =
      (HttpHeader){STR("access-control-expose-headers"),
                   STR("Allow, Caisson-Position, Deprecation, ETag, Grpc-Message, Grpc-Status, Grpc-Status-Details-Bin, Link, Location, "
                       "Preference-Applied, Retry-After, Server-Timing, Sunset, Traceparent, "
                       "WWW-Authenticate, X-Request-Id")};
  return count;
}

bool cors_is_friend(OptionList allowed, Str origin, Str authority) {
  if (origin.ptr == NULL || allowed_origin(allowed, origin).ptr != NULL) return true;
  static const Str schemes[] = {STR_INIT("http://"), STR_INIT("https://")};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    if (str_starts_with(origin, schemes[i])) return str_equal_ignore_case(str_slice(origin, schemes[i].len, origin.len), authority);
  }
  return false;
}

bool cors_preflight(OptionList allowed, const HttpRequest *request, Str origin, Arena *arena, HttpResponse *ret) {
  if (request->method != HTTP_OPTIONS || allowed_origin(allowed, origin).ptr == NULL) return false;
  if (http_request_header(request, STR("access-control-request-method")).ptr == NULL) return false;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, 3);
  size_t count = 0;
  if (headers != NULL) {
    Str wanted = http_request_header(request, STR("access-control-request-headers"));
    headers[count++] = (HttpHeader){STR("access-control-allow-methods"), STR("GET, HEAD, POST, PUT, PATCH, DELETE")};
    if (wanted.ptr != NULL) headers[count++] = (HttpHeader){STR("access-control-allow-headers"), wanted};
    headers[count++] = (HttpHeader){STR("access-control-max-age"), STR("600")};
  }
  *ret = (HttpResponse){.status = 204, .headers = headers, .header_count = count};
  return true;
}
