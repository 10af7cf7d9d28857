/* freshness.c - see freshness.h. A position is written in hexadecimal digits and means nothing to anybody but the store. */
#include "server/freshness.h"

#include <inttypes.h>

enum { POSITION_DIGITS_MAX = 16 };

/* A cookie outlives what it is for by far; it ends soon all the same, should the database ever be put back to an older state. */
#define COOKIE_ATTRIBUTES "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"

static const Str NAME = STR_INIT("caisson-position");

static uint64_t parse_position(Str text) {
  uint64_t position = 0;
  if (text.len == 0 || text.len > POSITION_DIGITS_MAX) return 0;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'f';
    if (!is_digit && !is_letter) return 0;
    position = position << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
  }
  return position;
}

static uint64_t newer(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* RFC 6265 §4.2.1: pairs, each behind "; ". */
static uint64_t of_cookies(Str cookies) {
  uint64_t position = 0;
  Str rest = cookies, pair;
  while (str_split_next(&rest, ';', &pair)) {
    pair = str_trim(pair);
    size_t equals = str_find_byte(pair, '=', 0);
    if (equals < pair.len && str_equal(str_slice(pair, 0, equals), NAME))
      position = newer(position, parse_position(str_slice(pair, equals + 1, pair.len)));
  }
  return position;
}

uint64_t freshness_of(const HttpRequest *request) {
  uint64_t position = 0;
  for (size_t i = 0; i < request->header_count; i++) {
    const HttpHeader *header = &request->headers[i];
    if (str_equal(header->name, NAME)) position = newer(position, parse_position(str_trim(header->value)));
    if (str_equal(header->name, STR("cookie"))) position = newer(position, of_cookies(header->value));
  }
  return position;
}

size_t freshness_headers(uint64_t position, Arena *arena, HttpHeader ret[FRESHNESS_HEADERS_MAX]) {
  Str text = arena_printf(arena, "%" PRIx64, position);
  Str cookie = arena_printf(arena, "caisson-position=%" PRIx64 COOKIE_ATTRIBUTES, position);
  if (text.ptr == NULL || cookie.ptr == NULL) return 0;
  ret[0] = (HttpHeader){NAME, text};
  ret[1] = (HttpHeader){STR("set-cookie"), cookie};
  return 2;
}
