/* graphql_encode.c - rows to JSON under the response's names. Values have REST's forms (api/rest_encode.h). */
#include "api/graphql_federation.h"
#include "api/answer_limit.h"
#include "api/rest_encode.h"
#include "codec/base64.h"
#include "codec/url.h"

enum { NODE_ID_BYTES_MAX = 8192, ROW_KEY_BYTES_MAX = 8192 };

typedef struct RowAt {
  const RestMap *map;
  const Value *values;
  Str cursor;
} RowAt;

static void write_members(const GraphqlOut *out, const RowAt *row, Buf *to);

/* ---- values ---- */

static void write_node_id(const GraphqlOut *out, const RowAt *row, Buf *to) {
  Buf text = buf_on_heap(NODE_ID_BYTES_MAX);
  buf_add(&text, out->resource->name);
  for (size_t i = 0; i < out->resource->key_count; i++) {
    const Value *value = &row->values[out->indexes[i]];
    buf_add_byte(&text, i == 0 ? ':' : ',');
    if (value->type == VALUE_TEXT) {
      url_encode(&text, value->text);
      continue;
    }
    Buf json = buf_on_heap(NODE_ID_BYTES_MAX);
    rest_write_value(row->map, rest_map_key(row->map, out->resource->keys[i]), NULL, value, &json);
    Str bare = buf_str(&json);
    if (bare.len >= 2 && bare.ptr[0] == '"') bare = str_slice(bare, 1, bare.len - 1);
    url_encode(&text, bare);
    buf_done(&json);
  }
  if (text.failed == CODE_UNAVAILABLE) to->failed = CODE_UNAVAILABLE;
  buf_add_byte(to, '"');
  base64url_write(to, buf_str(&text));
  buf_add_byte(to, '"');
  buf_done(&text);
}

/* Members of an embedded object, or of each of a list. What is not stored is null. */
static void write_embedded_json(const GraphqlOut *out, const JsonValue *json, Buf *to) {
  if (json == NULL || json->type == JSON_NULL) {
    buf_add(to, STR("null"));
    return;
  }
  if (json->type == JSON_ARRAY) {
    buf_add_byte(to, '[');
    for (size_t i = 0; i < json->count; i++) {
      if (i > 0) buf_add_byte(to, ',');
      write_embedded_json(out, &json->items[i], to);
    }
    buf_add_byte(to, ']');
    return;
  }
  buf_add_byte(to, '{');
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlOut *item = &out->items[i];
    if (i > 0) buf_add_byte(to, ',');
    buf_add(to, item->key);
    const JsonValue *member = item->field == NULL ? NULL : json_get(json, item->field->name);
    if (item->kind == GRAPHQL_OUT_EMBEDDED)
      write_embedded_json(item, member, to);
    else if (item->field == NULL)
      buf_add(to, item->text);
    else if (member == NULL)
      buf_add(to, STR("null"));
    else
      json_write(to, member);
  }
  buf_add_byte(to, '}');
}

static void write_embedded(const GraphqlOut *out, const Value *value, Buf *to) {
  if (value->type != VALUE_JSON) {
    buf_add(to, STR("null"));
    return;
  }
  Arena *arena = arena_create(0);
  JsonValue json;
  Error err;
  if (arena == NULL || json_parse(value->text, JSON_DEPTH_DEFAULT, arena, &json, &err) != CODE_OK)
    to->failed = CODE_UNAVAILABLE;
  else
    write_embedded_json(out, &json, to);
  arena_destroy(arena);
}

/* ---- lists ---- */

typedef struct Page {
  bool has_next, has_previous;
  Str first_cursor, last_cursor;
} Page;

static void write_bool(bool value, Buf *to) { buf_add(to, value ? STR("true") : STR("false")); }

static void write_cursor(Str cursor, Buf *to) {
  if (cursor.ptr == NULL)
    buf_add(to, STR("null"));
  else
    json_write_string(to, cursor);
}

static void write_page_info(const GraphqlOut *out, const Page *page, Buf *to) {
  buf_add_byte(to, '{');
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlOut *item = &out->items[i];
    if (i > 0) buf_add_byte(to, ',');
    buf_add(to, item->key);
    switch (item->kind) {
      case GRAPHQL_OUT_HAS_NEXT: write_bool(page->has_next, to); break;
      case GRAPHQL_OUT_HAS_PREVIOUS: write_bool(page->has_previous, to); break;
      case GRAPHQL_OUT_START_CURSOR: write_cursor(page->first_cursor, to); break;
      case GRAPHQL_OUT_END_CURSOR: write_cursor(page->last_cursor, to); break;
      default: buf_add(to, item->text); break;
    }
  }
  buf_add_byte(to, '}');
}

static Str row_cursor(const Selection *selection, const Value *values) {
  return selection->list.has_row_cursors ? values[selection->count].text : (Str){0};
}

static void write_nested_rows(const GraphqlOut *list, const GraphqlOut *out, const RestMap *map, const ResultRows *rows, Buf *to) {
  buf_add_byte(to, '[');
  for (size_t i = 0; i < rows->count; i++) {
    RowAt row = {map, rows->rows[i], row_cursor(list->nested, rows->rows[i])};
    if (i > 0) buf_add_byte(to, ',');
    write_members(out, &row, to);
  }
  buf_add_byte(to, ']');
}

static void write_nested_list(const GraphqlOut *out, const RestMap *map, const ResultRows *rows, Buf *to) {
  bool is_before = out->nested->list.before.ptr != NULL;
  Page page = {.has_next = rows->next_cursor.ptr != NULL || is_before, .has_previous = rows->prev_cursor.ptr != NULL || out->is_after};
  if (rows->count > 0) {
    page.first_cursor = row_cursor(out->nested, rows->rows[0]);
    page.last_cursor = row_cursor(out->nested, rows->rows[rows->count - 1]);
  }
  buf_add_byte(to, '{');
  for (size_t i = 0; i < out->count; i++) {
    const GraphqlOut *item = &out->items[i];
    if (i > 0) buf_add_byte(to, ',');
    buf_add(to, item->key);
    switch (item->kind) {
      case GRAPHQL_OUT_NODES:
      case GRAPHQL_OUT_EDGES: write_nested_rows(out, item, map, rows, to); break;
      case GRAPHQL_OUT_PAGE_INFO: write_page_info(item, &page, to); break;
      case GRAPHQL_OUT_TOTAL: buf_add_int64(to, rows->has_total ? rows->total : 0); break;
      default: buf_add(to, item->text); break;
    }
  }
  buf_add_byte(to, '}');
}

/* ---- rows ---- */

static void write_value(const GraphqlOut *out, const RowAt *row, Buf *to) {
  const Value *value = &row->values[out->index];
  switch (out->kind) {
    case GRAPHQL_OUT_VALUE: rest_write_value(row->map, out->format, NULL, value, to); break;
    case GRAPHQL_OUT_EMBEDDED: write_embedded(out, value, to); break;
    case GRAPHQL_OUT_NODE_ID: write_node_id(out, row, to); break;
    case GRAPHQL_OUT_OBJECT:
    case GRAPHQL_OUT_EDGE_NODE: write_members(out, row, to); break;
    case GRAPHQL_OUT_CURSOR: write_cursor(row->cursor, to); break;
    case GRAPHQL_OUT_ROW: {
      RowAt inner = {.map = row->map, .values = value->row};
      if (value->type == VALUE_ROW)
        write_members(out, &inner, to);
      else
        buf_add(to, STR("null"));
      break;
    }
    case GRAPHQL_OUT_LIST: write_nested_list(out, row->map, value->rows, to); break;
    default: buf_add(to, out->text); break;
  }
}

static void write_members(const GraphqlOut *out, const RowAt *row, Buf *to) {
  buf_add_byte(to, '{');
  for (size_t i = 0; i < out->count; i++) {
    if (i > 0) buf_add_byte(to, ',');
    buf_add(to, out->items[i].key);
    write_value(&out->items[i], row, to);
  }
  buf_add_byte(to, '}');
}

void graphql_write_row(const GraphqlOut *out, const RestMap *map, const Value *values, Buf *to) {
  RowAt row = {.map = map, .values = values};
  write_members(out, &row, to);
}

void graphql_write_item(const GraphqlOut *item, const RestMap *map, const Value *values, Buf *to) {
  RowAt row = {.map = map, .values = values};
  write_value(item, &row, to);
}

/* ---- the sink ---- */

/* By which a row is found again among those asked for. */
static Code keep_row_key(GraphqlSink *sink, const Value *values, Error *err) {
  Buf key = buf_on(sink->arena, ROW_KEY_BYTES_MAX);
  for (size_t i = 0; i < sink->key_count; i++) {
    rest_write_value(sink->map, rest_map_key(sink->map, sink->keys[i]), NULL, &values[sink->key_indexes[i]], &key);
    buf_add_byte(&key, ',');
  }
  if (key.failed == CODE_TOO_LARGE) buf_clear(&key);
  return key.failed == CODE_UNAVAILABLE || !VEC_PUSH(sink->arena, &sink->row_keys, buf_str(&key)) ? error_no_memory(err) : CODE_OK;
}

static Code sink_row(ResultSink *base, const Selection *selection, const Value *values, Error *err) {
  GraphqlSink *sink = (GraphqlSink *)base;
  RowAt row = {.map = sink->map, .values = values};
  if (sink->has_cursors && selection != NULL) {
    row.cursor = values[selection->count].text;
    if (sink->row_count == 0) sink->first_cursor = row.cursor;
    sink->last_cursor = row.cursor;
  }
  for (size_t i = 0; i < sink->part_count; i++) {
    if (sink->row_count > 0) buf_add_byte(&sink->outs[i], ',');
    write_members(sink->parts[i], &row, &sink->outs[i]);
    if (sink->outs[i].failed != CODE_OK) return answer_failed(&sink->outs[i], "rows or fields", err);
  }
  sink->row_count++;
  if (sink->has_row_ends && !VEC_PUSH(sink->arena, &sink->row_ends, sink->outs[0].len)) return error_no_memory(err);
  return sink->key_count > 0 ? keep_row_key(sink, values, err) : CODE_OK;
}

static void sink_restart(ResultSink *base) {
  GraphqlSink *sink = (GraphqlSink *)base;
  for (size_t i = 0; i < sink->part_count; i++) buf_clear(&sink->outs[i]);
  sink->row_count = 0;
  sink->row_ends.count = 0;
  sink->row_keys.count = 0;
  sink->first_cursor = sink->last_cursor = (Str){0};
}

void graphql_sink_init(GraphqlSink *sink, const RestMap *map, Arena *arena) {
  *sink = (GraphqlSink){.base = {.row = sink_row, .restart = sink_restart}, .map = map, .arena = arena};
}

/* ---- roots ---- */

static void write_connection(const GraphqlRoot *root, const Result *result, Buf *to) {
  const GraphqlSink *sink = &root->sink;
  Page page = {.has_next = result->next_cursor.ptr != NULL,
               .has_previous = result->prev_cursor.ptr != NULL,
               .first_cursor = sink->first_cursor,
               .last_cursor = sink->last_cursor};
  buf_add_byte(to, '{');
  for (size_t i = 0; i < root->out.count; i++) {
    const GraphqlOut *item = &root->out.items[i];
    if (i > 0) buf_add_byte(to, ',');
    buf_add(to, item->key);
    switch (item->kind) {
      case GRAPHQL_OUT_NODES:
      case GRAPHQL_OUT_EDGES:
        buf_add_byte(to, '[');
        buf_add(to, buf_str(&sink->outs[item->index]));
        buf_add_byte(to, ']');
        break;
      case GRAPHQL_OUT_PAGE_INFO: write_page_info(item, &page, to); break;
      case GRAPHQL_OUT_TOTAL: buf_add_int64(to, result->has_total ? result->total : 0); break;
      default: buf_add(to, item->text); break;
    }
  }
  buf_add_byte(to, '}');
}

/* Rows that were written but may not be read are null in their place. */
static void write_rows(const GraphqlRoot *root, const Result *result, Buf *to) {
  const GraphqlSink *sink = &root->sink;
  Str text = buf_str(&sink->outs[0]);
  buf_add_byte(to, '[');
  if (result->hidden == NULL) {
    buf_add(to, text);
  } else {
    size_t begin = 0, row = 0;
    for (size_t i = 0; i < result->key_count; i++) {
      if (i > 0) buf_add_byte(to, ',');
      if (result->hidden[i] || row >= sink->row_ends.count) {
        buf_add(to, STR("null"));
        continue;
      }
      size_t end = sink->row_ends.items[row++];
      buf_add(to, str_slice(text, begin, end));
      begin = end + 1; /* behind the comma */
    }
  }
  buf_add_byte(to, ']');
}

void graphql_write_root(const GraphqlRoot *root, const Result *result, Buf *to) {
  switch (root->kind) {
    case GRAPHQL_ROOT_TEXT: buf_add(to, root->text); break;
    case GRAPHQL_ROOT_LIST: write_connection(root, result, to); break;
    case GRAPHQL_ROOT_ENTITIES: graphql_write_entities(root->entities, to); break;
    case GRAPHQL_ROOT_ROWS: write_rows(root, result, to); break;
    case GRAPHQL_ROOT_ROW:
      if (root->sink.row_count == 0)
        buf_add(to, STR("null"));
      else
        buf_add(to, buf_str(&root->sink.outs[0]));
      break;
  }
}
