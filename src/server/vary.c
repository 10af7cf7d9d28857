/* vary.c - see vary.h. */
#include "server/vary.h"

#include "base/buf.h"
#include "http/message.h"

enum { VARY_BYTES_MAX = 4096 };

static bool is_vary(const HttpHeader *header) { return str_equal(header->name, STR("vary")); }

static bool has_member(Str list, Str wanted) {
  Str member;
  while (list.len > 0 && http_list_next(&list, &member))
    if (str_equal_ignore_case(member, wanted)) return true;
  return false;
}

static void add_members(Buf *joined, Str list) {
  Str member;
  while (list.len > 0 && http_list_next(&list, &member)) {
    if (has_member(buf_str(joined), member)) continue;
    if (joined->len > 0) buf_add(joined, STR(", "));
    buf_add(joined, member);
  }
}

static size_t drop_behind(HttpHeader *headers, size_t first, size_t count) {
  size_t kept = first + 1;
  for (size_t i = kept; i < count; i++)
    if (!is_vary(&headers[i])) headers[kept++] = headers[i];
  return kept;
}

size_t vary_join(HttpHeader *headers, size_t count, Arena *arena) {
  size_t first = 0, fields = 0;
  for (size_t i = count; i > 0; i--) {
    if (!is_vary(&headers[i - 1])) continue;
    first = i - 1;
    fields++;
  }
  if (fields < 2) return count;
  Buf joined = buf_on(arena, VARY_BYTES_MAX);
  for (size_t i = first; i < count; i++)
    if (is_vary(&headers[i])) add_members(&joined, headers[i].value);
  if (joined.failed != CODE_OK) return count;
  headers[first].value = buf_str(&joined);
  return drop_behind(headers, first, count);
}
