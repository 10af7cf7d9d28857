/* rest_path.c - dotted names resolved against the contract. */
#include "api/rest_query_parts.h"

static void offer_fields(Nearest *nearest, const Resource *resource) {
  for (size_t i = 0; i < resource->field_count; i++) {
    if (!resource->fields[i]->is_hidden) nearest_offer(nearest, resource->fields[i]->name);
  }
}

static void offer_params(Nearest *nearest, bool is_aggregate) {
  unsigned of = is_aggregate ? REST_OF_AGGREGATE : REST_OF_LIST;
  for (size_t i = 0; i < REST_LIST_PARAMETER_COUNT; i++) {
    if (REST_LIST_PARAMETERS[i].of & of) nearest_offer(nearest, REST_LIST_PARAMETERS[i].name);
  }
  if (is_aggregate)
    rest_offer_aggregate_params(nearest);
  else
    nearest_offer(nearest, STR("fields"));
}

Code rest_refuse_unknown_field(RestDecoder *decoder, const Resource *resource, Str name, const RestParam *param) {
  Nearest nearest = nearest_to(name);
  offer_fields(&nearest, resource);
  /* At the top a mistyped name may have been meant for a parameter. */
  bool is_top = str_equal(name, param->path);
  if (is_top) offer_params(&nearest, decoder->is_aggregate);
  Str hint = nearest_hint(&nearest, decoder->arena);
  Str shown = rest_shown(name), where = rest_shown(param->name);
  if (is_top) {
    return rest_refuse(decoder, CODE_BAD_REQUEST, hint, "\"%.*s\" is neither a parameter nor a field of %.*s", STR_ARGS(shown),
                       STR_ARGS(resource->name));
  }
  return rest_refuse(decoder, CODE_BAD_REQUEST, hint, "%.*s: %.*s has no field \"%.*s\"", STR_ARGS(where), STR_ARGS(resource->name),
                     STR_ARGS(shown));
}

typedef struct PathBuilder {
  RestDecoder *decoder;
  const RestParam *param;
  const Resource *resource; /* of the row that the next name is looked up in; NULL: inside an embedded object */
  const Embedded *embedded;
  const Relation *hops[REST_PATH_HOPS_MAX];
  const Field *members[REST_PATH_HOPS_MAX];
  size_t hop_count, member_count;
  const Field *field, *last;
} PathBuilder;

static Code refuse_path(const PathBuilder *builder, Str hint, const char *what, Str name) {
  Str shown = rest_shown(name), where = rest_shown(builder->param->name);
  return rest_refuse(builder->decoder, CODE_BAD_REQUEST, hint, "%.*s: \"%.*s\" %s", STR_ARGS(where), STR_ARGS(shown), what);
}

/* Under a face's own name. */
static const Field *other_name(const RestDecoder *decoder, const Resource *resource, const Embedded *embedded, Str name) {
  const ExprNames *names = decoder->names;
  return names == NULL ? NULL : names->find(names->context, resource, embedded, name);
}

const Field *rest_field_named(const RestDecoder *decoder, const Resource *resource, Str name) {
  const Field *field = resource_field(resource, name);
  return field != NULL ? field : other_name(decoder, resource, NULL, name);
}

static Code take_member(PathBuilder *builder, Str name) {
  const Field *member = map_get(&builder->embedded->field_by_name, name);
  if (member == NULL) member = other_name(builder->decoder, NULL, builder->embedded, name);
  if (member == NULL || member->is_hidden) {
    Nearest nearest = nearest_to(name);
    for (size_t i = 0; i < builder->embedded->field_count; i++) {
      if (!builder->embedded->fields[i]->is_hidden) nearest_offer(&nearest, builder->embedded->fields[i]->name);
    }
    return refuse_path(builder, nearest_hint(&nearest, builder->decoder->arena), "is no member of it", name);
  }
  if (builder->member_count == REST_PATH_HOPS_MAX) return refuse_path(builder, (Str){0}, "is nested too deep", name);
  builder->members[builder->member_count++] = member;
  builder->last = member;
  builder->embedded = member->type == TYPE_EMBEDDED && !member->is_list ? member->embedded : NULL;
  return CODE_OK;
}

static Code take_field(PathBuilder *builder, Str name, bool is_last) {
  const Field *field = rest_field_named(builder->decoder, builder->resource, name);
  if (field == NULL || field->is_hidden) return rest_refuse_unknown_field(builder->decoder, builder->resource, name, builder->param);
  if (field->kind == FIELD_TO_MANY) {
    return refuse_path(builder, STR("use filter= with exists(), as in reviews.exists(r, r.stars > 3)"),
                       "is a list of rows, which has no single value", name);
  }
  if (field->kind == FIELD_TO_ONE && !is_last) {
    if (builder->hop_count == REST_PATH_HOPS_MAX) return refuse_path(builder, (Str){0}, "is one relation too many", name);
    builder->hops[builder->hop_count++] = field->relation;
    builder->resource = field->relation->target;
    return CODE_OK;
  }
  builder->field = builder->last = field;
  builder->resource = NULL;
  builder->embedded = field->kind == FIELD_STORED && field->type == TYPE_EMBEDDED && !field->is_list ? field->embedded : NULL;
  return CODE_OK;
}

static Code take_name(PathBuilder *builder, Str name, bool is_last) {
  if (builder->resource != NULL) return take_field(builder, name, is_last);
  if (builder->embedded != NULL) return take_member(builder, name);
  return refuse_path(builder, (Str){0}, "stands behind a field that has no members", name);
}

static void *copy_array(Arena *arena, const void *items, size_t bytes) {
  void *copy = arena_alloc(arena, bytes);
  if (copy != NULL && bytes > 0) memcpy(copy, items, bytes);
  return copy;
}

Code rest_path_resolve(RestDecoder *decoder, const Resource *resource, Str text, const RestParam *param, ExprPath *ret,
                       const Field **ret_last) {
  PathBuilder builder = {.decoder = decoder, .param = param, .resource = resource};
  Str rest = text, name;
  while (str_split_next(&rest, '.', &name)) TRY(take_name(&builder, name, rest.ptr == NULL));
  const Relation **hops = copy_array(decoder->arena, builder.hops, builder.hop_count * sizeof *hops);
  const Field **members = copy_array(decoder->arena, builder.members, builder.member_count * sizeof *members);
  if (hops == NULL || members == NULL) return rest_no_memory(decoder);
  *ret = (ExprPath){
      .root = EXPR_ROOT_ROW,
      .resource = resource,
      .hops = hops,
      .hop_count = builder.hop_count,
      .field = builder.field,
      .members = members,
      .member_count = builder.member_count,
  };
  *ret_last = builder.last;
  return CODE_OK;
}
