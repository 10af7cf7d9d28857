/* rest.c - requests of the REST face, by the contract: paths, queries, headers, bodies. */
#include "codec/gzip.h"
#include "codec/json.h"
#include "contract.h"
#include "requests.h"
#include "server.h"

enum { BODY_BYTES_MAX = 256 * 1024 };

void write_rest_of_request(Choices *choices, bool is_last, Str content_type, Str body, Arena *arena, Buf *out) {
  if (is_last) buf_add(out, STR("Connection: close\r\n"));
  if (content_type.len > 0) buf_printf(out, "Content-Type: %.*s\r\n", STR_ARGS(content_type));
  Buf coded = buf_on(arena, BODY_BYTES_MAX);
  if (body.len > 0 && chance(choices, 16) && gzip_compress(body, GZIP_LEVEL_FAST, &coded, NULL) == CODE_OK) {
    buf_add(out, STR("Content-Encoding: gzip\r\n"));
    body = buf_str(&coded);
  }
  if (content_type.len == 0 && body.len == 0) {
    buf_add(out, STR("\r\n"));
  } else if (chance(choices, 8)) {
    buf_printf(out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body.len);
    buf_add(out, body);
    buf_add(out, body.len == 0 ? STR("\r\n") : STR("\r\n0\r\n\r\n"));
  } else {
    buf_printf(out, "Content-Length: %zu\r\n\r\n", body.len);
    buf_add(out, body);
  }
}

/* ---- paths ---- */

static const Field *choose_child(Choices *choices, const Resource *resource) {
  for (size_t i = 0, first = choose(choices, (uint32_t)resource->field_count); i < resource->field_count; i++) {
    const Field *field = resource->fields[(first + i) % resource->field_count];
    if (field->kind == FIELD_TO_MANY) return field;
  }
  return resource->fields[0];
}

/* Returns whose rows the path is about; NULL: none's. */
static const Resource *write_path(Choices *choices, Buf *out, bool *ret_is_endless) {
  static const Str others[] = {STR_INIT("/v1/batch"),
                               STR_INIT("/openapi.json"),
                               STR_INIT("/v1/openapi.json"),
                               STR_INIT("/"),
                               STR_INIT("/docs"),
                               STR_INIT("/livez"),
                               STR_INIT("/readyz"),
                               STR_INIT("/metrics"),
                               STR_INIT("/problems/not-found"),
                               STR_INIT("/v2/products"),
                               STR_INIT("/v1"),
                               STR_INIT("*")};
  const Resource *resource = choose_resource(choices, request_server()->contract);
  *ret_is_endless = false;
  switch (choose(choices, 10)) {
    case 0:
    case 1:
    case 2: buf_printf(out, "/v1/%.*s", STR_ARGS(resource->path)); return resource;
    case 3:
    case 4:
    case 5: buf_printf(out, "/v1/%.*s/%.*s", STR_ARGS(resource->path), STR_ARGS(choose_key(choices))); return resource;
    case 6: {
      const Field *child = choose_child(choices, resource);
      buf_printf(out, "/v1/%.*s/%.*s/%.*s", STR_ARGS(resource->path), STR_ARGS(choose_key(choices)), STR_ARGS(child->name));
      return child->kind == FIELD_TO_MANY ? child->relation->source : resource;
    }
    case 7: buf_printf(out, "/v1/%.*s:aggregate", STR_ARGS(resource->path)); return resource;
    case 8:
      *ret_is_endless = chance(choices, 4);
      buf_printf(out, *ret_is_endless ? "/v1/%.*s:watch" : "/v1/%.*s", STR_ARGS(resource->path));
      return resource;
    default:
      if (chance(choices, 4)) {
        buf_add_byte(out, '/');
        write_escaped(choose_bytes(choices, 20), out);
      } else {
        buf_add(out, CHOOSE(choices, others));
      }
      return NULL;
  }
}

/* ---- queries ---- */

static void write_fields(Choices *choices, const Resource *resource, size_t depth, Buf *out) {
  for (uint32_t i = 0, count = 1 + choose(choices, 4); i < count; i++) {
    const Field *field = choose_field(choices, resource);
    if (i > 0) buf_add_byte(out, ',');
    if (chance(choices, 8)) {
      buf_add_byte(out, '*');
      continue;
    }
    buf_add(out, field->name);
    if (field->kind == FIELD_STORED || depth > 5 || chance(choices, 4)) continue;
    buf_add_byte(out, '(');
    write_fields(choices, field->kind == FIELD_TO_ONE ? field->relation->target : field->relation->source, depth + 1, out);
    buf_add_byte(out, ')');
  }
}

static void write_condition(Choices *choices, const Resource *resource, Buf *out) {
  static const Str operators[] = {STR_INIT("eq"),     STR_INIT("ne"),       STR_INIT("gt"),         STR_INIT("lte"),
                                  STR_INIT("in"),     STR_INIT("contains"), STR_INIT("startsWith"), STR_INIT("endsWith"),
                                  STR_INIT("isNull"), STR_INIT("has"),      STR_INIT("any"),        STR_INIT("xx")};
  const Field *field = choose_field(choices, resource);
  buf_add(out, field->name);
  if (field->kind == FIELD_TO_ONE) {
    field = choose_field(choices, field->relation->target);
    buf_printf(out, ".%.*s", STR_ARGS(field->name));
  }
  if (!chance(choices, 3)) buf_printf(out, "[%.*s]", STR_ARGS(CHOOSE(choices, operators)));
  buf_add_byte(out, '=');
  write_plain_value(choices, field, out);
}

static void write_parameter(Choices *choices, const Resource *resource, Arena *arena, Buf *out) {
  static const char *const others[] = {"limit=5",
                                       "limit=0",
                                       "limit=101",
                                       "count=exact",
                                       "after=AAAA",
                                       "before=x",
                                       "distinct=true",
                                       "q=tea",
                                       "q=%22a%20b%22*",
                                       "metrics=count",
                                       "metrics=sum(stock),avg(price)",
                                       "by=status",
                                       "by=category.name",
                                       "having=count%3E1",
                                       "having=sum(stock)%3E=1.5",
                                       "reviews.limit=2",
                                       "reviews.sort=-stars",
                                       "children.filter=name!=%22x%22",
                                       "format=csv",
                                       "limit"};
  Buf text = buf_on(arena, 4096);
  const Field *field = choose_field(choices, resource);
  switch (choose(choices, 8)) {
    case 0:
    case 1: write_condition(choices, resource, out); break;
    case 2:
      buf_add(out, STR("fields="));
      write_fields(choices, resource, 0, out);
      break;
    case 3: buf_printf(out, "sort=%s%.*s", chance(choices, 2) ? "-" : "", STR_ARGS(field->name)); break;
    case 4:
      write_filter(choices, resource, 0, &text);
      buf_add(out, STR("filter="));
      write_escaped(buf_str(&text), out);
      break;
    case 5: write_escaped(choose_bytes(choices, 24), out); break;
    default: buf_add(out, str_of(CHOOSE(choices, others)));
  }
}

static void write_query(Choices *choices, const Resource *resource, Arena *arena, Buf *out) {
  for (uint32_t i = 0, count = choose(choices, 5); i < count; i++) {
    buf_add_byte(out, i == 0 ? '?' : '&');
    write_parameter(choices, resource, arena, out);
  }
}

/* ---- bodies ---- */

static void write_row(Choices *choices, const Resource *resource, size_t depth, Buf *out);

static void write_nested_one(Choices *choices, const Relation *relation, size_t depth, Buf *out) {
  switch (choose(choices, 4)) {
    case 0:
      buf_add(out, STR("{\"connect\":{\"id\":"));
      json_write_string(out, choose_key(choices));
      buf_add(out, STR("}}"));
      break;
    case 1: buf_add(out, STR("{\"disconnect\":true}")); break;
    case 2:
      buf_add(out, STR("{\"create\":"));
      write_row(choices, relation->target, depth + 1, out);
      buf_add_byte(out, '}');
      break;
    default: json_write_string(out, choose_key(choices));
  }
}

static void write_nested_many(Choices *choices, const Relation *relation, size_t depth, Buf *out) {
  static const char *const verbs[] = {"create", "connect", "disconnect", "update", "delete"};
  buf_add_byte(out, '{');
  for (uint32_t i = 0, count = 1 + choose(choices, 2); i < count; i++) {
    uint32_t verb = choose(choices, 5);
    buf_printf(out, "%s\"%s\":[", i > 0 ? "," : "", verbs[verb]);
    if (verb == 3) buf_add(out, STR("{\"where\":{\"id\":"));
    if (verb == 3) json_write_string(out, choose_key(choices));
    if (verb == 3) buf_add(out, STR("},\"data\":"));
    if (verb == 0 || verb == 3)
      write_row(choices, relation->source, depth + 1, out);
    else
      buf_printf(out, "{\"id\":\"%.*s\"}", STR_ARGS(choose_key(choices)));
    buf_add(out, verb == 3 ? STR("}]") : STR("]"));
  }
  buf_add_byte(out, '}');
}

static void write_row(Choices *choices, const Resource *resource, size_t depth, Buf *out) {
  bool is_first = true;
  buf_add_byte(out, '{');
  for (size_t i = 0; i < resource->field_count; i++) {
    const Field *field = resource->fields[i];
    bool is_wanted = field->is_required && field->default_kind == DEFAULT_NONE && field->kind == FIELD_STORED && !field->is_server_made;
    if (is_wanted ? chance(choices, 12) : !chance(choices, field->kind == FIELD_STORED ? 4 : 6)) continue;
    if (!is_first) buf_add_byte(out, ',');
    is_first = false;
    json_write_string(out, field->name);
    buf_add_byte(out, ':');
    if (field->kind == FIELD_STORED || depth > 5)
      write_json_value(choices, field, 0, out);
    else if (field->kind == FIELD_TO_ONE)
      write_nested_one(choices, field->relation, depth, out);
    else
      write_nested_many(choices, field->relation, depth, out);
  }
  buf_add_byte(out, '}');
}

static void write_patch(Choices *choices, const Resource *resource, Buf *out) {
  static const char *const operations[] = {"add", "replace", "remove", "test", "move", "copy", "xx"};
  buf_add_byte(out, '[');
  for (uint32_t i = 0, count = choose(choices, 4); i < count; i++) {
    const Field *field = choose_field(choices, resource);
    buf_printf(out, "%s{\"op\":\"%s\",\"path\":\"/%.*s%s\",\"from\":\"/name\",\"value\":", i > 0 ? "," : "", CHOOSE(choices, operations),
               STR_ARGS(field->name), chance(choices, 4) ? "/0" : "");
    write_json_value(choices, field, 0, out);
    buf_add_byte(out, '}');
  }
  buf_add_byte(out, ']');
}

static void write_batch(Choices *choices, Arena *arena, Buf *out) {
  static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  buf_add(out, STR("{\"operations\":["));
  for (uint32_t i = 0, count = choose(choices, 4); i < count; i++) {
    bool is_endless;
    Buf path = buf_on(arena, 64 * 1024);
    const Resource *resource = write_path(choices, &path, &is_endless);
    buf_printf(out, "%s{\"id\":\"o%u\",\"method\":\"%s\",\"path\":", i > 0 ? "," : "", (unsigned)i, CHOOSE(choices, methods));
    if (resource != NULL && chance(choices, 3)) write_query(choices, resource, arena, &path);
    json_write_string(out, buf_str(&path));
    buf_add(out, STR(",\"body\":"));
    if (chance(choices, 4))
      buf_printf(out, "{\"name\":\"x\",\"categoryCode\":{\"$ref\":\"o%u.code\"}}", (unsigned)choose(choices, 4));
    else if (resource != NULL && !chance(choices, 3))
      write_row(choices, resource, 0, out);
    else
      buf_add(out, STR("null"));
    buf_add_byte(out, '}');
  }
  buf_add(out, STR("]}"));
}

static void write_lines(Choices *choices, const Resource *resource, Buf *out) {
  for (uint32_t i = 0, count = choose(choices, 5); i < count; i++) {
    write_row(choices, resource, 5, out);
    buf_add_byte(out, '\n');
  }
}

static void write_csv(Choices *choices, const Resource *resource, Buf *out) {
  const Field *columns[4] = {choose_field(choices, resource), choose_field(choices, resource), choose_field(choices, resource),
                             choose_field(choices, resource)};
  size_t count = 1 + choose(choices, 4);
  for (size_t i = 0; i < count; i++) buf_printf(out, "%s%.*s", i > 0 ? "," : "", STR_ARGS(columns[i]->name));
  for (uint32_t row = 0, rows = choose(choices, 4); row < rows; row++) {
    buf_add(out, STR("\r\n"));
    for (size_t i = 0; i < count; i++) {
      if (i > 0) buf_add_byte(out, ',');
      if (chance(choices, 4))
        buf_printf(out, "\"%.*s\"", STR_ARGS(choose_bytes(choices, 8)));
      else
        write_plain_value(choices, columns[i], out);
    }
  }
}

static Str write_body(Choices *choices, const Resource *resource, Arena *arena, Buf *out) {
  static const Str types[] = {STR_INIT("application/json"), STR_INIT("application/merge-patch+json"), STR_INIT("text/plain"),
                              STR_INIT("application/json; charset=latin1"), STR_INIT(";")};
  switch (resource == NULL ? choose(choices, 3) : 3 + choose(choices, 9)) {
    case 0:
    case 1: write_batch(choices, arena, out); return STR("application/json");
    case 3: write_patch(choices, resource, out); return STR("application/json-patch+json");
    case 4: write_lines(choices, resource, out); return STR("application/x-ndjson");
    case 5: write_csv(choices, resource, out); return STR("text/csv");
    case 6:
      buf_add_byte(out, '[');
      for (uint32_t i = 0, count = choose(choices, 3); i < count; i++) {
        if (i > 0) buf_add_byte(out, ',');
        write_row(choices, resource, 0, out);
      }
      buf_add_byte(out, ']');
      return STR("application/json");
    case 2:
    case 7: buf_add(out, choose_bytes(choices, 200)); return CHOOSE(choices, types);
    case 8: return (Str){0};
    default: write_row(choices, resource, 0, out); return chance(choices, 12) ? CHOOSE(choices, types) : STR("application/json");
  }
}

RequestKind write_rest(Choices *choices, bool is_last, Arena *arena, Buf *out) {
  static const char *const methods[] = {"GET", "POST", "PATCH", "PUT", "DELETE", "GET", "POST", "HEAD", "OPTIONS", "XX"};
  const char *method = CHOOSE(choices, methods);
  RequestKind kind = {.is_head = strcmp(method, "HEAD") == 0};
  buf_printf(out, "%s ", method);
  const Resource *resource = write_path(choices, out, &kind.is_endless);
  if (resource != NULL && !chance(choices, 3)) write_query(choices, resource, arena, out);
  buf_add(out, STR(" HTTP/1.1\r\nHost: x\r\n"));
  write_common_headers(choices, out);
  Buf body = buf_on(arena, BODY_BYTES_MAX);
  bool is_bodyless = strcmp(method, "GET") == 0 || kind.is_head;
  Str type = is_bodyless ? (Str){0} : write_body(choices, resource, arena, &body);
  write_rest_of_request(choices, is_last, type, buf_str(&body), arena, out);
  return kind;
}
