/* graphql_introspect.c - the schema told in its own language (§4): fields of the types of introspection, answered from the table. */
#include "api/graphql_run.h"
#include "codec/json_out.h"

typedef struct Teller {
  GraphqlRun *run;
  Buf buf;
  JsonOut out;
} Teller;

static bool tell_type(Teller *teller, GraphqlRef ref, const GraphqlGroup *group);

static void tell_text(Teller *teller, Str text) {
  if (text.ptr == NULL || text.len == 0)
    json_out_raw(&teller->out, STR("null"));
  else
    json_out_text(&teller->out, text);
}

static bool has_deprecated(Teller *teller, const GraphqlGroup *group) {
  const GraphqlInput *input = graphql_input(group->field->arguments, group->field->argument_count, STR("includeDeprecated"));
  const JsonValue *value = input == NULL ? NULL : graphql_argument(teller->run, group->nodes.items[0], input);
  return value != NULL && value->type == JSON_BOOL && value->boolean;
}

/* Begins an object with the fields that a group asks of it. */
static bool begin(Teller *teller, const GraphqlGroup *group, GraphqlGroups *ret) {
  *ret = (GraphqlGroups){0};
  if (!graphql_collect_below(teller->run, group->field->type.type, group, ret)) return false;
  json_out_open(&teller->out, '{');
  return true;
}

static bool tell_typename(Teller *teller, const GraphqlGroup *group, const char *name) {
  if (group->field->role != GRAPHQL_ROLE_TYPENAME) return false;
  json_out_text(&teller->out, str_of(name));
  return true;
}

/* isDeprecated and deprecationReason, of whatever can be. */
static void tell_deprecation(Teller *teller, Str name, Str reason) {
  if (str_equal(name, STR("isDeprecated")))
    json_out_bool(&teller->out, reason.ptr != NULL);
  else
    tell_text(teller, reason);
}

static bool tell_input(Teller *teller, const GraphqlInput *input, const GraphqlGroup *group) {
  GraphqlGroups groups;
  if (!begin(teller, group, &groups)) return false;
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    Str name = member->field->name;
    json_out_key(&teller->out, member->name);
    if (tell_typename(teller, member, "__InputValue")) continue;
    if (str_equal(name, STR("name")))
      json_out_text(&teller->out, input->name);
    else if (str_equal(name, STR("description")))
      tell_text(teller, input->description);
    else if (str_equal(name, STR("defaultValue")))
      tell_text(teller, input->fallback);
    else if (!str_equal(name, STR("type")))
      tell_deprecation(teller, name, input->deprecation);
    else if (!tell_type(teller, input->type, member))
      return false;
  }
  json_out_close(&teller->out, '}');
  return true;
}

static bool tell_inputs(Teller *teller, const GraphqlInput *inputs, size_t count, const GraphqlGroup *group) {
  bool is_all = has_deprecated(teller, group);
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < count; i++) {
    if ((is_all || inputs[i].deprecation.ptr == NULL) && !tell_input(teller, &inputs[i], group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

static bool tell_field(Teller *teller, const GraphqlField *field, const GraphqlGroup *group) {
  GraphqlGroups groups;
  if (!begin(teller, group, &groups)) return false;
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    Str name = member->field->name;
    bool is_good = true;
    json_out_key(&teller->out, member->name);
    if (tell_typename(teller, member, "__Field")) continue;
    if (str_equal(name, STR("name")))
      json_out_text(&teller->out, field->name);
    else if (str_equal(name, STR("description")))
      tell_text(teller, field->description);
    else if (str_equal(name, STR("args")))
      is_good = tell_inputs(teller, field->arguments, field->argument_count, member);
    else if (str_equal(name, STR("type")))
      is_good = tell_type(teller, field->type, member);
    else
      tell_deprecation(teller, name, field->deprecation);
    if (!is_good) return false;
  }
  json_out_close(&teller->out, '}');
  return true;
}

static bool has_fields(const GraphqlType *type) { return type->kind == GRAPHQL_OBJECT_TYPE || type->kind == GRAPHQL_INTERFACE_TYPE; }

static bool tell_fields(Teller *teller, const GraphqlType *type, const GraphqlGroup *group) {
  bool is_all = has_deprecated(teller, group);
  if (!has_fields(type)) return json_out_raw(&teller->out, STR("null")), true;
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < type->field_count; i++) {
    if ((is_all || type->fields[i].deprecation.ptr == NULL) && !tell_field(teller, &type->fields[i], group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

static bool tell_item(Teller *teller, const GraphqlEnumItem *item, const GraphqlGroup *group) {
  GraphqlGroups groups;
  if (!begin(teller, group, &groups)) return false;
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    json_out_key(&teller->out, member->name);
    if (tell_typename(teller, member, "__EnumValue")) continue;
    if (str_equal(member->field->name, STR("name")))
      json_out_text(&teller->out, item->name);
    else if (str_equal(member->field->name, STR("description")))
      tell_text(teller, item->description);
    else
      tell_deprecation(teller, member->field->name, item->deprecation);
  }
  json_out_close(&teller->out, '}');
  return true;
}

static bool tell_items(Teller *teller, const GraphqlType *type, const GraphqlGroup *group) {
  bool is_all = has_deprecated(teller, group);
  if (type->kind != GRAPHQL_ENUM_TYPE) return json_out_raw(&teller->out, STR("null")), true;
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < type->item_count; i++) {
    if ((is_all || type->items[i].deprecation.ptr == NULL) && !tell_item(teller, &type->items[i], group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

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

static Str kind_name(GraphqlRef ref) {
  static const Str names[] = {STR_INIT("SCALAR"), STR_INIT("OBJECT"),       STR_INIT("INTERFACE"),
                              STR_INIT("ENUM"),   STR_INIT("INPUT_OBJECT"), STR_INIT("UNION")};
  if (graphql_is_required(ref)) return STR("NON_NULL");
  return ref.depth > 0 ? STR("LIST") : names[ref.type->kind];
}

static bool tell_type_member(Teller *teller, GraphqlRef ref, const GraphqlGroup *member) {
  Str name = member->field->name;
  const GraphqlType *type = graphql_is_required(ref) || ref.depth > 0 ? NULL : ref.type;
  if (str_equal(name, STR("kind"))) return json_out_text(&teller->out, kind_name(ref)), true;
  if (str_equal(name, STR("ofType")) && type == NULL)
    return tell_type(teller, graphql_is_required(ref) ? graphql_nullable(ref) : graphql_item(ref), member);
  if (type == NULL || str_equal(name, STR("specifiedByURL")) || str_equal(name, STR("ofType")))
    return json_out_raw(&teller->out, STR("null")), true;
  bool is_input = type->kind == GRAPHQL_INPUT_TYPE;
  if (str_equal(name, STR("name"))) return json_out_text(&teller->out, type->name), true;
  if (str_equal(name, STR("description"))) return tell_text(teller, type->description), true;
  if (str_equal(name, STR("fields"))) return tell_fields(teller, type, member);
  if (str_equal(name, STR("enumValues"))) return tell_items(teller, type, member);
  if (str_equal(name, STR("inputFields")) && is_input) return tell_inputs(teller, type->inputs, type->input_count, member);
  if (str_equal(name, STR("interfaces")) && has_fields(type)) return tell_types(teller, member, type->is_node ? is_interface : is_none);
  if (str_equal(name, STR("possibleTypes")) && type->kind == GRAPHQL_INTERFACE_TYPE) return tell_types(teller, member, is_node);
  if (str_equal(name, STR("possibleTypes")) && type->kind == GRAPHQL_UNION_TYPE) return tell_types(teller, member, is_entity);
  if (str_equal(name, STR("isOneOf")) && is_input) return json_out_bool(&teller->out, type->is_one_of), true;
  return json_out_raw(&teller->out, STR("null")), true;
}

static bool tell_type(Teller *teller, GraphqlRef ref, const GraphqlGroup *group) {
  GraphqlGroups groups;
  if (!begin(teller, group, &groups)) return false;
  for (size_t i = 0; i < groups.list.count; i++) {
    json_out_key(&teller->out, groups.list.items[i].name);
    if (tell_typename(teller, &groups.list.items[i], "__Type")) continue;
    if (!tell_type_member(teller, ref, &groups.list.items[i])) return false;
  }
  json_out_close(&teller->out, '}');
  return teller->buf.failed == CODE_OK;
}

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

static bool tell_directive(Teller *teller, const GraphqlDirectiveForm *form, const GraphqlGroup *group) {
  GraphqlGroups groups;
  if (!begin(teller, group, &groups)) return false;
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    Str name = member->field->name;
    bool is_good = true;
    json_out_key(&teller->out, member->name);
    if (tell_typename(teller, member, "__Directive")) continue;
    if (str_equal(name, STR("name")))
      json_out_text(&teller->out, form->name);
    else if (str_equal(name, STR("description")))
      tell_text(teller, form->description);
    else if (str_equal(name, STR("isRepeatable")))
      json_out_bool(&teller->out, false);
    else if (str_equal(name, STR("locations")))
      is_good = tell_locations(teller, form->locations);
    else
      is_good = tell_directive_argument(teller, form, member);
    if (!is_good) return false;
  }
  json_out_close(&teller->out, '}');
  return true;
}

static bool tell_directives(Teller *teller, const GraphqlGroup *group) {
  json_out_open(&teller->out, '[');
  for (size_t i = 0; i < graphql_directive_form_count; i++) {
    if (!tell_directive(teller, &graphql_directive_forms[i], group)) return false;
  }
  json_out_close(&teller->out, ']');
  return true;
}

static bool tell_schema(Teller *teller, const GraphqlGroup *group) {
  const GraphqlSchema *schema = teller->run->schema;
  GraphqlGroups groups;
  if (!begin(teller, group, &groups)) return false;
  for (size_t i = 0; i < groups.list.count; i++) {
    const GraphqlGroup *member = &groups.list.items[i];
    Str name = member->field->name;
    bool is_good = true;
    json_out_key(&teller->out, member->name);
    if (tell_typename(teller, member, "__Schema")) continue;
    if (str_equal(name, STR("types")))
      is_good = tell_types(teller, member, is_any);
    else if (str_equal(name, STR("queryType")))
      is_good = tell_type(teller, (GraphqlRef){.type = schema->query}, member);
    else if (str_equal(name, STR("mutationType")) && schema->mutation != NULL)
      is_good = tell_type(teller, (GraphqlRef){.type = schema->mutation}, member);
    else if (str_equal(name, STR("subscriptionType")) && schema->subscription != NULL)
      is_good = tell_type(teller, (GraphqlRef){.type = schema->subscription}, member);
    else if (str_equal(name, STR("directives")))
      is_good = tell_directives(teller, member);
    else
      json_out_raw(&teller->out, STR("null"));
    if (!is_good) return false;
  }
  json_out_close(&teller->out, '}');
  return true;
}

bool graphql_introspect(GraphqlRun *run, const GraphqlGroup *group, Str *ret) {
  GraphqlPlace place = group->nodes.items[0]->place;
  if (!run->limits->has_introspection) {
    graphql_mistake_at(run->mistakes, place, "Introspection is switched off");
    return false;
  }
  Teller teller = {.run = run, .buf = buf_on(run->arena, run->api->limits.result_bytes_max)};
  teller.out = (JsonOut){.buf = &teller.buf};
  bool is_good = true;
  if (group->field->role == GRAPHQL_ROLE_SCHEMA) {
    is_good = tell_schema(&teller, group);
  } else {
    const JsonValue *name = graphql_argument(run, group->nodes.items[0], &group->field->arguments[0]);
    const GraphqlType *type = name == NULL ? NULL : graphql_type(run->schema, name->text);
    if (type == NULL)
      json_out_raw(&teller.out, STR("null"));
    else
      is_good = tell_type(&teller, (GraphqlRef){.type = type}, group);
  }
  if (teller.buf.failed == CODE_TOO_LARGE) graphql_mistake(run->mistakes, CODE_TOO_LARGE, &place, 1, "The answer would be too large");
  if (teller.buf.failed == CODE_UNAVAILABLE) return graphql_no_memory(run);
  *ret = buf_str(&teller.buf);
  return is_good && teller.buf.failed == CODE_OK;
}
