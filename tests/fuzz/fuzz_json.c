/* fuzz_json.c - what is parsed can be written, reads back equal, and is then written in the same way; an error says where it is. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "property.h"

static void check_numbers(const JsonValue *value) {
  int64_t integer;
  double number, again;
  if (value->type == JSON_NUMBER) {
    Buf out = buf_on_heap(64);
    if (json_number_to_int64(value->text, &integer)) {
      buf_add_int64(&out, integer);
      JsonValue written = {.type = JSON_NUMBER, .text = buf_str(&out)};
      PROPERTY(json_equal(value, &written));
    }
    if (json_number_to_double(value->text, &number)) {
      buf_clear(&out);
      json_write_double(&out, number);
      PROPERTY(json_number_to_double(buf_str(&out), &again) && memcmp(&number, &again, sizeof number) == 0);
    }
    buf_done(&out);
  }
  for (size_t i = 0; i < value->count; i++) check_numbers(value->type == JSON_ARRAY ? &value->items[i] : &value->members[i].value);
}

static void check_value(const JsonValue *value, Arena *arena) {
  Buf once = buf_on(arena, SIZE_MAX), twice = buf_on(arena, SIZE_MAX);
  json_write(&once, value);
  PROPERTY(once.failed == CODE_OK && utf8_is_valid(buf_str(&once)));
  JsonValue again;
  PROPERTY(json_parse(buf_str(&once), JSON_DEPTH_DEFAULT, arena, &again, NULL) == CODE_OK);
  PROPERTY(json_equal(value, &again) && json_equal(&again, value));
  json_write(&twice, &again);
  PROPERTY(str_equal(buf_str(&once), buf_str(&twice)));
  check_numbers(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  JsonValue value;
  Error err = {0};
  Code code = json_parse((Str){(const char *)data, size}, JSON_DEPTH_DEFAULT, arena, &value, &err);
  if (code == CODE_OK) {
    check_value(&value, arena);
  } else {
    PROPERTY(code == CODE_BAD_REQUEST || code == CODE_TOO_LARGE);
    PROPERTY(err.code == code && err.text[0] != '\0' && utf8_is_valid(str_of(err.text)));
  }
  arena_destroy(arena);
  return 0;
}
