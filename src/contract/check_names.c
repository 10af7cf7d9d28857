/* check_names.c - the service's name and version; each resource's path, table and names for the faces, and that no two collide. */
#include "contract/check.h"

#include "contract/plural.h"

/* The first part of a path that is not a resource's. */
static const Str reserved_versions[] = {STR_INIT("graphql"),  STR_INIT("docs"),    STR_INIT("livez"),   STR_INIT("readyz"),
                                        STR_INIT("startupz"), STR_INIT("metrics"), STR_INIT("problems")};

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_service_name(Str name) {
  if (name.len == 0 || name.len > 63 || !is_letter(name.ptr[0])) return false;
  for (size_t i = 0; i < name.len; i++) {
    if (!is_letter(name.ptr[i]) && !is_digit(name.ptr[i]) && name.ptr[i] != '-' && name.ptr[i] != '_') return false;
  }
  return true;
}

/* What needs no percent-encoding in a path, begins with a letter or digit, and can't be taken for :aggregate. */
static bool is_path(Str path) {
  if (path.len == 0 || path.len > 100 || (!is_letter(path.ptr[0]) && !is_digit(path.ptr[0]))) return false;
  for (size_t i = 0; i < path.len; i++) {
    char c = path.ptr[i];
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '.' && c != '~') return false;
  }
  return true;
}

static void check_version(const Checker *checker, const SdlValue *version) {
  bool is_reserved = false;
  for (size_t i = 0; i < sizeof reserved_versions / sizeof reserved_versions[0]; i++) {
    is_reserved = is_reserved || str_equal(reserved_versions[i], version->text);
  }
  if (!is_path(version->text))
    report_add(checker->report, version->span, STR("such as \"v1\""),
               "the version must be a part of a path: letters, digits, \"-\", \"_\", \".\"");
  else if (is_reserved)
    report_add(checker->report, version->span, STR("such as \"v1\""), "the path \"/%.*s\" is the server's own", STR_ARGS(version->text));
}

static void check_service(Checker *checker, const SdlDirective *service) {
  const SdlValue *name = NULL, *version = NULL;
  if (check_string(service, STR("name"), &name)) {
    checker->contract->service_name = name->text;
    if (!is_service_name(name->text)) {
      report_add(checker->report, name->span, STR("such as \"shop\""),
                 "a service's name begins with a letter and has letters, digits, \"-\" and \"_\", at most 63");
    }
  }
  if (!check_string(service, STR("version"), &version)) return;
  checker->contract->service_version = version->text;
  check_version(checker, version);
}

static void check_schema(Checker *checker) {
  bool has_service = false;
  checker->contract->place = (SourcePlace){checker->first_source->name, 1, 1};
  for (size_t i = 0; i < checker->document->count; i++) {
    const SdlDefinition *sdl = &checker->document->items[i];
    if (sdl->kind != SDL_SCHEMA) continue;
    if (sdl->operations.source != NULL) {
      report_add(checker->report, sdl->operations, STR("queries and mutations are made from the resources"),
                 "root operation types can't be given");
    }
    const SdlDirective *service = sdl_directive(sdl->directives, STR("service"));
    if (service == NULL) continue;
    if (!has_service) checker->contract->place = span_place(service->span);
    if (has_service)
      report_add(checker->report, service->span, (Str){0}, "\"@service\" stands once in a contract");
    else
      check_service(checker, service);
    has_service = true;
  }
}

/* "examples/shop.graphql" → "shop", for a contract that doesn't name its service. */
static Str default_service_name(Str file) {
  size_t begin = file.len;
  while (begin > 0 && file.ptr[begin - 1] != '/') begin--;
  size_t end = str_find_byte(file, '.', begin);
  Str stem = str_slice(file, begin, end);
  return is_service_name(stem) ? stem : STR("app");
}

static Code check_path(Checker *checker, const CheckedType *type, Error *err) {
  Resource *resource = type->resource;
  const SdlDirective *directive = sdl_directive(type->sdl->directives, STR("resource"));
  const SdlValue *given = NULL;
  Span at = type->sdl->span;
  if (check_string(directive, STR("path"), &given)) {
    resource->path = given->text;
    at = given->span;
  } else {
    resource->path = name_kebab(resource->plural, checker->arena);
  }
  TRY_ALLOC(resource->path.ptr);
  if (!is_path(resource->path)) {
    report_add(checker->report, at, STR("such as \"order-lines\""),
               "a path has letters, digits, \"-\", \"_\", \".\" and \"~\", and begins with a letter or digit");
    return CODE_OK;
  }
  if (str_equal(resource->path, STR("batch"))) {
    report_add(checker->report, at, STR("give another: @resource(path: \"…\")"), "the path \"batch\" is the server's own");
  }
  const Resource *other = map_get(&checker->contract->resource_by_path, resource->path);
  if (other != NULL) {
    report_add(checker->report, at, STR("give another: @resource(path: \"…\")"), "\"%.*s\" and \"%.*s\" have the same path, \"%.*s\"",
               STR_ARGS(other->name), STR_ARGS(resource->name), STR_ARGS(resource->path));
    return CODE_OK;
  }
  return map_put(&checker->contract->resource_by_path, resource->path, resource) ? CODE_OK : error_no_memory(err);
}

/* SQLite's names don't tell small letters from capitals, so that two tables that differ in nothing else are one. */
static Code check_table(Checker *checker, const CheckedType *type, Map *tables, Error *err) {
  Resource *resource = type->resource;
  const SdlValue *given = NULL;
  Span at = type->sdl->span;
  if (check_string(sdl_directive(type->sdl->directives, STR("resource")), STR("table"), &given)) {
    resource->table = given->text;
    at = given->span;
  } else {
    resource->table = name_snake(resource->plural, checker->arena);
  }
  TRY_ALLOC(resource->table.ptr);
  Str folded = check_folded(checker, resource->table);
  TRY_ALLOC(folded.ptr);
  if (folded.len == 0) report_add(checker->report, at, (Str){0}, "a table needs a name");
  if (str_starts_with(folded, STR("sqlite_")) || str_starts_with(folded, STR("caisson_")) || str_starts_with(folded, STR("pg_"))) {
    report_add(checker->report, at, STR("give another: @resource(table: \"…\")"),
               "the table \"%.*s\" can't be used: names like this are the store's own", STR_ARGS(resource->table));
  }
  const Resource *other = map_get(tables, folded);
  if (other != NULL) {
    report_add(checker->report, at, STR("give another: @resource(table: \"…\")"), "\"%.*s\" and \"%.*s\" have the same table, \"%.*s\"",
               STR_ARGS(other->name), STR_ARGS(resource->name), STR_ARGS(resource->table));
    return CODE_OK;
  }
  return map_put(tables, folded, resource) ? CODE_OK : error_no_memory(err);
}

/* product and products: GraphQL's queries and gRPC's messages. */
static Code check_face_names(Checker *checker, const CheckedType *type, Map *names, Error *err) {
  Resource *resource = type->resource;
  Str plural = name_plural(resource->name, checker->arena);
  TRY_ALLOC(plural.ptr);
  resource->singular = name_camel(resource->name, checker->arena);
  resource->plural = name_camel(plural, checker->arena);
  if (resource->singular.ptr == NULL || resource->plural.ptr == NULL) return error_no_memory(err);
  Str both[] = {resource->singular, resource->plural};
  for (size_t i = 0; i < 2; i++) {
    const Resource *other = map_get(names, both[i]);
    if (other != NULL && other != resource) {
      report_add(checker->report, type->sdl->span, STR("choose another name"), "\"%.*s\" and \"%.*s\" both give the name \"%.*s\"",
                 STR_ARGS(other->name), STR_ARGS(resource->name), STR_ARGS(both[i]));
      return CODE_OK;
    }
    if (!map_put(names, both[i], resource)) return error_no_memory(err);
  }
  return CODE_OK;
}

static void check_type_extras(const CheckedType *type) {
  const SdlDirective *transaction = sdl_directive(type->sdl->directives, STR("transaction"));
  const SdlDirective *renamed = sdl_directive(type->sdl->directives, STR("renamed"));
  const SdlValue *from = NULL;
  Str name = {0};
  Resource *resource = type->resource;
  if (check_string(renamed, STR("from"), &from)) resource->renamed_from = from->text;
  if (!check_name_value(transaction, STR("isolation"), &name)) return;
  if (str_equal(name, STR("READ_COMMITTED"))) resource->isolation = ISOLATION_READ_COMMITTED;
  if (str_equal(name, STR("REPEATABLE_READ"))) resource->isolation = ISOLATION_REPEATABLE_READ;
  if (str_equal(name, STR("SERIALIZABLE"))) resource->isolation = ISOLATION_SERIALIZABLE;
}

Code check_names(Checker *checker, Error *err) {
  Map tables = map_on(checker->scratch), names = map_on(checker->scratch);
  checker->contract->service_name = default_service_name(checker->first_source->name);
  checker->contract->service_version = STR("v1");
  checker->contract->resource_by_path = map_on(checker->arena);
  check_schema(checker);
  for (size_t i = 0; i < checker->type_count; i++) {
    const CheckedType *type = &checker->types[i];
    if (type->kind != CHECKED_RESOURCE) continue;
    TRY(check_face_names(checker, type, &names, err));
    TRY(check_path(checker, type, err));
    TRY(check_table(checker, type, &tables, err));
    check_type_extras(type);
  }
  return CODE_OK;
}
