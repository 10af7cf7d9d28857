/* rest_route.c - /v1/products/{key}/reviews, read from left to right. */
#include "api/rest_route.h"

#include <assert.h>

#include "api/rest_encode.h"
#include "codec/url.h"

static Code refuse_encoding(RestDecoder *decoder, Code code, const Error *err) {
  if (code != CODE_BAD_REQUEST) return rest_no_memory(decoder);
  return rest_refuse(decoder, code, (Str){0}, "The path can't be decoded: %s", err->text);
}

static Code refuse_unknown(RestDecoder *decoder, Str name) {
  if (name.len == 0) return rest_refuse(decoder, CODE_NOT_FOUND, (Str){0}, "There is nothing at this path");
  Nearest nearest = nearest_to(name);
  const Contract *contract = decoder->map->contract;
  for (size_t i = 0; i < contract->resource_count; i++) nearest_offer(&nearest, contract->resources[i]->path);
  Str shown = rest_shown(name);
  return rest_refuse(decoder, CODE_NOT_FOUND, nearest_hint(&nearest, decoder->arena), "There is no resource \"%.*s\"", STR_ARGS(shown));
}

/* What may stand behind a collection's name. */
static const struct {
  Str suffix;
  RestTarget target;
} targets[] = {{STR_INIT(":aggregate"), REST_AGGREGATE}, {STR_INIT(":watch"), REST_WATCH}};

/* "products", "products:aggregate" or "products:watch". */
static Code route_resource(RestDecoder *decoder, Str segment, bool is_last, RestRoute *route) {
  Str name;
  Error err;
  Code code = url_decode_path(segment, decoder->arena, &name, &err);
  if (code != CODE_OK) return refuse_encoding(decoder, code, &err);
  const Resource *resource = contract_resource_at(decoder->map->contract, name);
  route->target = REST_COLLECTION;
  for (size_t i = 0; resource == NULL && is_last && i < sizeof targets / sizeof targets[0]; i++) {
    if (!str_ends_with(name, targets[i].suffix)) continue;
    resource = contract_resource_at(decoder->map->contract, str_slice(name, 0, name.len - targets[i].suffix.len));
    route->target = targets[i].target;
  }
  if (resource == NULL) return refuse_unknown(decoder, name);
  route->resource = rest_map_at(decoder->map, resource);
  return CODE_OK;
}

/* A part that is not of its field's type is no error: it is no row's key. */
static Code parse_key_part(RestDecoder *decoder, const Field *field, Str part, Value *ret, bool *ret_is_possible) {
  Str text, expected;
  Error err;
  Code code = url_decode_path(part, decoder->arena, &text, &err);
  if (code != CODE_OK) return refuse_encoding(decoder, code, &err);
  code = rest_value_parse(field, text, decoder->arena, ret, &expected);
  *ret_is_possible = code == CODE_OK;
  return code == CODE_UNAVAILABLE ? rest_no_memory(decoder) : CODE_OK;
}

static Code route_key(RestDecoder *decoder, Str segment, RestRoute *route) {
  const Resource *resource = route->resource->resource;
  if (segment.len == 0)
    return rest_refuse(decoder, CODE_NOT_FOUND, STR("leave the trailing slash away"), "The path ends where a key is expected");
  if (resource->key_count == 0) {
    return rest_refuse(decoder, CODE_NOT_FOUND, STR("read it as a list"), "%.*s has no key, so that its rows have no paths",
                       STR_ARGS(resource->name));
  }
  Value *key = ARENA_ARRAY(decoder->arena, Value, resource->key_count);
  if (key == NULL) return rest_no_memory(decoder);
  bool is_possible = true;
  /* A comma may end the key: what is empty or a dot would else be no segment, or be resolved away (RFC 3986 §5.2.4). */
  bool is_ended = resource->key_count == 1 && segment.ptr[segment.len - 1] == ',';
  Str rest = str_slice(segment, 0, segment.len - (is_ended ? 1 : 0)), part;
  size_t count = 0;
  while (str_split_next(&rest, ',', &part)) {
    bool is_part_possible = false;
    Value value;
    TRY(parse_key_part(decoder, resource->keys[count < resource->key_count ? count : 0], part, &value, &is_part_possible));
    is_possible = is_possible && is_part_possible && count < resource->key_count;
    if (is_possible) key[count] = value;
    count++;
  }
  route->key = is_possible && count == resource->key_count ? key : NULL;
  return CODE_OK;
}

static Code route_child(RestDecoder *decoder, Str segment, RestRoute *route) {
  Str name;
  Error err;
  Code code = url_decode_path(segment, decoder->arena, &name, &err);
  if (code != CODE_OK) return refuse_encoding(decoder, code, &err);
  const Field *child = map_get(&route->resource->children, name);
  if (child != NULL) {
    route->child = child;
    return CODE_OK;
  }
  Nearest nearest = nearest_to(name);
  const Resource *resource = route->resource->resource;
  for (size_t i = 0; i < resource->field_count; i++) {
    if (resource->fields[i]->kind == FIELD_TO_MANY && !resource->fields[i]->is_hidden) nearest_offer(&nearest, resource->fields[i]->name);
  }
  Str shown = rest_shown(name);
  return rest_refuse(decoder, CODE_NOT_FOUND, nearest_hint(&nearest, decoder->arena), "%.*s has no list \"%.*s\"", STR_ARGS(resource->name),
                     STR_ARGS(shown));
}

Code rest_route(RestDecoder *decoder, Str path, RestRoute *ret) {
  RestRoute route = {0};
  Str rest = str_slice(path, decoder->map->prefix.len, path.len);
  Str segment;
  if (!str_starts_with(path, decoder->map->prefix) || !str_split_next(&rest, '/', &segment)) {
    return rest_refuse(decoder, CODE_NOT_FOUND, (Str){0}, "There is nothing at this path");
  }
  if (str_equal(segment, STR("batch")) && rest.ptr == NULL) {
    *ret = (RestRoute){.target = REST_BATCH};
    return CODE_OK;
  }
  TRY(route_resource(decoder, segment, rest.ptr == NULL, &route));
  assert(route.resource != NULL);
  if (str_split_next(&rest, '/', &segment)) {
    route.target = REST_ITEM;
    TRY(route_key(decoder, segment, &route));
  }
  if (str_split_next(&rest, '/', &segment)) {
    route.target = REST_CHILDREN;
    TRY(route_child(decoder, segment, &route));
  }
  if (rest.ptr != NULL) return rest_refuse(decoder, CODE_NOT_FOUND, (Str){0}, "There is nothing at this path");
  *ret = route;
  return CODE_OK;
}

Str rest_route_allow(const RestRoute *route) {
  switch (route->target) {
    case REST_COLLECTION: return route->resource->allow_collection;
    case REST_ITEM: return route->resource->allow_item;
    case REST_CHILDREN: return route->resource->allow_child;
    case REST_AGGREGATE:
    case REST_WATCH: return STR("GET, HEAD, OPTIONS");
    case REST_BATCH: return STR("POST, OPTIONS");
  }
  return STR("");
}

/* JSON's form of a scalar without its quotes is also a path's; text stands as it is. */
static void key_part_write(const Value *part, Buf *out) {
  if (part->type == VALUE_TEXT || part->type == VALUE_DECIMAL) {
    url_encode(out, part->text);
    return;
  }
  char bytes[512];
  Buf plain = {.ptr = bytes, .cap = sizeof bytes, .max = sizeof bytes};
  rest_write_value(NULL, NULL, NULL, part, &plain);
  Str text = buf_str(&plain);
  if (text.len >= 2 && text.ptr[0] == '"') text = str_slice(text, 1, text.len - 1);
  url_encode(out, text);
}

void rest_key_write(const Resource *resource, const Value *key, Buf *out) {
  size_t start = out->len;
  for (size_t i = 0; i < resource->key_count; i++) {
    if (i > 0) buf_add_byte(out, ',');
    key_part_write(&key[i], out);
  }
  Str written = str_slice(buf_str(out), start, out->len);
  bool is_no_segment = written.len == 0 || str_equal(written, STR(".")) || str_equal(written, STR(".."));
  if (is_no_segment && resource->key_count > 0) buf_add_byte(out, ',');
}
