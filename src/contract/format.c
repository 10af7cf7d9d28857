/* format.c - small hand-written recognisers; each reads its text once. */
#include "contract/format.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

static size_t digits_end(Str text, size_t at) {
  while (at < text.len && is_digit(text.ptr[at])) at++;
  return at;
}

bool number_is_well_formed(Str text) {
  size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
  size_t integer = at;
  at = digits_end(text, at);
  if (at == integer || (at - integer > 1 && text.ptr[integer] == '0')) return false;
  if (at < text.len && text.ptr[at] == '.') {
    size_t fraction = at + 1;
    at = digits_end(text, fraction);
    if (at == fraction) return false;
  }
  if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
    at++;
    if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-')) at++;
    size_t exponent = at;
    at = digits_end(text, exponent);
    if (at == exponent) return false;
  }
  return at == text.len;
}

/* Clamped: no text is long enough to outweigh more. */
static int64_t exponent_of(Str text, size_t at) {
  bool is_negative = at < text.len && text.ptr[at] == '-';
  if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+')) at++;
  int64_t exponent = 0;
  for (; at < text.len; at++) {
    if (exponent < INT64_C(1) << 40) exponent = exponent * 10 + (text.ptr[at] - '0');
  }
  return is_negative ? -exponent : exponent;
}

bool number_is_integral(Str text) {
  size_t mantissa_end = 0, point = SIZE_MAX, last_nonzero = SIZE_MAX;
  for (; mantissa_end < text.len && text.ptr[mantissa_end] != 'e' && text.ptr[mantissa_end] != 'E'; mantissa_end++) {
    char c = text.ptr[mantissa_end];
    if (c == '.') point = mantissa_end;
    if (is_digit(c) && c != '0') last_nonzero = mantissa_end;
  }
  if (last_nonzero == SIZE_MAX) return true;
  int64_t exponent = mantissa_end < text.len ? exponent_of(text, mantissa_end + 1) : 0;
  if (point == SIZE_MAX) point = mantissa_end;
  /* The power of ten of the last digit that counts. */
  int64_t power = last_nonzero < point ? (int64_t)(point - last_nonzero) - 1 : -(int64_t)(last_nonzero - point);
  return power + exponent >= 0;
}

static bool domain_is_valid(Str domain) {
  Str rest = domain, label = {0};
  size_t labels = 0;
  for (; str_split_next(&rest, '.', &label); labels++) {
    if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-') return false;
    for (size_t i = 0; i < label.len; i++) {
      if (!is_letter(label.ptr[i]) && !is_digit(label.ptr[i]) && label.ptr[i] != '-') return false;
    }
  }
  return labels > 0;
}

bool email_is_valid(Str text) {
  size_t at = str_find_byte(text, '@', 0);
  if (at == 0 || at > 64 || at == text.len || text.len > 254) return false;
  for (size_t i = 0; i < at; i++) {
    char c = text.ptr[i];
    if (!is_letter(c) && !is_digit(c) && strchr(".!#$%&'*+/=?^_`{|}~-", c) == NULL) return false;
  }
  return domain_is_valid(str_slice(text, at + 1, text.len));
}

static bool url_characters_are_valid(Str text) {
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    if (c <= ' ' || c == 0x7F || strchr("\"<>\\^`{|}", c) != NULL) return false;
    if (c == '%' && (i + 2 >= text.len || !is_hex(text.ptr[i + 1]) || !is_hex(text.ptr[i + 2]))) return false;
  }
  return true;
}

/* [user@]host[:port] */
static bool url_authority_is_valid(Str authority) {
  for (size_t i = authority.len; i > 0; i--) {
    if (authority.ptr[i - 1] != '@') continue;
    authority = str_slice(authority, i, authority.len);
    break;
  }
  bool is_literal = authority.len > 0 && authority.ptr[0] == '[';
  size_t host_end = is_literal ? str_find_byte(authority, ']', 0) + 1 : str_find_byte(authority, ':', 0);
  if (host_end > authority.len || host_end == 0 || (is_literal && host_end < 4)) return false;
  for (size_t i = is_literal ? 1 : 0; i + is_literal < host_end; i++) {
    char c = authority.ptr[i];
    if (is_literal ? !is_hex(c) && c != ':' && c != '.' : c == '[' || c == ']') return false;
  }
  Str port = str_slice(authority, host_end, authority.len);
  if (port.len == 0) return true;
  int64_t number = 0;
  if (port.ptr[0] != ':') return false;
  port = str_slice(port, 1, port.len);
  return port.len == 0 || (is_digit(port.ptr[0]) && str_parse_int64(port, &number) && number <= 65535);
}

bool url_is_valid(Str text) {
  size_t colon = str_find_byte(text, ':', 0);
  if (colon == 0 || colon == text.len || !is_letter(text.ptr[0]) || !url_characters_are_valid(text)) return false;
  for (size_t i = 1; i < colon; i++) {
    char c = text.ptr[i];
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return false;
  }
  if (!str_starts_with(str_slice(text, colon, text.len), STR("://"))) return false;
  size_t begin = colon + 3, end = begin;
  while (end < text.len && text.ptr[end] != '/' && text.ptr[end] != '?' && text.ptr[end] != '#') end++;
  return url_authority_is_valid(str_slice(text, begin, end));
}
