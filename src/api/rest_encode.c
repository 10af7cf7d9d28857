/* rest_encode.c - typed values to JSON (INTERFACE §2, "Values in JSON"). */
#include "api/rest_encode.h"

#include "api/answer_limit.h"
#include "base/datetime.h"
#include "base/decimal.h"
#include "codec/base64.h"
#include "codec/json.h"

static void write_row(const RestMap *map, const Selection *selection, const Value *values, Buf *out);

/* A few bytes of known length are cheaper without a call. */
#define ADD_LITERAL(out, literal)                                                                                                          \
  do {                                                                                                                                     \
    if (buf_reserve((out), sizeof(literal) - 1)) {                                                                                         \
      memcpy((out)->ptr + (out)->len, "" literal, sizeof(literal) - 1);                                                                    \
      (out)->len += sizeof(literal) - 1;                                                                                                   \
    }                                                                                                                                      \
  } while (0)

static void write_bool(bool value, Buf *out) {
  if (value) {
    ADD_LITERAL(out, "true");
  } else {
    ADD_LITERAL(out, "false");
  }
}

static void write_quoted(Buf *out, const char *bytes, size_t len) {
  if (!buf_reserve(out, len + 2)) return;
  char *to = out->ptr + out->len;
  to[0] = '"';
  memcpy(to + 1, bytes, len);
  to[len + 1] = '"';
  out->len += len + 2;
}

static void write_integer(const RestKey *key, int64_t n, Buf *out) {
  bool is_quoted = key != NULL && key->is_quoted;
  if (is_quoted) buf_add_byte(out, '"');
  buf_add_int64(out, n);
  if (is_quoted) buf_add_byte(out, '"');
}

/* A sum may have more digits than any Decimal. */
static void write_long_decimal(Str canonical, size_t scale, Buf *out) {
  size_t digits = decimal_scale(canonical);
  buf_add_byte(out, '"');
  buf_add(out, canonical);
  if (digits == 0 && scale > 0) buf_add_byte(out, '.');
  for (size_t i = digits; i < scale; i++) buf_add_byte(out, '0');
  buf_add_byte(out, '"');
}

/* A value with more fraction digits than the scale (an older contract's row) is told as it is: never rounded. */
static void write_decimal(const RestKey *key, Str canonical, Buf *out) {
  DecimalText fixed;
  if (key == NULL || key->scale < 0) {
    write_quoted(out, canonical.ptr, canonical.len);
  } else if (decimal_format(canonical, (size_t)key->scale, &fixed)) {
    write_quoted(out, fixed.bytes, fixed.len);
  } else {
    write_long_decimal(canonical, (size_t)key->scale, out);
  }
}

static void write_timestamp(int64_t us, Buf *out) {
  char text[TIMESTAMP_TEXT_MAX];
  write_quoted(out, text, timestamp_write(us, text));
}

static void write_date(int64_t days, Buf *out) {
  char text[DATE_TEXT_MAX];
  write_quoted(out, text, date_write(days, text));
}

static void write_bytes(Str bytes, Buf *out) {
  buf_add_byte(out, '"');
  base64_write(out, bytes);
  buf_add_byte(out, '"');
}

static void write_list(const RestMap *map, const RestKey *key, const ValueList *list, Buf *out) {
  buf_add_byte(out, '[');
  for (size_t i = 0; i < list->count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    rest_write_value(map, key, NULL, &list->items[i], out);
  }
  buf_add_byte(out, ']');
}

static void write_cursor(Str cursor, Buf *out) {
  if (cursor.ptr == NULL) {
    ADD_LITERAL(out, "null");
  } else {
    json_write_string(out, cursor);
  }
}

/* A nested list has the shape of a list; it is continued at the sub-resource, forwards. */
static void write_rows(const RestMap *map, const Selection *nested, const ResultRows *rows, Buf *out) {
  buf_add(out, STR("{\"items\":["));
  for (size_t i = 0; i < rows->count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    write_row(map, nested, rows->rows[i], out);
  }
  buf_add(out, STR("],\"nextCursor\":"));
  write_cursor(rows->next_cursor, out);
  if (rows->has_total) {
    buf_add(out, STR(",\"count\":"));
    buf_add_int64(out, rows->total);
  }
  buf_add_byte(out, '}');
}

void rest_write_value(const RestMap *map, const RestKey *key, const Selection *nested, const Value *value, Buf *out) {
  switch (value->type) {
    case VALUE_NULL: ADD_LITERAL(out, "null"); break;
    case VALUE_BOOL: write_bool(value->boolean, out); break;
    case VALUE_INT: write_integer(key, value->integer, out); break;
    case VALUE_FLOAT: json_write_double(out, value->number); break;
    case VALUE_DECIMAL: write_decimal(key, value->text, out); break;
    case VALUE_TEXT: json_write_string(out, value->text); break;
    case VALUE_BYTES: write_bytes(value->text, out); break;
    case VALUE_TIMESTAMP: write_timestamp(value->integer, out); break;
    case VALUE_DATE: write_date(value->integer, out); break;
    case VALUE_DURATION: buf_add_int64(out, value->integer); break; /* no field has this type */
    case VALUE_JSON: buf_add(out, value->text); break;
    case VALUE_LIST: write_list(map, key, &value->list, out); break;
    case VALUE_ROW: write_row(map, nested, value->row, out); break;
    case VALUE_ROWS: write_rows(map, nested, value->rows, out); break;
  }
}

static void write_key(const RestKey *key, Buf *out) {
  size_t len = key->text.len;
  if (len > REST_KEY_HEAD) {
    buf_add(out, key->text);
  } else if (buf_reserve(out, REST_KEY_HEAD)) {
    memcpy(out->ptr + out->len, key->head, REST_KEY_HEAD);
    out->len += len;
  }
}

/* Recursion goes as deep as the selection, which --nesting-max bounds. */
static void write_row(const RestMap *map, const Selection *selection, const Value *values, Buf *out) {
  size_t begin = out->len;
  for (size_t i = 0; i < selection->count; i++) {
    const SelectionItem *item = &selection->items[i];
    const RestKey *key = item->face;
    write_key(key, out);
    rest_write_value(map, key, item->nested, &values[i], out);
  }
  if (selection->count == 0) {
    buf_add_byte(out, '{');
  } else if (out->failed == CODE_OK) {
    out->ptr[begin] = '{'; /* over the first member's comma */
  }
  buf_add_byte(out, '}');
}

void rest_write_row(const RestMap *map, const Selection *selection, const Value *values, Buf *out) {
  write_row(map, selection, values, out);
}

void rest_write_list_end(const Result *result, Buf *out) {
  buf_add(out, STR("],\"nextCursor\":"));
  write_cursor(result->next_cursor, out);
  buf_add(out, STR(",\"prevCursor\":"));
  write_cursor(result->prev_cursor, out);
  if (result->has_total) {
    buf_add(out, STR(",\"count\":"));
    buf_add_int64(out, result->total);
  }
  buf_add_byte(out, '}');
}

/* ---- The sink ---- */

/* What several sinks may hold together. Their rows may come on different threads. */
static Code budget_take(RestSink *sink, Error *err) {
  size_t more = sink->out.len - sink->counted_bytes;
  sink->counted_bytes = sink->out.len;
  if (atomic_fetch_add_explicit(&sink->budget->bytes, more, memory_order_relaxed) + more <= sink->budget->bytes_max) return CODE_OK;
  return answer_too_large(sink->budget->bytes_max, "rows or fields", err);
}

static Code sink_row(ResultSink *base, const Selection *selection, const Value *values, Error *err) {
  RestSink *sink = (RestSink *)base;
  if (sink->row_count++ > 0) buf_add_byte(&sink->out, ',');
  write_row(sink->map, selection, values, &sink->out);
  if (sink->has_row_ends && !VEC_PUSH(sink->out.arena, &sink->row_ends, sink->out.len)) return error_no_memory(err);
  if (sink->out.failed == CODE_OK) return sink->budget == NULL ? CODE_OK : budget_take(sink, err);
  return answer_failed(&sink->out, "rows or fields", err);
}

static void sink_restart(ResultSink *base) {
  RestSink *sink = (RestSink *)base;
  buf_clear(&sink->out);
  buf_add(&sink->out, sink->begin);
  sink->row_count = 0;
  sink->row_ends.count = 0;
  sink->is_ended = false;
  if (sink->budget == NULL) return;
  (void)atomic_fetch_sub_explicit(&sink->budget->bytes, sink->counted_bytes, memory_order_relaxed);
  sink->counted_bytes = 0;
}

void rest_sink_place_hidden(RestSink *sink, const Result *result, Arena *arena) {
  if (result->hidden == NULL || result->key_count == sink->row_count) return;
  Buf out = buf_on(arena, sink->out.max);
  size_t begin = sink->begin.len, row = 0;
  buf_add(&out, str_slice(buf_str(&sink->out), 0, begin));
  for (size_t i = 0; i < result->key_count; i++) {
    if (i > 0) buf_add_byte(&out, ',');
    if (result->hidden[i] || row >= sink->row_ends.count) {
      buf_add(&out, STR("null"));
      continue;
    }
    size_t end = sink->row_ends.items[row++];
    buf_add(&out, str_slice(buf_str(&sink->out), begin, end));
    begin = end + 1; /* behind the comma */
  }
  sink->out = out;
}

void rest_sink_init(RestSink *sink, const RestMap *map, Arena *arena, size_t bytes_max, Str begin) {
  *sink = (RestSink){.base = {.row = sink_row, .restart = sink_restart}, .map = map, .begin = begin, .out = buf_on(arena, bytes_max)};
  buf_add(&sink->out, begin);
}
