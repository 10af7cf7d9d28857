/* rest_deprecation.c - of several deprecated things the one that goes first is told: the earliest dates, and every link. */
#include "api/rest_deprecation.h"

#include "api/rest_state.h"
#include "base/datetime.h"
#include "codec/url.h"

enum { LINKS_MAX = 8, LINK_BYTES_MAX = 16 * 1024 };

typedef struct Deprecated {
  bool is_any, has_sunset;
  int64_t since_us, sunset_us;
  Str links[LINKS_MAX];
  size_t link_count;
} Deprecated;

/* ---- In a contract ---- */

static bool enum_has_deprecated(const EnumType *type) {
  for (size_t i = 0; i < type->value_count; i++) {
    if (type->values[i].deprecation_reason.ptr != NULL) return true;
  }
  return false;
}

bool contract_has_deprecated(const Contract *contract) {
  for (size_t i = 0; i < contract->resource_count; i++) {
    const Resource *resource = contract->resources[i];
    if (resource->deprecation_reason.ptr != NULL) return true;
    for (size_t k = 0; k < resource->field_count; k++) {
      if (resource->fields[k]->deprecation_reason.ptr != NULL) return true;
    }
  }
  for (size_t i = 0; i < contract->enum_count; i++) {
    if (enum_has_deprecated(contract->enums[i])) return true;
  }
  return false;
}

/* ---- In a request ---- */

static void add_link(Deprecated *deprecated, Str url) {
  for (size_t i = 0; i < deprecated->link_count; i++) {
    if (str_equal(deprecated->links[i], url)) return;
  }
  if (url.len > 0 && deprecated->link_count < LINKS_MAX) deprecated->links[deprecated->link_count++] = url;
}

static void add(Deprecated *deprecated, Str reason, Str since, Str sunset, Str url) {
  int64_t since_us = 0, sunset_us = 0;
  if (reason.ptr == NULL) return;
  /* Since when is not said: it is deprecated, which any day in the past says. */
  if (!contract_moment(since, &since_us)) since_us = 0;
  if (!deprecated->is_any || since_us < deprecated->since_us) deprecated->since_us = since_us;
  deprecated->is_any = true;
  if (contract_moment(sunset, &sunset_us) && (!deprecated->has_sunset || sunset_us < deprecated->sunset_us)) {
    deprecated->has_sunset = true;
    deprecated->sunset_us = sunset_us;
  }
  add_link(deprecated, url);
}

static void add_resource(Deprecated *deprecated, const Resource *resource) {
  add(deprecated, resource->deprecation_reason, resource->deprecated_since, resource->sunset, resource->deprecation_url);
}

static void add_field(Deprecated *deprecated, const Field *field) {
  if (field != NULL) add(deprecated, field->deprecation_reason, field->deprecated_since, field->sunset, field->deprecation_url);
}

/* `text` is a value's name, or what is stored for it. */
static void add_enum_value(Deprecated *deprecated, const EnumType *type, Str text, bool is_stored) {
  for (size_t i = 0; i < type->value_count; i++) {
    const EnumValue *value = &type->values[i];
    if (str_equal(is_stored ? value->stored : value->name, text))
      add(deprecated, value->deprecation_reason, value->deprecated_since, value->sunset, value->deprecation_url);
  }
}

static void add_expr(Deprecated *deprecated, const Expr *expr) {
  if (expr == NULL) return;
  for (size_t i = 0; i < expr->path.hop_count; i++) add_field(deprecated, expr->path.hops[i]->field);
  add_field(deprecated, expr->path.field);
  if (expr->kind == EXPR_LITERAL && expr->enum_type != NULL && expr->value.type == VALUE_TEXT)
    add_enum_value(deprecated, expr->enum_type, expr->value.text, true);
  /* A face's own comparison: the literal is stored in the column's form. */
  bool is_comparison = expr->arg_count == 2 && expr->args[0]->kind == EXPR_PATH && expr->args[0]->enum_type != NULL;
  if (is_comparison && expr->args[1]->kind == EXPR_LITERAL && expr->args[1]->value.type == VALUE_TEXT)
    add_enum_value(deprecated, expr->args[0]->enum_type, expr->args[1]->value.text, true);
  for (size_t i = 0; i < expr->arg_count; i++) add_expr(deprecated, expr->args[i]);
}

static void add_list(Deprecated *deprecated, const ListQuery *list) {
  add_expr(deprecated, list->filter);
  for (size_t i = 0; i < list->order_count; i++) {
    for (size_t k = 0; k < list->order[i].path.hop_count; k++) add_field(deprecated, list->order[i].path.hops[k]->field);
    add_field(deprecated, list->order[i].path.field);
  }
}

static void add_selection(Deprecated *deprecated, const Selection *selection) {
  if (selection == NULL) return;
  add_resource(deprecated, selection->resource);
  for (size_t i = 0; i < selection->count; i++) {
    add_field(deprecated, selection->items[i].field);
    if (selection->items[i].nested == NULL) continue;
    add_list(deprecated, &selection->items[i].nested->list);
    add_selection(deprecated, selection->items[i].nested);
  }
}

/* One row of the input; what is nested in it is its own resources' affair, which their answers tell. */
static void add_input(Deprecated *deprecated, const Resource *resource, const JsonValue *input) {
  for (size_t i = 0; input->type == JSON_ARRAY && i < input->count; i++) add_input(deprecated, resource, &input->items[i]);
  for (size_t i = 0; input->type == JSON_OBJECT && i < input->count; i++) {
    const JsonMember *member = &input->members[i];
    const Field *field = resource_field(resource, member->name);
    if (field == NULL) continue;
    add_field(deprecated, field);
    if (field->kind == FIELD_STORED && field->type == TYPE_ENUM && member->value.type == JSON_STRING)
      add_enum_value(deprecated, field->enum_type, member->value.text, false);
  }
}

static Deprecated find_deprecated(const Operation *operation) {
  Deprecated deprecated = {0};
  add_resource(&deprecated, operation->resource);
  add_selection(&deprecated, operation->selection);
  add_list(&deprecated, &operation->list);
  if (operation->input != NULL) add_input(&deprecated, operation->resource, operation->input);
  return deprecated;
}

/* ---- In the answer ---- */

/* RFC 9745 §2.1: a structured field's Date (RFC 9651 §3.3.7). */
static Str deprecation_value(const Deprecated *deprecated, Arena *arena) {
  int64_t seconds = deprecated->since_us / 1000000;
  if (deprecated->since_us % 1000000 < 0) seconds--;
  return arena_printf(arena, "@%lld", (long long)seconds);
}

static Str sunset_value(const Deprecated *deprecated, Arena *arena) {
  char text[TIMESTAMP_TEXT_MAX];
  size_t len = http_date_write(deprecated->sunset_us, text);
  return arena_str(arena, (Str){text, len});
}

/* Bytes beyond ASCII, which the contract lets through, are encoded as a header wants them. */
static Str links_value(const Deprecated *deprecated, Arena *arena) {
  Buf out = buf_on(arena, LINK_BYTES_MAX);
  for (size_t i = 0; i < deprecated->link_count; i++) {
    buf_add(&out, i == 0 ? STR("<") : STR(", <"));
    for (size_t k = 0; k < deprecated->links[i].len; k++) {
      Str byte = str_slice(deprecated->links[i], k, k + 1);
      if ((unsigned char)byte.ptr[0] < 0x80)
        buf_add(&out, byte);
      else
        url_encode(&out, byte);
    }
    buf_add(&out, STR(">; rel=\"deprecation\""));
  }
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

bool rest_add_deprecation(ApiRequest *request) {
  const RestState *state = request->face_state;
  Arena *arena = request->exchange->arena;
  HttpResponse *response = &request->response;
  Deprecated deprecated = find_deprecated(&state->main->operation);
  if (!deprecated.is_any || request->problem != NULL) return true;
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, response->header_count + 3);
  if (headers == NULL) return false;
  size_t count = response->header_count;
  if (count > 0) memcpy(headers, response->headers, count * sizeof *headers);
  headers[count++] = (HttpHeader){STR("deprecation"), deprecation_value(&deprecated, arena)};
  if (deprecated.has_sunset) headers[count++] = (HttpHeader){STR("sunset"), sunset_value(&deprecated, arena)};
  if (deprecated.link_count > 0) headers[count++] = (HttpHeader){STR("link"), links_value(&deprecated, arena)};
  for (size_t i = response->header_count; i < count; i++) {
    if (headers[i].value.ptr == NULL) return false;
  }
  response->headers = headers;
  response->header_count = count;
  return true;
}
