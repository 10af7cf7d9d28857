/* json_write.c - writing JSON, compact. */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/json.h"

/* What stands behind the backslash: 0 where the byte is written as it is, 'u' where it needs \u00XX (RFC 8259 §7). */
static const char escapes[256] = {'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',         'u',
                                  'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\'};

/* High bits of the bytes that need an escape; a false hit above a true one does no harm, as the first one counts. */
static uint64_t bytes_to_escape(uint64_t word) {
  const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
  return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) & highs;
}

static size_t skip_plain(Str s, size_t at) {
  uint64_t word;
  for (; s.len - at >= sizeof word; at += sizeof word) {
    memcpy(&word, s.ptr + at, sizeof word);
    if (bytes_to_escape(word) != 0) break;
  }
  while (at < s.len && escapes[(unsigned char)s.ptr[at]] == 0) at++;
  return at;
}

static void write_escape(Buf *out, unsigned char byte) {
  char escape = escapes[byte];
  if (escape != 'u') {
    buf_add(out, (Str){(const char[2]){'\\', escape}, 2});
    return;
  }
  const char *hex = "0123456789abcdef";
  buf_add(out, (Str){(const char[6]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6});
}

/* Copies and looks in one pass; the last word overlaps the one before it. False where something needs an escape: then nothing of it counts.
 */
static bool copy_plain(char *to, Str s) {
  uint64_t word, found = 0;
  if (s.len < sizeof word) {
    char escape = 0;
    for (size_t i = 0; i < s.len; i++) {
      to[i] = s.ptr[i];
      escape |= escapes[(unsigned char)s.ptr[i]];
    }
    return escape == 0;
  }
  size_t last = s.len - sizeof word;
  for (size_t at = 0; at < last; at += sizeof word) {
    memcpy(&word, s.ptr + at, sizeof word);
    memcpy(to + at, &word, sizeof word);
    found |= bytes_to_escape(word);
  }
  memcpy(&word, s.ptr + last, sizeof word);
  memcpy(to + last, &word, sizeof word);
  return (found | bytes_to_escape(word)) == 0;
}

static void write_escaped(Buf *out, Str s) {
  buf_add_byte(out, '"');
  for (size_t at = 0; at < s.len;) {
    size_t plain_end = skip_plain(s, at);
    buf_add(out, (Str){s.ptr + at, plain_end - at});
    if (plain_end < s.len) write_escape(out, (unsigned char)s.ptr[plain_end]);
    at = plain_end + 1;
  }
  buf_add_byte(out, '"');
}

void json_write_string(Buf *out, Str s) {
  /* One check of room for what mostly needs no escape. */
  if (!buf_reserve(out, s.len + 2)) return;
  char *to = out->ptr + out->len;
  if (!copy_plain(to + 1, s)) {
    write_escaped(out, s);
    return;
  }
  to[0] = to[s.len + 1] = '"';
  out->len += s.len + 2;
}

/* Most numbers that people store have few digits: n is m / 10^places with both exact, so that the division rounds as reading the text
 * would. Fewer than 16 digits, hence no shorter text reads back as n. */
static bool write_short_decimal(Buf *out, double n) {
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  double size = fabs(n);
  if (size >= 1e9 || size < 1e-4) return false;
  for (int places = 1; places <= 6; places++) {
    double scaled = nearbyint(size * powers[places]);
    if (scaled / powers[places] != size) continue;
    int64_t m = (int64_t)scaled, unit = (int64_t)powers[places];
    if (n < 0) buf_add_byte(out, '-');
    buf_add_int64(out, m / unit);
    char fraction[8] = ".";
    int64_t rest = m % unit;
    for (int i = places; i > 0; i--, rest /= 10) fraction[i] = (char)('0' + rest % 10);
    buf_add(out, (Str){fraction, (size_t)places + 1});
    return true;
  }
  return false;
}

/* "1e+07" → "1e7". */
static size_t shorten_exponent(char *text, size_t len) {
  char *e = memchr(text, 'e', len);
  if (e == NULL) return len;
  char *from = e + 1, *to = e + 1, *end = text + len;
  if (*from == '-')
    *to++ = *from++;
  else if (*from == '+')
    from++;
  while (end - from > 1 && *from == '0') from++;
  memmove(to, from, (size_t)(end - from));
  return (size_t)(to - text) + (size_t)(end - from);
}

static const double integer_exact_max = 9007199254740992.0; /* 2^53: up to here every integer is a double */

void json_write_double(Buf *out, double n) {
  assert(isfinite(n)); /* JSON has no other numbers */
  if (fabs(n) < integer_exact_max && n == (double)(int64_t)n) {
    if (n == 0 && signbit(n)) buf_add_byte(out, '-');
    buf_add_int64(out, (int64_t)n);
    return;
  }
  if (write_short_decimal(out, n)) return;
  char text[40];
  int len = 0;
  /* 15 digits always survive, 17 always suffice. Below DBL_MIN there are fewer digits in a double. */
  for (int precision = fabs(n) < DBL_MIN ? 1 : DBL_DIG; precision <= 17; precision++) {
    len = snprintf(text, sizeof text, "%.*g", precision, n);
    if (strtod(text, NULL) == n) break;
  }
  buf_add(out, (Str){text, shorten_exponent(text, (size_t)len)});
}

/* Recursion is as deep as the value, which json_parse has bounded. */
void json_write(Buf *out, const JsonValue *value) {
  switch (value->type) {
    case JSON_NULL: buf_add(out, STR("null")); return;
    case JSON_BOOL: buf_add(out, value->boolean ? STR("true") : STR("false")); return;
    case JSON_NUMBER: buf_add(out, value->text); return;
    case JSON_STRING: json_write_string(out, value->text); return;
    case JSON_ARRAY:
      buf_add_byte(out, '[');
      for (size_t i = 0; i < value->count; i++) {
        if (i > 0) buf_add_byte(out, ',');
        json_write(out, &value->items[i]);
      }
      buf_add_byte(out, ']');
      return;
    case JSON_OBJECT:
      buf_add_byte(out, '{');
      for (size_t i = 0; i < value->count; i++) {
        if (i > 0) buf_add_byte(out, ',');
        json_write_string(out, value->members[i].name);
        buf_add_byte(out, ':');
        json_write(out, &value->members[i].value);
      }
      buf_add_byte(out, '}');
      return;
  }
  assert(false && "a JSON type");
}
