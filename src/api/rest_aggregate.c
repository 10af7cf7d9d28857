/* rest_aggregate.c - `by=`, `metrics=` and `sort=` of an aggregate, and from them the template of a group's JSON. */
#include "api/rest_aggregate.h"

#include "api/rest_query_parts.h"
#include "codec/json.h"

enum { PIECE_BYTES_MAX = 64 * 1024 };

static const struct {
  Str name;
  MetricKind kind;
} functions[] = {
    {STR_INIT("sum"), METRIC_SUM}, {STR_INIT("avg"), METRIC_AVG}, {STR_INIT("min"), METRIC_MIN}, {STR_INIT("max"), METRIC_MAX}};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

static size_t list_size(Str text) {
  size_t count = 1;
  for (size_t i = 0; i < text.len; i++) count += text.ptr[i] == ',';
  return count;
}

static Code refuse(const RestGroups *groups, Str hint, Str shown, const char *what) {
  Str name = rest_shown(groups->param->name);
  shown = rest_shown(shown);
  return rest_refuse(groups->decoder, CODE_BAD_REQUEST, hint, "%.*s: \"%.*s\" %s", STR_ARGS(name), STR_ARGS(shown), what);
}

/* ---- by ---- */

static Code parse_group(RestGroups *groups, Str text) {
  ExprPath path;
  const Field *last = NULL;
  TRY(rest_path_resolve(groups->decoder, groups->resource, text, groups->param, &path, &last));
  if (last->kind == FIELD_TO_ONE) {
    Str hint = arena_printf(groups->decoder->arena, "name its key, as in %.*s.%.*s", STR_ARGS(last->name),
                            STR_ARGS(last->relation->target->keys[0]->name));
    return refuse(groups, hint, text, "is a relation");
  }
  if (!rest_field_is_scalar(last) || last->type == TYPE_BYTES) return refuse(groups, (Str){0}, text, "makes no groups");
  for (size_t i = 0; i < groups->by_count; i++) {
    if (str_equal(groups->by_names[i], text)) return refuse(groups, (Str){0}, text, "is named twice");
  }
  groups->by[groups->by_count] = path;
  groups->by_fields[groups->by_count] = last;
  groups->by_names[groups->by_count++] = text;
  return CODE_OK;
}

static Code parse_by(RestGroups *groups, const RestParam *param) {
  if (param == NULL) return CODE_OK;
  groups->param = param;
  size_t count = list_size(param->value);
  if (count > GROUP_KEYS_MAX) return rest_refuse(groups->decoder, CODE_BAD_REQUEST, (Str){0}, "by: more than %d fields", GROUP_KEYS_MAX);
  groups->by = ARENA_ARRAY(groups->decoder->arena, ExprPath, count);
  groups->by_fields = ARENA_ARRAY(groups->decoder->arena, const Field *, count);
  groups->by_names = ARENA_ARRAY(groups->decoder->arena, Str, count);
  if (groups->by == NULL || groups->by_fields == NULL || groups->by_names == NULL) return rest_no_memory(groups->decoder);
  Str rest = param->value, text;
  while (str_split_next(&rest, ',', &text)) TRY(parse_group(groups, str_trim(text)));
  return CODE_OK;
}

/* ---- metrics ---- */

static bool has_sum(const Field *field) {
  return rest_field_is_scalar(field) &&
         (field->type == TYPE_INT || field->type == TYPE_BIGINT || field->type == TYPE_FLOAT || field->type == TYPE_DECIMAL);
}

static Code resolve_metric(RestGroups *groups, Str text, Metric *ret) {
  static const Str forms = STR_INIT("the metrics are count, sum(field), avg(field), min(field), max(field)");
  if (str_equal(text, STR("count"))) {
    *ret = (Metric){.kind = METRIC_COUNT};
    return CODE_OK;
  }
  size_t open = str_find_byte(text, '(', 0), function = 0;
  Str name = str_trim(str_slice(text, 0, open));
  while (function < FUNCTION_COUNT && !str_equal(functions[function].name, name)) function++;
  if (function == FUNCTION_COUNT || open == text.len || text.ptr[text.len - 1] != ')') return refuse(groups, forms, text, "is no metric");
  Metric metric = {.kind = functions[function].kind};
  Str argument = str_trim(str_slice(text, open + 1, text.len - 1));
  metric.field = rest_field_named(groups->decoder, groups->resource, argument);
  if (metric.field == NULL || metric.field->is_hidden)
    return rest_refuse_unknown_field(groups->decoder, groups->resource, argument, groups->param);
  bool is_sum = metric.kind == METRIC_SUM || metric.kind == METRIC_AVG;
  if (is_sum && !has_sum(metric.field)) return refuse(groups, (Str){0}, text, "has no sum: the field is no number");
  if (!is_sum && !rest_field_is_ordered(metric.field)) return refuse(groups, (Str){0}, text, "has no order");
  *ret = metric;
  return CODE_OK;
}

Code rest_metric_find(RestGroups *groups, Str text, uint32_t *ret) {
  Metric metric = {0};
  TRY(resolve_metric(groups, text, &metric));
  for (size_t i = 0; i < groups->metric_count; i++) {
    if (groups->metrics[i].kind != metric.kind || groups->metrics[i].field != metric.field) continue;
    *ret = (uint32_t)i;
    return CODE_OK;
  }
  if (groups->metric_count == REST_METRICS_MAX)
    return rest_refuse(groups->decoder, CODE_BAD_REQUEST, (Str){0}, "An aggregate has at most %d metrics", REST_METRICS_MAX);
  groups->metrics[groups->metric_count] = metric;
  *ret = (uint32_t)groups->metric_count++;
  return CODE_OK;
}

static Code parse_metrics(RestGroups *groups, const RestParam *param) {
  static const RestParam counted = {.name = STR_INIT("metrics"), .path = STR_INIT("metrics"), .value = STR_INIT("count")};
  groups->param = param == NULL ? &counted : param;
  groups->metrics = ARENA_ARRAY(groups->decoder->arena, Metric, REST_METRICS_MAX);
  if (groups->metrics == NULL) return rest_no_memory(groups->decoder);
  Str rest = groups->param->value, text;
  while (str_split_next(&rest, ',', &text)) {
    size_t before = groups->metric_count;
    uint32_t index;
    TRY(rest_metric_find(groups, str_trim(text), &index));
    if (groups->metric_count == before) return refuse(groups, (Str){0}, str_trim(text), "is named twice");
  }
  return CODE_OK;
}

/* ---- sort ---- */

static Code parse_order(RestGroups *groups, Str text, struct AggregateOrder *ret) {
  struct AggregateOrder order = {.is_descending = str_starts_with(text, STR("-"))};
  if (order.is_descending) text = str_slice(text, 1, text.len);
  for (size_t i = 0; i < groups->by_count; i++) {
    if (!str_equal(groups->by_names[i], text)) continue;
    order.index = (uint32_t)i;
    *ret = order;
    return CODE_OK;
  }
  bool is_metric = str_equal(text, STR("count")) || str_find_byte(text, '(', 0) < text.len;
  if (!is_metric) return refuse(groups, STR("groups are sorted by what by= names and by metrics"), text, "is not what they are made by");
  order.is_metric = true;
  TRY(rest_metric_find(groups, text, &order.index));
  *ret = order;
  return CODE_OK;
}

static Code parse_sort(RestGroups *groups, const RestParam *param, Aggregate *aggregate) {
  if (param == NULL) return CODE_OK;
  groups->param = param;
  size_t cap = list_size(param->value);
  if (cap > ORDER_TERMS_MAX) return rest_refuse(groups->decoder, CODE_BAD_REQUEST, (Str){0}, "sort: more than %d terms", ORDER_TERMS_MAX);
  struct AggregateOrder *orders = ARENA_ARRAY(groups->decoder->arena, struct AggregateOrder, cap);
  if (orders == NULL) return rest_no_memory(groups->decoder);
  Str rest = param->value, text;
  while (str_split_next(&rest, ',', &text)) TRY(parse_order(groups, str_trim(text), &orders[aggregate->order_count++]));
  aggregate->order = orders;
  return CODE_OK;
}

/* ---- the template ---- */

typedef struct Template {
  RestGroups *groups;
  RestGroupPiece *pieces;
  size_t piece_count;
  Buf text; /* what will stand before the next value */
} Template;

static void template_name(Template *made, Str name) {
  json_write_string(&made->text, name);
  buf_add_byte(&made->text, ':');
}

static void template_value(Template *made, RestKey form, size_t value) {
  made->pieces[made->piece_count++] = (RestGroupPiece){buf_str(&made->text), form, value};
  Arena *arena = made->groups->decoder->arena;
  Code failed = made->text.failed;
  made->text = buf_on(arena, PIECE_BYTES_MAX);
  made->text.failed = failed;
}

RestKey rest_group_form(const Field *field) {
  bool is_decimal = field->type == TYPE_DECIMAL;
  return rest_key(STR(""), field->type == TYPE_BIGINT, is_decimal ? field->scale : -1);
}

static RestKey metric_form(const Metric *metric) {
  if (metric->field == NULL || metric->kind == METRIC_AVG) return rest_key(STR(""), false, -1);
  RestKey form = rest_group_form(metric->field);
  if (metric->kind == METRIC_SUM) form.is_quoted = true; /* a sum of integers is text already */
  return form;
}

/* ,"sum":{"price":…,"stock":…} */
static void template_function(Template *made, size_t function, size_t shown_count) {
  const RestGroups *groups = made->groups;
  bool is_first = true;
  for (size_t i = 0; i < shown_count; i++) {
    const Metric *metric = &groups->metrics[i];
    if (metric->kind != functions[function].kind) continue;
    buf_add_byte(&made->text, ',');
    if (is_first) {
      template_name(made, functions[function].name);
      buf_add_byte(&made->text, '{');
    }
    is_first = false;
    template_name(made, metric->field->name);
    template_value(made, metric_form(metric), groups->by_count + i);
  }
  if (!is_first) buf_add_byte(&made->text, '}');
}

static Code make_template(RestGroups *groups, size_t shown_count, RestAggregate *ret) {
  Arena *arena = groups->decoder->arena;
  Template made = {.groups = groups, .text = buf_on(arena, PIECE_BYTES_MAX)};
  made.pieces = ARENA_ARRAY(arena, RestGroupPiece, groups->by_count + shown_count);
  if (made.pieces == NULL) return rest_no_memory(groups->decoder);
  buf_add(&made.text, STR("{\"by\":{"));
  for (size_t i = 0; i < groups->by_count; i++) {
    if (i > 0) buf_add_byte(&made.text, ',');
    template_name(&made, groups->by_names[i]);
    template_value(&made, rest_group_form(groups->by_fields[i]), i);
  }
  buf_add_byte(&made.text, '}');
  for (size_t i = 0; i < shown_count; i++) {
    if (groups->metrics[i].kind != METRIC_COUNT) continue;
    buf_add(&made.text, STR(",\"count\":"));
    template_value(&made, rest_key(STR(""), false, -1), groups->by_count + i);
  }
  for (size_t function = 0; function < FUNCTION_COUNT; function++) template_function(&made, function, shown_count);
  buf_add_byte(&made.text, '}');
  if (made.text.failed != CODE_OK) return rest_no_memory(groups->decoder);
  ret->pieces = made.pieces;
  ret->piece_count = made.piece_count;
  ret->end = buf_str(&made.text);
  return CODE_OK;
}

/* ---- all of it ---- */

static const Str own_params[] = {STR_INIT("by"), STR_INIT("metrics"), STR_INIT("sort"), STR_INIT("having")};

bool rest_is_aggregate_param(const RestParam *param) {
  for (size_t i = 0; i < sizeof own_params / sizeof *own_params; i++) {
    if (str_equal(param->name, own_params[i])) return true;
  }
  return false;
}

void rest_offer_aggregate_params(Nearest *nearest) {
  for (size_t i = 0; i < sizeof own_params / sizeof *own_params; i++) nearest_offer(nearest, own_params[i]);
}

Code rest_aggregate_parse(RestDecoder *decoder, const Resource *resource, const RestParams *params, RestAggregate *ret) {
  RestGroups groups = {.decoder = decoder, .resource = resource};
  RestAggregate made = {0};
  TRY(parse_by(&groups, rest_params_find(params, STR("by"))));
  TRY(parse_metrics(&groups, rest_params_find(params, STR("metrics"))));
  size_t shown_count = groups.metric_count;
  TRY(parse_sort(&groups, rest_params_find(params, STR("sort")), &made.aggregate));
  TRY(rest_having_parse(&groups, rest_params_find(params, STR("having")), &made.aggregate));
  TRY(make_template(&groups, shown_count, &made));
  made.aggregate.by = groups.by;
  made.aggregate.by_count = groups.by_count;
  made.aggregate.metrics = groups.metrics;
  made.aggregate.metric_count = groups.metric_count;
  *ret = made;
  return CODE_OK;
}
