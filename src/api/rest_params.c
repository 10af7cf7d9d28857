/* rest_params.c - a query string's parameters, decoded. */
#include "api/rest_query_parts.h"

#include "codec/url.h"

static Code decode_text(RestDecoder *decoder, Str raw, Str *ret) {
  Error err;
  Code code = url_decode_query(raw, decoder->arena, ret, &err);
  if (code == CODE_OK) return CODE_OK;
  if (code != CODE_BAD_REQUEST) return rest_no_memory(decoder);
  return rest_refuse(decoder, code, (Str){0}, "The query can't be decoded: %s", err.text);
}

/* "price[gte]" → "price", "gte". */
static Code split_name(RestDecoder *decoder, RestParam *param) {
  Str name = param->name;
  size_t open = str_find_byte(name, '[', 0);
  param->path = str_slice(name, 0, open);
  if (open == name.len) return CODE_OK;
  Str shown = rest_shown(name);
  if (name.ptr[name.len - 1] != ']') {
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("write field[operator]=value"), "The parameter \"%.*s\" has no closing bracket",
                       STR_ARGS(shown));
  }
  param->op = str_slice(name, open + 1, name.len - 1);
  return CODE_OK;
}

static Code add_param(RestDecoder *decoder, Str pair, RestParams *params) {
  RestParam param = {0};
  size_t equals = str_find_byte(pair, '=', 0);
  TRY(decode_text(decoder, str_slice(pair, 0, equals), &param.name));
  if (equals < pair.len) TRY(decode_text(decoder, str_slice(pair, equals + 1, pair.len), &param.value));
  if (equals >= pair.len) param.value = STR("");
  TRY(split_name(decoder, &param));
  if (rest_params_find(params, param.name) != NULL) {
    Str shown = rest_shown(param.name);
    return rest_refuse(decoder, CODE_BAD_REQUEST, STR("several conditions on one field can be joined in filter="),
                       "The parameter \"%.*s\" is given twice", STR_ARGS(shown));
  }
  params->items[params->count++] = param;
  return CODE_OK;
}

static size_t count_pairs(Str query) {
  size_t count = 0;
  Str rest = query, pair;
  while (str_split_next(&rest, '&', &pair)) count += pair.len > 0;
  return count;
}

Code rest_params_parse(RestDecoder *decoder, Str query, RestParams *ret) {
  RestParams params = {0};
  size_t count = query.len == 0 ? 0 : count_pairs(query);
  if (count > REST_PARAMS_MAX)
    return rest_refuse(decoder, CODE_BAD_REQUEST, (Str){0}, "The query has more than %d parameters", REST_PARAMS_MAX);
  if (count > 0) {
    params.items = ARENA_ARRAY(decoder->arena, RestParam, count);
    if (params.items == NULL) return rest_no_memory(decoder);
    Str rest = query, pair;
    while (str_split_next(&rest, '&', &pair)) {
      if (pair.len > 0) TRY(add_param(decoder, pair, &params));
    }
  }
  *ret = params;
  return CODE_OK;
}

const RestParam *rest_params_find(const RestParams *params, Str name) {
  for (size_t i = 0; i < params->count; i++) {
    if (str_equal(params->items[i].name, name)) return &params->items[i];
  }
  return NULL;
}
