/* base64.c - three bytes are four letters. */
#include "codec/base64.h"

#include <stdint.h>

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL_SAFE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int letter_value(char letter, const char *alphabet) {
  if (letter >= 'A' && letter <= 'Z') return letter - 'A';
  if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
  if (letter >= '0' && letter <= '9') return letter - '0' + 52;
  if (letter == alphabet[62]) return 62;
  return letter == alphabet[63] ? 63 : -1;
}

/* Letters without padding. */
static bool decode(Str text, const char *alphabet, char *out, size_t *ret_len) {
  if (text.len % 4 == 1) return false;
  uint32_t bits = 0;
  int bit_count = 0;
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++) {
    int value = letter_value(text.ptr[i], alphabet);
    if (value < 0) return false;
    bits = bits << 6 | (uint32_t)value;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out[len++] = (char)(bits >> bit_count & 0xff);
    bits &= (1U << bit_count) - 1;
  }
  /* RFC 4648 §3.5: bits that no byte takes are zero, so that each value has one text. */
  if (bits != 0) return false;
  *ret_len = len;
  return true;
}

bool base64_decode(Str text, char *out, size_t *ret_len) {
  if (text.len % 4 != 0) return false;
  Str letters = text;
  while (letters.len > 0 && text.len - letters.len < 2 && letters.ptr[letters.len - 1] == '=') letters.len--;
  return decode(letters, STANDARD, out, ret_len);
}

bool base64url_decode(Str text, char *out, size_t *ret_len) { return decode(text, URL_SAFE, out, ret_len); }

/* Returns behind the last letter written. */
static char *encode(Str bytes, const char *alphabet, char *to) {
  const unsigned char *from = (const unsigned char *)bytes.ptr;
  size_t left = bytes.len;
  for (; left >= 3; left -= 3, from += 3) {
    *to++ = alphabet[from[0] >> 2];
    *to++ = alphabet[(from[0] & 3) << 4 | from[1] >> 4];
    *to++ = alphabet[(from[1] & 15) << 2 | from[2] >> 6];
    *to++ = alphabet[from[2] & 63];
  }
  if (left == 0) return to;
  *to++ = alphabet[from[0] >> 2];
  *to++ = alphabet[(from[0] & 3) << 4 | (left == 2 ? from[1] >> 4 : 0)];
  if (left == 2) *to++ = alphabet[(from[1] & 15) << 2];
  return to;
}

static bool reserve_letters(Buf *out, size_t byte_count) {
  return byte_count < SIZE_MAX / 2 ? buf_reserve(out, (byte_count + 2) / 3 * 4) : buf_reserve(out, SIZE_MAX / 2);
}

void base64_write(Buf *out, Str bytes) {
  if (bytes.len == 0 || !reserve_letters(out, bytes.len)) return;
  char *begin = out->ptr + out->len;
  char *end = encode(bytes, STANDARD, begin);
  while ((end - begin) % 4 != 0) *end++ = '=';
  out->len += (size_t)(end - begin);
}

void base64url_write(Buf *out, Str bytes) {
  if (bytes.len == 0 || !reserve_letters(out, bytes.len)) return;
  char *begin = out->ptr + out->len;
  out->len += (size_t)(encode(bytes, URL_SAFE, begin) - begin);
}

bool base64url_parse(Str text, Arena *arena, Str *ret) {
  char *bytes = arena_alloc(arena, base64_decoded_max(text.len));
  size_t len = 0;
  if (bytes == NULL || !base64url_decode(text, bytes, &len)) return false;
  *ret = (Str){bytes, len};
  return true;
}
