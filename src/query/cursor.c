#include "query/cursor.h"

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/hash.h"

enum { SEAL_BYTES = 8 };

static bool is_textual(ValueType type) { return type == VALUE_DECIMAL || type == VALUE_TEXT || type == VALUE_BYTES || type == VALUE_JSON; }

static void add_key(Buf *out, const Value *key) {
  buf_add_byte(out, (char)key->type);
  if (key->type == VALUE_NULL) return;
  if (is_textual(key->type)) {
    uint32_t len = (uint32_t)key->text.len;
    buf_add(out, (Str){(const char *)&len, sizeof len});
    buf_add(out, key->text);
  } else if (key->type == VALUE_FLOAT) {
    buf_add(out, (Str){(const char *)&key->number, sizeof key->number});
  } else {
    int64_t integer = key->type == VALUE_BOOL ? key->boolean : key->integer;
    buf_add(out, (Str){(const char *)&integer, sizeof integer});
  }
}

Str cursor_write(const Cursor *cursor, uint64_t list_hash, Arena *arena) {
  Buf bytes = buf_on(arena, CURSOR_TEXT_MAX);
  buf_add(&bytes, (Str){"\0\0\0\0\0\0\0\0", SEAL_BYTES});
  buf_add_byte(&bytes, cursor->is_inclusive ? 1 : 0);
  for (size_t i = 0; i < cursor->key_count; i++) add_key(&bytes, &cursor->keys[i]);
  if (bytes.failed != CODE_OK) return (Str){0};
  uint64_t seal = hash64_seeded((Str){bytes.ptr + SEAL_BYTES, bytes.len - SEAL_BYTES}, list_hash);
  memcpy(bytes.ptr, &seal, SEAL_BYTES);
  Buf text = buf_on(arena, CURSOR_TEXT_MAX);
  base64url_write(&text, buf_str(&bytes));
  return text.failed == CODE_OK ? buf_str(&text) : (Str){0};
}

static bool take(Str *rest, void *out, size_t size) {
  if (rest->len < size) return false;
  memcpy(out, rest->ptr, size);
  *rest = str_slice(*rest, size, rest->len);
  return true;
}

static bool take_key(Str *rest, Value *ret) {
  uint8_t type = 0;
  if (!take(rest, &type, 1) || type > VALUE_JSON) return false;
  ret->type = (ValueType)type;
  if (ret->type == VALUE_NULL) return true;
  if (is_textual(ret->type)) {
    uint32_t len = 0;
    if (!take(rest, &len, sizeof len) || rest->len < len) return false;
    ret->text = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return true;
  }
  if (ret->type == VALUE_FLOAT) return take(rest, &ret->number, sizeof ret->number);
  int64_t integer = 0;
  if (!take(rest, &integer, sizeof integer)) return false;
  if (ret->type == VALUE_BOOL)
    ret->boolean = integer != 0;
  else
    ret->integer = integer;
  return true;
}

static bool parse_bytes(Str bytes, uint64_t list_hash, size_t key_count, Value *keys, bool *ret_inclusive) {
  uint64_t seal = 0;
  Str rest = bytes;
  if (!take(&rest, &seal, SEAL_BYTES) || seal != hash64_seeded(rest, list_hash)) return false;
  uint8_t flags = 0;
  if (!take(&rest, &flags, 1)) return false;
  for (size_t i = 0; i < key_count; i++) {
    if (!take_key(&rest, &keys[i])) return false;
  }
  *ret_inclusive = flags != 0;
  return rest.len == 0;
}

Code cursor_parse(Str text, uint64_t list_hash, size_t key_count, Arena *arena, Cursor *ret, Error *err) {
  bool is_inclusive = false;
  Value *keys = ARENA_ARRAY(arena, Value, key_count);
  char *bytes = arena_alloc(arena, base64_decoded_max(text.len));
  size_t len = 0;
  TRY_ALLOC(keys);
  TRY_ALLOC(bytes);
  if (text.len > CURSOR_TEXT_MAX || !base64url_decode(text, bytes, &len) ||
      !parse_bytes((Str){bytes, len}, list_hash, key_count, keys, &is_inclusive)) {
    return error_set(err, CODE_BAD_REQUEST, "the cursor is not one of this list (same resource, filter and sort); begin again without it");
  }
  *ret = (Cursor){.is_inclusive = is_inclusive, .keys = keys, .key_count = key_count};
  return CODE_OK;
}
