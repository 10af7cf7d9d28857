/* json_out.h - JSON piece by piece: commas are put where they belong. What is opened is closed by its caller; errors are the buffer's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/json.h"

typedef struct JsonOut {
  Buf *buf;
  bool needs_comma;
} JsonOut;

static inline void json_out_separate(JsonOut *out) {
  if (out->needs_comma) buf_add_byte(out->buf, ',');
  out->needs_comma = true;
}
static inline void json_out_open(JsonOut *out, char bracket) {
  json_out_separate(out);
  buf_add_byte(out->buf, bracket);
  out->needs_comma = false;
}
static inline void json_out_close(JsonOut *out, char bracket) {
  buf_add_byte(out->buf, bracket);
  out->needs_comma = true;
}
static inline void json_out_key(JsonOut *out, Str name) {
  json_out_separate(out);
  json_write_string(out->buf, name);
  buf_add_byte(out->buf, ':');
  out->needs_comma = false;
}
static inline void json_out_text(JsonOut *out, Str text) {
  json_out_separate(out);
  json_write_string(out->buf, text);
}
static inline void json_out_int(JsonOut *out, int64_t n) {
  json_out_separate(out);
  buf_add_int64(out->buf, n);
}
static inline void json_out_bool(JsonOut *out, bool value) {
  json_out_separate(out);
  buf_add(out->buf, value ? STR("true") : STR("false"));
}
/* JSON that is already written. */
static inline void json_out_raw(JsonOut *out, Str json) {
  json_out_separate(out);
  buf_add(out->buf, json);
}
static inline void json_out_value(JsonOut *out, const JsonValue *value) {
  json_out_separate(out);
  json_write(out->buf, value);
}

/* A member and its value. */
static inline void json_out_member_text(JsonOut *out, Str name, Str text) {
  json_out_key(out, name);
  json_out_text(out, text);
}
static inline void json_out_member_int(JsonOut *out, Str name, int64_t n) {
  json_out_key(out, name);
  json_out_int(out, n);
}
static inline void json_out_member_bool(JsonOut *out, Str name, bool value) {
  json_out_key(out, name);
  json_out_bool(out, value);
}
static inline void json_out_member_raw(JsonOut *out, Str name, Str json) {
  json_out_key(out, name);
  json_out_raw(out, json);
}
static inline void json_out_member_open(JsonOut *out, Str name, char bracket) {
  json_out_key(out, name);
  json_out_open(out, bracket);
}
