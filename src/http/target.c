/* target.c - what a request is for: the forms of a target, and the authority. */
#include "http/target.h"

#include "http/message.h"

/* What may stand in a request target: visible ASCII but for what RFC 3986 allows nowhere and "#", whose part is never sent. Brackets,
 * braces and the like, which clients send raw in queries, do no harm. */
static bool target_is_clean(Str target) {
  if (http_has_byte_below(target, ' ' + 1) || memchr(target.ptr, '#', target.len) != NULL) return false;
  for (size_t i = 0; i < target.len; i++) {
    if ((unsigned char)target.ptr[i] >= 0x7f) return false;
  }
  return true;
}

/* A registered name's characters (RFC 3986 §3.2.2); those of an address in brackets are these and ":". */
static bool is_host_byte(unsigned char c) {
  static const bool is_allowed[256] = {
      ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true,  ['.'] = true, ['_'] = true, ['~'] = true,
      ['!'] = true,         ['$'] = true,         ['&'] = true,         ['\''] = true, ['('] = true, [')'] = true, ['*'] = true,
      ['+'] = true,         [','] = true,         [';'] = true,         ['='] = true,  ['%'] = true,
  };
  return is_allowed[c];
}

/* Where the host ends, which is before the port's ":"; false: it is none. */
static bool host_end(Str authority, size_t *ret) {
  size_t at = 0;
  bool is_address = authority.len > 0 && authority.ptr[0] == '[';
  if (is_address) at++;
  while (at < authority.len && (is_host_byte((unsigned char)authority.ptr[at]) || (is_address && authority.ptr[at] == ':'))) at++;
  if (is_address && (at == 1 || at == authority.len || authority.ptr[at++] != ']')) return false;
  *ret = at;
  return at == authority.len || authority.ptr[at] == ':';
}

Str http_authority_host(Str authority) {
  size_t end;
  return host_end(authority, &end) ? str_slice(authority, 0, end) : (Str){NULL, 0};
}

bool http_authority_is_valid(Str authority) {
  size_t at;
  if (!host_end(authority, &at)) return false;
  while (++at < authority.len) {
    if (authority.ptr[at] < '0' || authority.ptr[at] > '9') return false;
  }
  return true;
}

static void split_path(HttpRequest *request, Str path) {
  size_t mark = str_find_byte(path, '?', 0);
  request->path = str_slice(path, 0, mark);
  request->query = mark < path.len ? str_slice(path, mark + 1, path.len) : (Str){NULL, 0};
}

/* RFC 9112 §3.2: the four forms. */
bool http_target_parse(HttpRequest *request) {
  Str target = request->target;
  if (!target_is_clean(target)) return false;
  if (target.ptr[0] == '/') {
    split_path(request, target);
    return true;
  }
  bool is_http = target.len > 7 && str_equal_ignore_case(str_slice(target, 0, 7), STR("http://"));
  bool is_https = target.len > 8 && str_equal_ignore_case(str_slice(target, 0, 8), STR("https://"));
  if (is_http || is_https) {
    Str rest = str_slice(target, is_http ? 7 : 8, target.len);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?') end++;
    request->authority = str_slice(rest, 0, end);
    split_path(request, str_slice(rest, end, rest.len));
    /* RFC 9112 §3.2.4: an OPTIONS for the server as a whole, through a proxy. */
    if (request->path.len == 0) request->path = request->method == HTTP_OPTIONS && request->query.ptr == NULL ? STR("*") : STR("/");
    return end > 0 && http_authority_is_valid(request->authority);
  }
  if (request->method == HTTP_OPTIONS && str_equal(target, STR("*"))) {
    request->path = target;
    return true;
  }
  return false;
}
