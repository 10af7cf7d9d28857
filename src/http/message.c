/* message.c - methods, statuses, fields. */
#include "http/message.h"

typedef struct MethodName {
  Str name;
  HttpMethod method;
} MethodName;

static const MethodName method_names[] = {
    {STR_INIT("GET"), HTTP_GET},     {STR_INIT("HEAD"), HTTP_HEAD},     {STR_INIT("POST"), HTTP_POST},       {STR_INIT("PUT"), HTTP_PUT},
    {STR_INIT("PATCH"), HTTP_PATCH}, {STR_INIT("DELETE"), HTTP_DELETE}, {STR_INIT("OPTIONS"), HTTP_OPTIONS},
};

/* The rest of IANA's registry of methods. */
static const Str other_methods[] = {
    STR_INIT("TRACE"),
    STR_INIT("CONNECT"),
    STR_INIT("ACL"),
    STR_INIT("BASELINE-CONTROL"),
    STR_INIT("BIND"),
    STR_INIT("CHECKIN"),
    STR_INIT("CHECKOUT"),
    STR_INIT("COPY"),
    STR_INIT("LABEL"),
    STR_INIT("LINK"),
    STR_INIT("LOCK"),
    STR_INIT("MERGE"),
    STR_INIT("MKACTIVITY"),
    STR_INIT("MKCALENDAR"),
    STR_INIT("MKCOL"),
    STR_INIT("MKREDIRECTREF"),
    STR_INIT("MKWORKSPACE"),
    STR_INIT("MOVE"),
    STR_INIT("ORDERPATCH"),
    STR_INIT("PROPFIND"),
    STR_INIT("PROPPATCH"),
    STR_INIT("QUERY"),
    STR_INIT("REBIND"),
    STR_INIT("REPORT"),
    STR_INIT("SEARCH"),
    STR_INIT("UNBIND"),
    STR_INIT("UNCHECKOUT"),
    STR_INIT("UNLINK"),
    STR_INIT("UNLOCK"),
    STR_INIT("UPDATE"),
    STR_INIT("UPDATEREDIRECTREF"),
    STR_INIT("VERSION-CONTROL"),
};

HttpMethod http_method_of(Str name) {
  for (size_t i = 0; i < sizeof method_names / sizeof *method_names; i++) {
    if (str_equal(name, method_names[i].name)) return method_names[i].method;
  }
  for (size_t i = 0; i < sizeof other_methods / sizeof *other_methods; i++) {
    if (str_equal(name, other_methods[i])) return HTTP_OTHER_KNOWN;
  }
  return HTTP_UNKNOWN;
}

/* Of those in HTTP_OTHER_KNOWN some are safe; as nothing serves them it does not matter. */
bool http_method_is_safe(HttpMethod method) { return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS; }

bool http_is_token(Str s) {
  static const char marks[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    bool is_alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    if (!is_alphanumeric && (c == '\0' || memchr(marks, c, sizeof marks - 1) == NULL)) return false;
  }
  return s.len > 0;
}

/* Eight bytes at a time: subtracting the limit sets a byte's high bit where the byte was below it; the high bits that were set before are
 * masked. A borrow into a neighbour can only come from a byte that is below the limit itself. */
bool http_has_byte_below(Str s, unsigned char limit) {
  const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
  uint64_t found = 0, word;
  size_t i = 0;
  for (; i + sizeof word <= s.len; i += sizeof word) {
    memcpy(&word, s.ptr + i, sizeof word);
    found |= (word - ones * limit) & ~word & highs;
  }
  for (; i < s.len; i++) found |= (unsigned char)s.ptr[i] < limit;
  return found != 0;
}

Str http_request_header(const HttpRequest *request, Str name) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (str_equal(request->headers[i].name, name)) return request->headers[i].value;
  }
  return (Str){NULL, 0};
}

bool http_list_next(Str *rest, Str *ret_member) {
  Str part;
  while (str_split_next(rest, ',', &part)) {
    part = str_trim(part);
    if (part.len == 0) continue;
    *ret_member = part;
    return true;
  }
  return false;
}

bool http_request_lists(const HttpRequest *request, Str name, Str member) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (!str_equal(request->headers[i].name, name)) continue;
    Str rest = request->headers[i].value, listed;
    while (http_list_next(&rest, &listed)) {
      if (str_equal_ignore_case(listed, member)) return true;
    }
  }
  return false;
}

size_t http_request_count(const HttpRequest *request, Str name) {
  size_t count = 0;
  for (size_t i = 0; i < request->header_count; i++) count += str_equal(request->headers[i].name, name);
  return count;
}

Str http_status_reason(int status) {
  switch (status) {
    case 100: return STR("Continue");
    case 101: return STR("Switching Protocols");
    case 103: return STR("Early Hints");
    case 200: return STR("OK");
    case 201: return STR("Created");
    case 202: return STR("Accepted");
    case 204: return STR("No Content");
    case 206: return STR("Partial Content");
    case 207: return STR("Multi-Status");
    case 301: return STR("Moved Permanently");
    case 302: return STR("Found");
    case 303: return STR("See Other");
    case 304: return STR("Not Modified");
    case 307: return STR("Temporary Redirect");
    case 308: return STR("Permanent Redirect");
    case 400: return STR("Bad Request");
    case 401: return STR("Unauthorized");
    case 403: return STR("Forbidden");
    case 404: return STR("Not Found");
    case 405: return STR("Method Not Allowed");
    case 406: return STR("Not Acceptable");
    case 408: return STR("Request Timeout");
    case 409: return STR("Conflict");
    case 410: return STR("Gone");
    case 411: return STR("Length Required");
    case 412: return STR("Precondition Failed");
    case 413: return STR("Content Too Large");
    case 414: return STR("URI Too Long");
    case 415: return STR("Unsupported Media Type");
    case 416: return STR("Range Not Satisfiable");
    case 417: return STR("Expectation Failed");
    case 421: return STR("Misdirected Request");
    case 422: return STR("Unprocessable Content");
    case 426: return STR("Upgrade Required");
    case 428: return STR("Precondition Required");
    case 429: return STR("Too Many Requests");
    case 431: return STR("Request Header Fields Too Large");
    case 500: return STR("Internal Server Error");
    case 501: return STR("Not Implemented");
    case 502: return STR("Bad Gateway");
    case 503: return STR("Service Unavailable");
    case 504: return STR("Gateway Timeout");
    case 505: return STR("HTTP Version Not Supported");
    case 507: return STR("Insufficient Storage");
    default: return STR("");
  }
}

void http_response_add_retry_after(HttpResponse *response, Arena *arena) {
  static const HttpHeader retry_after = {STR_INIT("retry-after"), STR_INIT("1")};
  for (size_t i = 0; i < response->header_count; i++) {
    if (str_equal(response->headers[i].name, retry_after.name)) return;
  }
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, response->header_count + 1);
  if (headers == NULL) return;
  if (response->header_count > 0) memcpy(headers, response->headers, response->header_count * sizeof *headers);
  headers[response->header_count++] = retry_after;
  response->headers = headers;
}
