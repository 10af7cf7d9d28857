/* fuzz_header.c - what is read from a request's headers stays within what it may be, and what nobody serves changes nothing. */
#include <string.h>

#include "api/header.h"
#include "property.h"
#include "server/compress.h"

static Coding choose(Str value) {
  HttpHeader header = {STR("accept-encoding"), value};
  return compress_choose(&(HttpRequest){.headers = &header, .header_count = 1});
}

static void check_codings(Str value, Arena *arena) {
  Coding coding = choose(value);
  PROPERTY(coding < CODING_COUNT);
  if (str_find_byte(value, '"', 0) < value.len) return; /* a quote that is left open takes in what follows */
  PROPERTY(choose(arena_printf(arena, "%.*s, deflate;q=0.3", STR_ARGS(value))) == coding || memchr(value.ptr, '\0', value.len) != NULL);
}

static void check_tags(Str value, Arena *arena) {
  Precondition all, strong;
  Code code = etag_list_parse(value, true, arena, &all, NULL);
  PROPERTY(code == CODE_OK || code == CODE_BAD_REQUEST);
  PROPERTY(etag_list_parse(value, false, arena, &strong, NULL) == code);
  if (code != CODE_OK) return;
  PROPERTY(all.is_given && all.is_any == strong.is_any && strong.etag_count <= all.etag_count);
  for (size_t i = 0; i < all.etag_count; i++) PROPERTY(str_find_byte(all.etags[i], '"', 0) == all.etags[i].len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  Str value = {size == 0 ? "" : (const char *)data, size}, type, parameters;
  check_codings(value, arena);
  check_tags(value, arena);
  int weight = accept_weight(value, STR("application/json"));
  PROPERTY(weight >= 0 && weight <= 1000);
  if (media_type_parse(value, &type, &parameters)) PROPERTY(str_find_byte(type, '/', 0) < type.len);
  Preferences preferences = prefer_parse(value);
  PROPERTY(!(preferences.is_minimal && preferences.is_representation) && !(preferences.is_lenient && preferences.is_strict));
  arena_destroy(arena);
  return 0;
}
