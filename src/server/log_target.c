#include "server/log_target.h"

#include "base/buf.h"
#include "codec/url.h"

/* "token", "t%6Fken". What can't be decoded names nothing that a face would take. */
static bool is_secret(Str name, Arena *arena, bool *ret_failed) {
  Str decoded;
  Error err;
  Code code = url_decode_query(name, arena, &decoded, &err);
  if (code == CODE_UNAVAILABLE) *ret_failed = true;
  return code == CODE_OK && str_equal(decoded, STR("token"));
}

static void add_pair(Buf *out, Str pair, Arena *arena, bool *ret_changed, bool *ret_failed) {
  size_t equals = str_find_byte(pair, '=', 0);
  bool is_hidden = equals < pair.len && is_secret(str_slice(pair, 0, equals), arena, ret_failed);
  buf_add(out, is_hidden ? str_slice(pair, 0, equals + 1) : pair);
  if (is_hidden) buf_add(out, STR("***"));
  *ret_changed = *ret_changed || is_hidden;
}

/* A name that may be it has its letters, or some of them as %XX. */
static bool may_have_secret(Str query) { return str_contains(query, STR("token")) || str_find_byte(query, '%', 0) < query.len; }

Str log_target(Str target, Arena *arena) {
  size_t mark = str_find_byte(target, '?', 0);
  Str rest = str_slice(target, mark, target.len), pair;
  if (rest.len == 0 || !may_have_secret(rest)) return target;
  rest = str_slice(rest, 1, rest.len);
  Buf out = buf_on(arena, 2 * target.len + 64);
  buf_add(&out, str_slice(target, 0, mark));
  bool is_changed = false, has_failed = false;
  for (char before = '?'; str_split_next(&rest, '&', &pair); before = '&') {
    buf_add_byte(&out, before);
    add_pair(&out, pair, arena, &is_changed, &has_failed);
  }
  if (has_failed || out.failed != CODE_OK) return str_slice(target, 0, mark);
  return is_changed ? buf_str(&out) : target;
}
