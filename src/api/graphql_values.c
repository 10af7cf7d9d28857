/* graphql_values.c - input coercion (§3 "Input Coercion", §6.1.2, §6.4.1): variables by their definitions, arguments by their literals.
 * What comes out is JSON, which is what the engine takes. */
#include "api/graphql_run.h"
#include "base/utf8.h"
#include "contract/nearest.h"

/* ---- what is a value of a leaf ---- */

static bool is_int32(Str text) {
  int64_t n;
  return json_number_to_int64(text, &n) && n >= INT32_MIN && n <= INT32_MAX;
}

static bool has_item(const GraphqlType *type, Str name) {
  for (size_t i = 0; i < type->item_count; i++) {
    if (str_equal(type->items[i].name, name)) return true;
  }
  return false;
}

bool graphql_is_leaf_literal(const GraphqlType *type, const GraphqlValue *value) {
  GraphqlValueKind kind = value->kind;
  double number;
  if (type->kind == GRAPHQL_ENUM_TYPE) return kind == GRAPHQL_ENUM && has_item(type, value->text);
  switch (type->scalar) {
    case TYPE_INT: return kind == GRAPHQL_INT && is_int32(value->text);
    case TYPE_FLOAT: return (kind == GRAPHQL_INT || kind == GRAPHQL_FLOAT) && json_number_to_double(value->text, &number);
    case TYPE_BOOLEAN: return kind == GRAPHQL_BOOLEAN;
    case TYPE_ID: return kind == GRAPHQL_STRING || kind == GRAPHQL_INT;
    case TYPE_BIGINT: return kind == GRAPHQL_STRING || kind == GRAPHQL_INT;
    case TYPE_DECIMAL: return kind == GRAPHQL_STRING || kind == GRAPHQL_INT || kind == GRAPHQL_FLOAT;
    case TYPE_JSON: return true;
    default: return kind == GRAPHQL_STRING;
  }
}

static bool is_leaf_json(const GraphqlType *type, const JsonValue *value) {
  double number;
  int64_t integer;
  if (type->kind == GRAPHQL_ENUM_TYPE) return value->type == JSON_STRING && has_item(type, value->text);
  switch (type->scalar) {
    case TYPE_INT: return value->type == JSON_NUMBER && is_int32(value->text);
    case TYPE_FLOAT: return value->type == JSON_NUMBER && json_number_to_double(value->text, &number);
    case TYPE_BOOLEAN: return value->type == JSON_BOOL;
    case TYPE_ID: return value->type == JSON_STRING || (value->type == JSON_NUMBER && json_number_to_int64(value->text, &integer));
    case TYPE_BIGINT:
    case TYPE_DECIMAL: return value->type == JSON_STRING || value->type == JSON_NUMBER;
    case TYPE_JSON: return true;
    default: return value->type == JSON_STRING;
  }
}

/* ---- variables ---- */

typedef struct Coercion {
  GraphqlRun *run;
  const GraphqlVariable *variable;
  Buf path; /* "input.price" */
} Coercion;

static GraphqlMistake *note(Coercion *coercion, const char *what, Str detail) {
  Str path = buf_str(&coercion->path);
  return graphql_mistake_at(coercion->run->mistakes, coercion->variable->place, "Variable \"$%.*s\": at \"%.*s\": %s%.*s",
                            STR_ARGS(coercion->variable->name), STR_ARGS(path), what, STR_ARGS(detail));
}

static bool refuse(Coercion *coercion, const char *what, Str detail) {
  (void)note(coercion, what, detail);
  return false;
}

static bool coerce(Coercion *coercion, GraphqlRef ref, const JsonValue *given, JsonValue *ret);

/* 5.0 is the integer 5, and so the text "5". */
static bool coerce_id(Coercion *coercion, const JsonValue *given, JsonValue *ret) {
  int64_t integer = 0;
  (void)json_number_to_int64(given->text, &integer);
  Str text = arena_printf(coercion->run->arena, "%lld", (long long)integer);
  *ret = (JsonValue){.type = JSON_STRING, .text = text};
  return text.ptr != NULL || graphql_no_memory(coercion->run);
}

static bool coerce_list(Coercion *coercion, GraphqlRef ref, const JsonValue *given, JsonValue *ret) {
  bool is_list = given->type == JSON_ARRAY;
  size_t count = is_list ? given->count : 1, len = coercion->path.len;
  JsonValue *items = ARENA_ARRAY(coercion->run->arena, JsonValue, count);
  if (items == NULL) return graphql_no_memory(coercion->run);
  bool is_good = true;
  for (size_t i = 0; i < count; i++) {
    if (is_list) buf_printf(&coercion->path, "[%zu]", i);
    is_good = coerce(coercion, graphql_item(ref), is_list ? &given->items[i] : given, &items[i]) && is_good;
    coercion->path.len = len;
  }
  *ret = (JsonValue){.type = JSON_ARRAY, .items = items, .count = count};
  return is_good;
}

/* With the nearest name, as where it is a literal; but not for each of a thousand, and not where the schema isn't told. */
static bool refuse_unknown(Coercion *coercion, const GraphqlType *type, Str name) {
  const GraphqlRun *run = coercion->run;
  bool has_hint = run->limits->has_introspection && run->mistakes->list.count < GRAPHQL_ERRORS_MAX;
  Nearest nearest = nearest_to(name);
  for (size_t i = 0; i < type->input_count && has_hint; i++) nearest_offer(&nearest, type->inputs[i].name);
  GraphqlMistake *mistake = note(coercion, "no such field: ", utf8_cut(name, 64));
  if (has_hint) graphql_mistake_hint(run->mistakes, mistake, nearest_hint(&nearest, run->arena));
  return false;
}

static bool coerce_object(Coercion *coercion, const GraphqlType *type, const JsonValue *given, JsonValue *ret) {
  if (given->type != JSON_OBJECT) return refuse(coercion, "an object is expected: ", type->name);
  JsonMember *members = ARENA_ARRAY(coercion->run->arena, JsonMember, given->count + 1);
  if (members == NULL) return graphql_no_memory(coercion->run);
  bool is_good = true;
  size_t len = coercion->path.len;
  for (size_t i = 0; i < given->count; i++) {
    const JsonMember *member = &given->members[i];
    const GraphqlInput *input = graphql_input(type->inputs, type->input_count, member->name);
    if (input == NULL) {
      is_good = refuse_unknown(coercion, type, member->name);
      continue;
    }
    buf_printf(&coercion->path, ".%.*s", STR_ARGS(member->name));
    members[i].name = member->name;
    is_good = coerce(coercion, input->type, &member->value, &members[i].value) && is_good;
    if (type->is_one_of && member->value.type == JSON_NULL) is_good = refuse(coercion, "must not be null", (Str){0});
    coercion->path.len = len;
  }
  for (size_t i = 0; i < type->input_count; i++) {
    if (graphql_is_required(type->inputs[i].type) && json_get(given, type->inputs[i].name) == NULL)
      is_good = refuse(coercion, "a value is needed for ", type->inputs[i].name);
  }
  if (type->is_one_of && given->count != 1) is_good = refuse(coercion, "exactly one field must be given of ", type->name);
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = given->count};
  return is_good;
}

static bool coerce(Coercion *coercion, GraphqlRef ref, const JsonValue *given, JsonValue *ret) {
  if (given->type == JSON_NULL) {
    *ret = *given;
    return !graphql_is_required(ref) || refuse(coercion, "must not be null", (Str){0});
  }
  if (ref.depth > 0) return coerce_list(coercion, ref, given, ret);
  if (ref.type->kind == GRAPHQL_INPUT_TYPE) return coerce_object(coercion, ref.type, given, ret);
  if (!is_leaf_json(ref.type, given)) return refuse(coercion, "the value is no ", ref.type->name);
  *ret = *given;
  bool is_id = ref.type->kind == GRAPHQL_SCALAR_TYPE && ref.type->scalar == TYPE_ID;
  return !is_id || given->type == JSON_STRING || coerce_id(coercion, given, ret);
}

/* ---- literals ---- */

static bool literal(GraphqlRun *run, GraphqlRef ref, const GraphqlValue *value, bool *ret_is_given, JsonValue *ret);

static bool literal_items(GraphqlRun *run, GraphqlRef item, const GraphqlValue *value, JsonValue *ret) {
  JsonValue *items = ARENA_ARRAY(run->arena, JsonValue, value->count);
  if (items == NULL) return graphql_no_memory(run);
  for (size_t i = 0; i < value->count; i++) {
    bool is_given;
    /* A variable that was not given is null in a list (§3.11). */
    if (!literal(run, item, &value->items[i], &is_given, &items[i])) return false;
  }
  *ret = (JsonValue){.type = JSON_ARRAY, .items = items, .count = value->count};
  return true;
}

static bool literal_object(GraphqlRun *run, const GraphqlType *type, const GraphqlValue *value, JsonValue *ret) {
  JsonMember *members = ARENA_ARRAY(run->arena, JsonMember, value->count);
  if (members == NULL) return graphql_no_memory(run);
  size_t count = 0;
  for (size_t i = 0; i < value->count; i++) {
    const GraphqlArgument *member = &value->members[i];
    const GraphqlInput *input = type == NULL ? NULL : graphql_input(type->inputs, type->input_count, member->name);
    bool is_given = false;
    if (!literal(run, input == NULL ? (GraphqlRef){0} : input->type, &member->value, &is_given, &members[count].value)) return false;
    members[count].name = member->name;
    count += is_given;
  }
  if (type != NULL && type->is_one_of && count != 1) {
    graphql_mistake_at(run->mistakes, value->place, "Exactly one field must be given of \"%.*s\"", STR_ARGS(type->name));
    return false;
  }
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = count};
  return true;
}

static bool literal_variable(GraphqlRun *run, GraphqlRef ref, const GraphqlValue *value, bool *ret_is_given, JsonValue *ret) {
  const JsonValue *variable = json_get(&run->variables, value->text);
  *ret_is_given = variable != NULL;
  *ret = variable == NULL ? (JsonValue){.type = JSON_NULL} : *variable;
  if (ref.type != NULL && ret->type == JSON_NULL && *ret_is_given && graphql_is_required(ref)) {
    graphql_mistake_at(run->mistakes, value->place, "The variable \"$%.*s\" is null where a value is needed", STR_ARGS(value->text));
    return false;
  }
  if (ref.depth == 0 || ret->type == JSON_NULL || ret->type == JSON_ARRAY) return true;
  JsonValue *item = ARENA_NEW(run->arena, JsonValue);
  if (item == NULL) return graphql_no_memory(run);
  *item = *ret;
  *ret = (JsonValue){.type = JSON_ARRAY, .items = item, .count = 1};
  return true;
}

/* ref.type NULL: inside a JSON scalar, where anything goes. */
static bool literal(GraphqlRun *run, GraphqlRef ref, const GraphqlValue *value, bool *ret_is_given, JsonValue *ret) {
  *ret_is_given = true;
  *ret = (JsonValue){.type = JSON_NULL};
  if (value->kind == GRAPHQL_VARIABLE) return literal_variable(run, ref, value, ret_is_given, ret);
  if (value->kind == GRAPHQL_NULL) return true;
  if (ref.depth > 0 && value->kind != GRAPHQL_LIST) {
    JsonValue *item = ARENA_NEW(run->arena, JsonValue);
    if (item == NULL) return graphql_no_memory(run);
    *ret = (JsonValue){.type = JSON_ARRAY, .items = item, .count = 1};
    return literal(run, graphql_item(ref), value, ret_is_given, item);
  }
  bool is_id = ref.type != NULL && ref.type->kind == GRAPHQL_SCALAR_TYPE && ref.type->scalar == TYPE_ID;
  switch (value->kind) {
    case GRAPHQL_LIST: return literal_items(run, ref.depth > 0 ? graphql_item(ref) : (GraphqlRef){0}, value, ret);
    case GRAPHQL_OBJECT: {
      const GraphqlType *type = ref.type != NULL && ref.type->kind == GRAPHQL_INPUT_TYPE ? ref.type : NULL;
      return literal_object(run, type, value, ret);
    }
    case GRAPHQL_INT:
    case GRAPHQL_FLOAT: *ret = (JsonValue){.type = is_id ? JSON_STRING : JSON_NUMBER, .text = value->text}; return true;
    case GRAPHQL_BOOLEAN: *ret = (JsonValue){.type = JSON_BOOL, .boolean = str_equal(value->text, STR("true"))}; return true;
    default: *ret = (JsonValue){.type = JSON_STRING, .text = value->text}; return true;
  }
}

const JsonValue *graphql_argument(GraphqlRun *run, const GraphqlNode *node, const GraphqlInput *input) {
  for (size_t i = 0; i < node->arguments.count; i++) {
    const GraphqlArgument *argument = &node->arguments.items[i];
    if (!str_equal(argument->name, input->name)) continue;
    JsonValue *made = ARENA_NEW(run->arena, JsonValue);
    bool is_given = false;
    if (made == NULL) {
      run->mistakes->has_no_memory = true;
      return NULL;
    }
    if (!literal(run, input->type, &argument->value, &is_given, made)) return NULL;
    if (is_given) return made;
    if (graphql_is_required(input->type)) {
      graphql_mistake_at(run->mistakes, argument->place, "The argument \"%.*s\" needs a value", STR_ARGS(input->name));
    }
    return NULL;
  }
  return NULL;
}

/* ---- an operation's variables ---- */

static bool add_variable(GraphqlRun *run, const GraphqlVariable *variable, const JsonValue *given, JsonMember *members, size_t *count) {
  const GraphqlType *type = graphql_type(run->schema, variable->type.name);
  GraphqlRef ref = {type, variable->type.depth, variable->type.required};
  JsonMember *member = &members[*count];
  member->name = variable->name;
  if (given == NULL && variable->has_default) {
    bool is_given;
    ++*count;
    return literal(run, ref, &variable->fallback, &is_given, &member->value);
  }
  if (given == NULL && !graphql_is_required(ref)) return true;
  Coercion coercion = {.run = run, .variable = variable, .path = buf_on(run->arena, 4096)};
  buf_add(&coercion.path, variable->name);
  if (given == NULL) return refuse(&coercion, "a value is needed", (Str){0});
  ++*count;
  return coerce(&coercion, ref, given, &member->value);
}

bool graphql_variables(GraphqlRun *run, const JsonValue *given) {
  const GraphqlOperation *operation = run->operation;
  JsonMember *members = ARENA_ARRAY(run->arena, JsonMember, operation->variable_count + 1);
  if (members == NULL) return graphql_no_memory(run);
  size_t count = 0;
  bool is_good = true;
  for (size_t i = 0; i < operation->variable_count; i++) {
    const GraphqlVariable *variable = &operation->variables[i];
    const JsonValue *value = given == NULL ? NULL : json_get(given, variable->name);
    is_good = add_variable(run, variable, value, members, &count) && is_good;
  }
  run->variables = (JsonValue){.type = JSON_OBJECT, .members = members, .count = count};
  return is_good;
}
