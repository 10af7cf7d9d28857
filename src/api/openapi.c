/* openapi.c - the document's frame: info, tags, paths, and the components that were asked for. */
#include <stdarg.h>

#include "api/openapi_impl.h"

enum { TEXT_MAX = 1024 };

Str openapi_text(Openapi *api, const char *format, ...) {
  va_list args;
  va_start(args, format);
  Str text = arena_vprintf(api->arena, TEXT_MAX, format, args);
  va_end(args);
  if (text.ptr == NULL) api->has_failed = true;
  return text.ptr == NULL ? STR("") : text;
}

Str openapi_join(Openapi *api, Str a, Str b) {
  char *bytes = arena_alloc(api->arena, a.len + b.len + 1);
  if (bytes == NULL) {
    api->has_failed = true;
    return STR("");
  }
  if (a.len > 0) memcpy(bytes, a.ptr, a.len);
  if (b.len > 0) memcpy(bytes + a.len, b.ptr, b.len);
  return (Str){bytes, a.len + b.len};
}

void openapi_write_ref(Openapi *api, Str components, Str name, Str part) {
  Buf *out = api->json.buf;
  json_out_separate(&api->json);
  buf_add(out, STR("{\"$ref\":\"#/components/"));
  buf_add(out, components);
  buf_add_byte(out, '/');
  buf_add(out, name);
  if (part.len > 0) buf_add_byte(out, '.');
  buf_add(out, part);
  buf_add(out, STR("\"}"));
}

Str openapi_capital(Openapi *api, Str name) {
  Str copy = arena_str(api->arena, name);
  if (copy.ptr == NULL || copy.len == 0) {
    api->has_failed = api->has_failed || copy.ptr == NULL;
    return STR("");
  }
  char *first = (char *)copy.ptr; /* just made here */
  if (*first >= 'a' && *first <= 'z') *first = (char)(*first - 32);
  return copy;
}

/* ---- Names of schemas ---- */

static Str kind_suffix(SchemaKind kind) {
  switch (kind) {
    case SCHEMA_CREATE: return STR("Create");
    case SCHEMA_REPLACE: return STR("Replace");
    case SCHEMA_UPDATE: return STR("Update");
    case SCHEMA_LIST: return STR("List");
    case SCHEMA_NESTED_LIST: return STR("NestedList");
    case SCHEMA_CREATED: return STR("Created");
    case SCHEMA_CREATE_INPUT: return STR("CreateInput");
    case SCHEMA_WHERE: return STR("Where");
    case SCHEMA_LINK: return STR("Link");
    case SCHEMA_IMPORTED: return STR("Imported");
    case SCHEMA_AGGREGATE: return STR("Aggregate");
    case SCHEMA_EMBEDDED_INPUT: return STR("Input");
    case SCHEMA_LINKS: return STR("Links");
    case SCHEMA_LINKS_NEW: return STR("NewLinks");
    case SCHEMA_LINKS_CREATE: return STR("Create");
    case SCHEMA_LINKS_INPUT: return STR("CreateInput");
    case SCHEMA_PROBLEM: return STR("Problem");
    case SCHEMA_JSON_PATCH: return STR("JsonPatch");
    case SCHEMA_BATCH_REQUEST: return STR("BatchRequest");
    case SCHEMA_BATCH_ANSWER: return STR("BatchAnswer");
    case SCHEMA_HEALTH: return STR("Health");
    case SCHEMA_FILTER: return STR("Filter");
    default: return STR("");
  }
}

/* A type of the contract keeps its name; what is made here gets out of its way. */
static Str schema_name(Openapi *api, SchemaKind kind, const void *subject) {
  Str base = {0}, suffix = kind_suffix(kind);
  switch (kind) {
    case SCHEMA_RESOURCE: return ((const Resource *)subject)->name;
    case SCHEMA_ENUM: return ((const EnumType *)subject)->name;
    case SCHEMA_EMBEDDED: return ((const Embedded *)subject)->name;
    case SCHEMA_EMBEDDED_INPUT: base = ((const Embedded *)subject)->name; break;
    case SCHEMA_PROBLEM:
    case SCHEMA_JSON_PATCH:
    case SCHEMA_BATCH_REQUEST:
    case SCHEMA_BATCH_ANSWER:
    case SCHEMA_IMPORTED:
    case SCHEMA_HEALTH: break;
    case SCHEMA_LINKS:
    case SCHEMA_LINKS_NEW:
    case SCHEMA_LINKS_INPUT:
    case SCHEMA_LINKS_CREATE: {
      const Field *field = subject;
      Str name = openapi_capital(api, field->name);
      base = openapi_join(api, field->resource->name, name);
      break;
    }
    case SCHEMA_FILTER: base = openapi_filter_name(subject); break;
    default: base = ((const Resource *)subject)->name; break;
  }
  Str name = openapi_join(api, base, suffix);
  return contract_has_type(api->contract, name) ? openapi_text(api, "%.*s_%.*s", STR_ARGS(base), STR_ARGS(suffix)) : name;
}

static bool is_same(const SchemaNeed *a, SchemaKind kind, const void *subject) {
  return a->kind == kind && (a->subject == subject || kind == SCHEMA_FILTER); /* conditions belong to a type, not to one field */
}

Str openapi_need(Openapi *api, SchemaKind kind, const void *subject) {
  Str name = schema_name(api, kind, subject);
  const SchemaNeed *other = map_get(&api->needed, name);
  while (other != NULL && !is_same(other, kind, subject) && !api->has_failed) {
    name = openapi_text(api, "%.*s_", STR_ARGS(name));
    other = map_get(&api->needed, name);
  }
  if (other != NULL) return name;
  SchemaNeed *need = ARENA_NEW(api->arena, SchemaNeed);
  if (need != NULL) *need = (SchemaNeed){kind, subject, name};
  if (need == NULL || !map_put(&api->needed, name, need) || !VEC_PUSH(api->arena, &api->schemas, need)) api->has_failed = true;
  return name;
}

void openapi_ref(Openapi *api, SchemaKind kind, const void *subject) {
  openapi_write_ref(api, STR("schemas"), openapi_need(api, kind, subject), (Str){0});
}

/* ---- The frame ---- */

static void write_info(Openapi *api) {
  JsonOut *json = &api->json;
  const Contract *contract = api->contract;
  json_out_member_open(json, STR("info"), '{');
  json_out_member_text(json, STR("title"), contract->service_name);
  json_out_member_text(json, STR("version"), contract->service_version);
  json_out_member_text(json, STR("description"),
                       STR("Lists are given page by page: follow `nextCursor`, or the `Link` header. Conditions are written "
                           "`field[operator]=value`, with `field=value` as "
                           "the short form of `field[eq]=value`; a condition may follow relations (`category.name[eq]=Tea`), and `filter` "
                           "takes a whole expression. "
                           "`fields` chooses what is answered, relations included: `fields=id,category(name)`; a nested list takes "
                           "`.limit`, `.sort` and `.filter`, as in "
                           "`reviews.limit=5`. Without `fields` every stored field is answered. Every refusal is a problem document (RFC "
                           "9457) with a `code` to decide by and "
                           "all mistakes of a body at once in `errors`."));
  json_out_member_open(json, STR("contact"), '{');
  json_out_member_text(json, STR("name"), contract->service_name);
  json_out_close(json, '}');
  json_out_member_raw(json, STR("license"), STR("{\"name\":\"As agreed with the provider\",\"identifier\":\"LicenseRef-provider\"}"));
  json_out_close(json, '}');
}

static void write_tags(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("tags"), '[');
  for (size_t i = 0; i < api->contract->resource_count; i++) {
    const Resource *resource = api->contract->resources[i];
    json_out_open(json, '{');
    json_out_member_text(json, STR("name"), resource->name);
    Str description = resource->description.len > 0 ? resource->description : openapi_text(api, "%.*s.", STR_ARGS(resource->plural));
    json_out_member_text(json, STR("description"), description);
    json_out_close(json, '}');
  }
  openapi_write_service_tags(api);
  json_out_close(json, ']');
}

static void write_schemas(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("schemas"), '{');
  /* Writing one may ask for more. */
  for (size_t i = 0; i < api->schemas.count; i++) {
    const SchemaNeed *need = api->schemas.items[i];
    json_out_key(json, need->name);
    openapi_write_schema(api, need);
  }
  json_out_close(json, '}');
}

static void write_components(Openapi *api) {
  JsonOut *json = &api->json;
  json_out_member_open(json, STR("components"), '{');
  json_out_member_raw(json, STR("securitySchemes"),
                      STR("{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\",\"description\":\"A token signed "
                          "for this service (RFC 6750).\"}}"));
  openapi_write_parameters(api); /* before the schemas, which it asks for */
  openapi_write_error_responses(api);
  write_schemas(api);
  json_out_close(json, '}');
}

Code openapi_write(const Contract *contract, const OpenapiOptions *options, Arena *arena, Buf *out, Error *err) {
  Openapi api = {.contract = contract, .options = options, .arena = arena, .json = {.buf = out}, .needed = map_on(arena)};
  api.has_filters = ARENA_ARRAY(arena, bool, contract->resource_count + 1);
  api.has_fields = ARENA_ARRAY(arena, bool, contract->resource_count + 1);
  api.has_aggregate = ARENA_ARRAY(arena, bool, contract->resource_count + 1);
  if (api.has_filters == NULL || api.has_fields == NULL || api.has_aggregate == NULL) return error_no_memory(err);
  json_out_open(&api.json, '{');
  json_out_member_text(&api.json, STR("openapi"), STR("3.1.0"));
  write_info(&api);
  json_out_member_raw(&api.json, STR("servers"), STR("[{\"url\":\"/\",\"description\":\"The server that gave this document\"}]"));
  write_tags(&api);
  openapi_write_paths(&api);
  write_components(&api);
  json_out_close(&api.json, '}');
  Str text;
  if (api.has_failed) return error_no_memory(err);
  return buf_finish(out, &text, err);
}
