/* url.c - percent-encoding. */
#include "codec/url.h"

#include "base/utf8.h"

static int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  char lower = (char)(byte | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes text into `out`, which holds text.len bytes. False at a "%" that two hexadecimal digits don't follow. */
static bool decode_bytes(Str text, bool is_form, char *out, size_t *ret_len) {
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++) {
    char byte = text.ptr[i];
    if (byte == '%') {
      if (text.len - i < 3) return false;
      int high = hex_digit(text.ptr[i + 1]), low = hex_digit(text.ptr[i + 2]);
      if (high < 0 || low < 0) return false;
      byte = (char)(high * 16 + low);
      i += 2;
    } else if (byte == '+' && is_form) {
      byte = ' ';
    }
    out[len++] = byte;
  }
  *ret_len = len;
  return true;
}

static bool is_encoded(Str text, bool is_form) {
  if (memchr(text.ptr, '%', text.len) != NULL) return true;
  return is_form && memchr(text.ptr, '+', text.len) != NULL;
}

static Code decode(Str text, bool is_form, Arena *arena, Str *ret, Error *err) {
  Str decoded = text;
  if (text.len > 0 && is_encoded(text, is_form)) {
    char *bytes = arena_alloc(arena, text.len);
    TRY_ALLOC(bytes);
    size_t len = 0;
    if (!decode_bytes(text, is_form, bytes, &len))
      return error_set(err, CODE_BAD_REQUEST, "\"%%\" is not followed by two hexadecimal digits");
    decoded = (Str){bytes, len};
  }
  if (!utf8_is_valid(decoded)) return error_set(err, CODE_BAD_REQUEST, "it is not valid UTF-8");
  if (decoded.len > 0 && memchr(decoded.ptr, '\0', decoded.len) != NULL)
    return error_set(err, CODE_BAD_REQUEST, "it holds a NUL character");
  *ret = decoded;
  return CODE_OK;
}

Code url_decode_path(Str text, Arena *arena, Str *ret, Error *err) { return decode(text, false, arena, ret, err); }

Code url_decode_query(Str text, Arena *arena, Str *ret, Error *err) { return decode(text, true, arena, ret, err); }

/* RFC 3986 §2.3. */
static const bool is_unreserved[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
};

void url_encode(Buf *out, Str text) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len;) {
    size_t begin = i;
    while (i < text.len && is_unreserved[(unsigned char)text.ptr[i]]) i++;
    buf_add(out, (Str){text.ptr + begin, i - begin});
    if (i == text.len) return;
    unsigned char byte = (unsigned char)text.ptr[i++];
    char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    buf_add(out, (Str){encoded, 3});
  }
}
