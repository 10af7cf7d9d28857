/* utf8.c - decoding and encoding UTF-8. */
#include "base/utf8.h"

/* Eight bytes at once: text is mostly ASCII. */
static size_t skip_ascii(Str s, size_t at) {
  uint64_t word;
  while (s.len - at >= sizeof word) {
    memcpy(&word, s.ptr + at, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
    at += sizeof word;
  }
  while (at < s.len && (unsigned char)s.ptr[at] < 0x80) at++;
  return at;
}

bool utf8_is_valid(Str s) {
  for (size_t at = skip_ascii(s, 0); at < s.len; at = skip_ascii(s, at))
    if (utf8_next(s, &at) == UINT32_MAX) return false;
  return true;
}

size_t utf8_length(Str s) {
  size_t length = 0;
  for (size_t i = 0; i < s.len; i++) length += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
  return length;
}

/* How many bytes follow a first byte, and the bits that it gives itself. RFC 3629 §4: C0, C1 and F5 to FF never appear. */
static int lead_byte(unsigned char lead, uint32_t *ret_bits) {
  if (lead >= 0xC2 && lead <= 0xDF) return *ret_bits = lead & 0x1Fu, 1;
  if (lead >= 0xE0 && lead <= 0xEF) return *ret_bits = lead & 0x0Fu, 2;
  if (lead >= 0xF0 && lead <= 0xF4) return *ret_bits = lead & 0x07u, 3;
  return -1;
}

uint32_t utf8_next(Str s, size_t *at) {
  unsigned char lead = (unsigned char)s.ptr[*at];
  size_t start = (*at)++;
  if (lead < 0x80) return lead;
  uint32_t code_point;
  int more = lead_byte(lead, &code_point);
  if (more < 0 || (size_t)more > s.len - start - 1) return UINT32_MAX;
  for (int i = 1; i <= more; i++) {
    unsigned char byte = (unsigned char)s.ptr[start + (size_t)i];
    if ((byte & 0xC0) != 0x80) return UINT32_MAX;
    code_point = code_point << 6 | (byte & 0x3Fu);
  }
  static const uint32_t smallest[4] = {0, 0x80, 0x800, 0x10000};
  bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < smallest[more] || is_surrogate || code_point > 0x10FFFF) return UINT32_MAX;
  *at = start + 1 + (size_t)more;
  return code_point;
}

Str utf8_cut(Str s, size_t bytes_max) {
  if (s.len <= bytes_max) return s;
  while (bytes_max > 0 && ((unsigned char)s.ptr[bytes_max] & 0xC0) == 0x80) bytes_max--;
  return str_slice(s, 0, bytes_max);
}

size_t utf8_encode(uint32_t code_point, char out[4]) {
  if (code_point < 0x80) {
    out[0] = (char)code_point;
    return 1;
  }
  if (code_point < 0x800) {
    out[0] = (char)(0xC0 | code_point >> 6);
    out[1] = (char)(0x80 | (code_point & 0x3F));
    return 2;
  }
  if (code_point < 0x10000) {
    if (code_point >= 0xD800 && code_point <= 0xDFFF) return 0;
    out[0] = (char)(0xE0 | code_point >> 12);
    out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code_point & 0x3F));
    return 3;
  }
  if (code_point > 0x10FFFF) return 0;
  out[0] = (char)(0xF0 | code_point >> 18);
  out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
  out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
  out[3] = (char)(0x80 | (code_point & 0x3F));
  return 4;
}
