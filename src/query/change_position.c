#include "query/change_position.h"

#include "codec/base64.h"

enum { VARINT_BYTES_MAX = 9, FORM = 1 };

static size_t write_varint(uint64_t n, char *out) {
  size_t len = 0;
  for (; n >= 0x80; n >>= 7) out[len++] = (char)(n | 0x80);
  out[len++] = (char)n;
  return len;
}

Str change_position_write(const ChangePosition *position, char out[CHANGE_POSITION_BYTES_MAX]) {
  char bytes[1 + 3 * VARINT_BYTES_MAX] = {FORM};
  size_t len = 1;
  len += write_varint((uint64_t)position->from, bytes + len);
  len += write_varint((uint64_t)(position->to - position->from), bytes + len);
  len += write_varint((uint64_t)position->seq, bytes + len);
  Buf text = {.ptr = out, .cap = CHANGE_POSITION_BYTES_MAX, .max = CHANGE_POSITION_BYTES_MAX};
  base64url_write(&text, (Str){bytes, len});
  return buf_str(&text);
}

/* One number has one form: what ends in a byte of nothing was not written here. */
static bool read_varint(Str *rest, int64_t *ret) {
  uint64_t n = 0;
  for (size_t i = 0; i < VARINT_BYTES_MAX && i < rest->len; i++) {
    unsigned char byte = (unsigned char)rest->ptr[i];
    n |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte & 0x80) continue;
    if (byte == 0 && i > 0) return false;
    *rest = str_slice(*rest, i + 1, rest->len);
    *ret = (int64_t)n;
    return true;
  }
  return false;
}

bool change_position_parse(Str text, ChangePosition *ret) {
  char bytes[CHANGE_POSITION_BYTES_MAX];
  size_t len = 0;
  if (text.len >= CHANGE_POSITION_BYTES_MAX || !base64url_decode(text, bytes, &len) || len == 0 || bytes[0] != FORM) return false;
  Str rest = {bytes + 1, len - 1};
  int64_t from, span, seq;
  if (!read_varint(&rest, &from) || !read_varint(&rest, &span) || !read_varint(&rest, &seq) || rest.len > 0) return false;
  if (span > INT64_MAX - from) return false;
  *ret = (ChangePosition){.from = from, .to = from + span, .seq = seq};
  return true;
}
