/* graphql_introspect.c - the schema told in its own language (§4): fields of the types of introspection, answered from the table. */
#include "api/graphql_run.h"
#include "codec/json_out.h"

typedef struct Teller {
  GraphqlRun *run;
  Buf buf;
  JsonOut out;
} Teller;

/* One member of a thing, by its field's name. */
typedef bool TellMemberFn(Teller *teller, const void *thing, Str name, const GraphqlGroup *member);

/* What a type of introspection is made of. */
typedef struct Told {
  const char *type; /* "__Field" */
  TellMemberFn *tell;
} Told;

static void tell_text(Teller *teller, Str text) {
  if (text.ptr == NULL || text.len == 0)
    json_out_raw(&teller->out, STR("null"));
  else
    json_out_text(&teller->out, text);
}

/* The fields that a group asks of a thing. */
static bool tell_object(Teller *teller, const Told *told, const void *thing, const GraphqlGroup *group) {
  GraphqlGroups groups = {0};
  if (!graphql_collect_below(teller->run, group->field->type.type, group, &groups)) return false;
  json_out_open(&teller->out, '{');
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    json_out_key(&teller->out, member->name);
    if (member->field->role == GRAPHQL_ROLE_TYPENAME)
      json_out_text(&teller->out, str_of(told->type));
    else if (!told->tell(teller, thing, member->field->name, member))
      return false;
  }
  json_out_close(&teller->out, '}');
  return teller->buf.failed == CODE_OK;
}

static bool has_deprecated(Teller *teller, const GraphqlGroup *group) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, STR("includeDeprecated"));
  const JsonValue *value = input == NULL ? NULL : graphql_argument(teller->run, group->nodes.items[0], input);
  return value != NULL && value->type == JSON_BOOL && value->boolean;
}

/* An array of things that may be deprecated, where that stands in each. */
typedef struct Things {
  const void *items;
  size_t count, size, deprecation_at;
} Things;
#define THINGS(type, items_, count_)                                                                                                       \
  (&(Things){.items = (items_), .count = (count_), .size = sizeof(type), .deprecation_at = offsetof(type, deprecation)})

static bool tell_things(Teller *teller, const Told *told, const Things *things, const GraphqlGroup *group) {
  bool is_all = has_deprecated(teller, group);
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < things->count; i++) {
    const char *thing = (const char *)things->items + i * things->size;
    const Str *deprecation = (const Str *)(const void *)(thing + things->deprecation_at);
    if ((is_all || deprecation->ptr == NULL) && !tell_object(teller, told, thing, group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

/* isDeprecated and deprecationReason, of whatever can be. */
static bool tell_deprecation(Teller *teller, Str name, Str reason) {
  if (str_equal(name, STR("isDeprecated")))
    json_out_bool(&teller->out, reason.ptr != NULL);
  else
    tell_text(teller, reason);
  return true;
}

/* ---- inputs, fields, values of enums ---- */

static bool tell_type(Teller *teller, GraphqlRef ref, const GraphqlGroup *group);

static bool tell_input(Teller *teller, const void *thing, Str name, const GraphqlGroup *member) {
  const GraphqlInput *input = thing;
  if (str_equal(name, STR("name"))) return json_out_text(&teller->out, input->name), true;
  if (str_equal(name, STR("description"))) return tell_text(teller, input->description), true;
  if (str_equal(name, STR("defaultValue"))) return tell_text(teller, input->fallback), true;
  if (str_equal(name, STR("type"))) return tell_type(teller, input->type, member);
  return tell_deprecation(teller, name, input->deprecation);
}
static const Told input_told = {"__InputValue", tell_input};

static bool tell_inputs(Teller *teller, const GraphqlInput *inputs, size_t count, const GraphqlGroup *group) {
  return tell_things(teller, &input_told, THINGS(GraphqlInput, inputs, count), group);
}

static bool tell_field(Teller *teller, const void *thing, Str name, const GraphqlGroup *member) {
  const GraphqlField *field = thing;
  if (str_equal(name, STR("name"))) return json_out_text(&teller->out, field->name), true;
  if (str_equal(name, STR("description"))) return tell_text(teller, field->description), true;
  if (str_equal(name, STR("args"))) return tell_inputs(teller, field->arguments, field->argument_count, member);
  if (str_equal(name, STR("type"))) return tell_type(teller, field->type, member);
  return tell_deprecation(teller, name, field->deprecation);
}
static const Told field_told = {"__Field", tell_field};

static bool tell_item(Teller *teller, const void *thing, Str name, const GraphqlGroup *member) {
  const GraphqlEnumItem *item = thing;
  (void)member;
  if (str_equal(name, STR("name"))) return json_out_text(&teller->out, item->name), true;
  if (str_equal(name, STR("description"))) return tell_text(teller, item->description), true;
  return tell_deprecation(teller, name, item->deprecation);
}
static const Told item_told = {"__EnumValue", tell_item};

/* ---- types ---- */

static bool tell_types(Teller *teller, const GraphqlGroup *group, bool (*is_wanted)(const GraphqlSchema *schema, const GraphqlType *type)) {
  const GraphqlSchema *schema = teller->run->schema;
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < schema->type_count; i++) {
    if (is_wanted(schema, schema->types[i]) && !tell_type(teller, (GraphqlRef){.type = schema->types[i]}, group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

static bool is_any(const GraphqlSchema *schema, const GraphqlType *type) {
  (void)schema;
  (void)type;
  return true;
}
static bool is_node(const GraphqlSchema *schema, const GraphqlType *type) {
  (void)schema;
  return type->is_node;
}
static bool is_entity(const GraphqlSchema *schema, const GraphqlType *type) {
  (void)schema;
  return type->is_entity;
}
static bool is_interface(const GraphqlSchema *schema, const GraphqlType *type) { return type == schema->node; }
static bool is_none(const GraphqlSchema *schema, const GraphqlType *type) {
  (void)schema;
  (void)type;
  return false;
}

static bool has_fields(const GraphqlType *type) { return type->kind == GRAPHQL_OBJECT_TYPE || type->kind == GRAPHQL_INTERFACE_TYPE; }

static Str kind_name(GraphqlRef ref) {
  static const Str names[] = {STR_INIT("SCALAR"), STR_INIT("OBJECT"),       STR_INIT("INTERFACE"),
                              STR_INIT("ENUM"),   STR_INIT("INPUT_OBJECT"), STR_INIT("UNION")};
  if (graphql_is_required(ref)) return STR("NON_NULL");
  return ref.depth > 0 ? STR("LIST") : names[ref.type->kind];
}

static bool tell_type_member(Teller *teller, const void *thing, Str name, const GraphqlGroup *member) {
  const GraphqlRef ref = *(const GraphqlRef *)thing;
  const GraphqlType *type = graphql_is_required(ref) || ref.depth > 0 ? NULL : ref.type;
  if (str_equal(name, STR("kind"))) return json_out_text(&teller->out, kind_name(ref)), true;
  if (str_equal(name, STR("ofType")) && type == NULL)
    return tell_type(teller, graphql_is_required(ref) ? graphql_nullable(ref) : graphql_item(ref), member);
  if (type == NULL || str_equal(name, STR("specifiedByURL")) || str_equal(name, STR("ofType")))
    return json_out_raw(&teller->out, STR("null")), true;
  bool is_input = type->kind == GRAPHQL_INPUT_TYPE;
  if (str_equal(name, STR("name"))) return json_out_text(&teller->out, type->name), true;
  if (str_equal(name, STR("description"))) return tell_text(teller, type->description), true;
  if (str_equal(name, STR("fields")) && has_fields(type))
    return tell_things(teller, &field_told, THINGS(GraphqlField, type->fields, type->field_count), member);
  if (str_equal(name, STR("enumValues")) && type->kind == GRAPHQL_ENUM_TYPE)
    return tell_things(teller, &item_told, THINGS(GraphqlEnumItem, type->items, type->item_count), member);
  if (str_equal(name, STR("inputFields")) && is_input) return tell_inputs(teller, type->inputs, type->input_count, member);
  if (str_equal(name, STR("interfaces")) && has_fields(type)) return tell_types(teller, member, type->is_node ? is_interface : is_none);
  if (str_equal(name, STR("possibleTypes")) && type->kind == GRAPHQL_INTERFACE_TYPE) return tell_types(teller, member, is_node);
  if (str_equal(name, STR("possibleTypes")) && type->kind == GRAPHQL_UNION_TYPE) return tell_types(teller, member, is_entity);
  if (str_equal(name, STR("isOneOf")) && is_input) return json_out_bool(&teller->out, type->is_one_of), true;
  return json_out_raw(&teller->out, STR("null")), true;
}

static bool tell_type(Teller *teller, GraphqlRef ref, const GraphqlGroup *group) {
  static const Told type_told = {"__Type", tell_type_member};
  return tell_object(teller, &type_told, &ref, group);
}

/* ---- directives, the schema ---- */

static bool tell_locations(Teller *teller, Str locations) {
  Str rest = locations, location;
  json_out_open(&teller->out, '[');
  while (str_split_next(&rest, ' ', &location)) json_out_text(&teller->out, location);
  json_out_close(&teller->out, ']');
  return true;
}

static bool tell_directive_argument(Teller *teller, const GraphqlDirectiveForm *form, const GraphqlGroup *group) {
  bool is_required = str_ends_with(form->argument_type, STR("!"));
  Str type = str_slice(form->argument_type, 0, form->argument_type.len - is_required);
  GraphqlInput input = {.name = form->argument, .fallback = form->argument_default};
  input.type = (GraphqlRef){.type = graphql_type(teller->run->schema, type), .required = is_required};
  return tell_inputs(teller, &input, form->argument.len > 0, group);
}

static bool tell_directive(Teller *teller, const void *thing, Str name, const GraphqlGroup *member) {
  const GraphqlDirectiveForm *form = thing;
  if (str_equal(name, STR("name"))) return json_out_text(&teller->out, form->name), true;
  if (str_equal(name, STR("description"))) return tell_text(teller, form->description), true;
  if (str_equal(name, STR("isRepeatable"))) return json_out_bool(&teller->out, false), true;
  if (str_equal(name, STR("locations"))) return tell_locations(teller, form->locations);
  return tell_directive_argument(teller, form, member);
}

static bool tell_directives(Teller *teller, const GraphqlGroup *group) {
  static const Told directive_told = {"__Directive", tell_directive};
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < graphql_directive_form_count; i++) {
    if (!tell_object(teller, &directive_told, &graphql_directive_forms[i], group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

static bool tell_root(Teller *teller, const GraphqlType *type, const GraphqlGroup *member) {
  return type == NULL ? (json_out_raw(&teller->out, STR("null")), true) : tell_type(teller, (GraphqlRef){.type = type}, member);
}

static bool tell_schema(Teller *teller, const void *thing, Str name, const GraphqlGroup *member) {
  const GraphqlSchema *schema = thing;
  if (str_equal(name, STR("types"))) return tell_types(teller, member, is_any);
  if (str_equal(name, STR("queryType"))) return tell_root(teller, schema->query, member);
  if (str_equal(name, STR("mutationType"))) return tell_root(teller, schema->mutation, member);
  if (str_equal(name, STR("subscriptionType"))) return tell_root(teller, schema->subscription, member);
  if (str_equal(name, STR("directives"))) return tell_directives(teller, member);
  return json_out_raw(&teller->out, STR("null")), true;
}

/* ---- the two fields of Query ---- */

static bool tell_named(Teller *teller, const GraphqlGroup *group) {
  const JsonValue *name = graphql_argument(teller->run, group->nodes.items[0], &group->field->arguments[0]);
  return tell_root(teller, name == NULL ? NULL : graphql_type(teller->run->schema, name->text), group);
}

bool graphql_introspect(GraphqlRun *run, const GraphqlGroup *group, Str *ret) {
  GraphqlPlace place = group->nodes.items[0]->place;
  if (!run->limits->has_introspection) {
    graphql_mistake_at(run->mistakes, place, "Introspection is switched off");
    return false;
  }
  Teller teller = {.run = run, .buf = buf_on(run->arena, run->api->limits.result_bytes_max)};
  teller.out = (JsonOut){.buf = &teller.buf};
  static const Told schema_told = {"__Schema", tell_schema};
  bool is_schema = group->field->role == GRAPHQL_ROLE_SCHEMA;
  bool is_good = is_schema ? tell_object(&teller, &schema_told, run->schema, group) : tell_named(&teller, group);
  if (teller.buf.failed == CODE_TOO_LARGE)
    graphql_mistake(run->mistakes, CODE_TOO_LARGE, &place, 1, "The answer would be too large (--result-max)");
  if (teller.buf.failed == CODE_UNAVAILABLE) return graphql_no_memory(run);
  *ret = buf_str(&teller.buf);
  return is_good && teller.buf.failed == CODE_OK;
}
