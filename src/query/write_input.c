/* write_input.c - what a client wants written, as typed rows: decoded, validated, defaults known; every mistake of the whole input at once.
 * What needs stored rows (access, READ_ONLY, IMMUTABLE, checks, references) comes later, in write_run.c. */
#include "base/uuid.h"
#include "codec/json_patch.h"
#include "contract/input.h"
#include "contract/nearest.h"
#include "contract/value_json.h"
#include "query/write.h"

enum { INDEX_BYTES_MAX = 24 }; /* "/" and 64 bits in decimal */

/* ---- mistakes ---- */

Code write_refuse(Write *write, const Problem *problem) {
  write->call->result.problem = problem;
  write->call->result.code = problem->code;
  return problem->code;
}

static Str pointer_join(Arena *arena, Str base, Str name) {
  Buf out = buf_on(arena, SIZE_MAX / 2);
  buf_add(&out, base);
  buf_add_byte(&out, '/');
  for (size_t i = 0; i < name.len; i++) {
    if (name.ptr[i] == '~')
      buf_add(&out, STR("~0"));
    else if (name.ptr[i] == '/')
      buf_add(&out, STR("~1"));
    else
      buf_add_byte(&out, name.ptr[i]);
  }
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

static Str pointer_at(Arena *arena, Str base, size_t index) {
  Buf out = buf_on(arena, base.len + INDEX_BYTES_MAX);
  buf_add(&out, base);
  buf_add_byte(&out, '/');
  buf_add_uint64(&out, index);
  return out.failed == CODE_OK ? buf_str(&out) : (Str){0};
}

bool mistake_add(Write *write, MistakeCode code, Str row_pointer, Str name, Str detail, Str hint) {
  if (write->mistakes.count >= MISTAKES_MAX) return true;
  Str pointer = name.len == 0 ? row_pointer : pointer_join(write->arena, row_pointer, name);
  if ((name.len > 0 && pointer.ptr == NULL) || detail.ptr == NULL) return false;
  Mistake mistake = {.code = code, .pointer = pointer, .detail = detail, .hint = hint};
  return VEC_PUSH(write->arena, &write->mistakes, mistake);
}

static Code wrong_shape(Write *write, Str pointer, Str detail, Error *err) {
  return mistake_add(write, MISTAKE_TYPE, pointer, (Str){0}, detail, (Str){0}) ? CODE_OK : error_no_memory(err);
}

Code mistakes_refuse(Write *write, Error *err) {
  size_t count = write->mistakes.count;
  if (count == 0) return CODE_OK;
  Str detail = count == 1 ? STR("1 field is not valid") : arena_printf(write->arena, "%zu fields are not valid", count);
  TRY_ALLOC(detail.ptr);
  Problem *problem = problem_new(write->arena, CODE_VALIDATION_FAILED, detail);
  TRY_ALLOC(problem);
  problem->mistakes = write->mistakes.items;
  problem->mistake_count = count;
  return write_refuse(write, problem);
}

/* ---- one value ---- */

static Code note_mistakes(Write *write, Str row_pointer, const InputMistakes *mistakes, Error *err) {
  for (size_t i = 0; i < mistakes->count && write->mistakes.count < MISTAKES_MAX; i++) {
    const InputMistake *from = &mistakes->items[i];
    Str pointer = arena_printf(write->arena, "%.*s%.*s", STR_ARGS(row_pointer), STR_ARGS(from->pointer));
    /* The two lists of codes begin alike. */
    Mistake mistake = {.code = (MistakeCode)from->code, .pointer = pointer, .detail = from->detail, .hint = from->hint};
    if (pointer.ptr == NULL || !VEC_PUSH(write->arena, &write->mistakes, mistake)) return error_no_memory(err);
  }
  return CODE_OK;
}

/* Decodes by the field's type and constraints; *ret_is_valid false where mistakes were noted. */
static Code decode_value(Write *write, Str row_pointer, const Field *field, const JsonValue *json, Value *ret, bool *ret_is_valid,
                         Error *err) {
  InputMistakes mistakes = {0};
  InputPath path = {.name = field->name};
  Code code = field_value_decode(field, json, &path, write->arena, ret, &mistakes, err);
  *ret_is_valid = code == CODE_OK;
  return code == CODE_VALIDATION_FAILED ? note_mistakes(write, row_pointer, &mistakes, err) : code;
}

/* The field that says how a relation's key is filled, where the key field does not say it itself. */
static const Field *default_field(const Field *field) {
  bool is_relations = field->default_kind == DEFAULT_NONE && field->is_relation_key && field->relation->key_count == 1;
  return is_relations ? field->relation->field : field;
}

Code write_default(Write *write, const Field *field, Value *ret, Error *err) {
  const Field *from = default_field(field);
  const Operation *operation = &write->call->operation;
  *ret = value_null();
  if (field->is_server_made) {
    char *text = arena_alloc(write->arena, UUID_TEXT_LEN);
    TRY_ALLOC(text);
    uuid_make(text);
    *ret = value_text((Str){text, UUID_TEXT_LEN});
    return CODE_OK;
  }
  if (from->default_kind == DEFAULT_EXPR) {
    ExprEnv env = {.caller = operation->caller, .now_us = operation->now_us};
    return expr_eval(from->default_expr, &env, write->arena, ret, err);
  }
  if (from->default_kind != DEFAULT_VALUE) return CODE_OK;
  bool is_valid = true;
  return decode_value(write, STR(""), field, &from->default_value, ret, &is_valid, err);
}

/* Or a literal of the contract, which was checked with it. */
static bool is_from_input(const WriteRow *row, const Field *field) {
  if (row->of_path != NULL && row->of_path[field->stored_index]) return false;
  return row->given[field->stored_index] || default_field(field)->default_kind == DEFAULT_VALUE;
}

Code write_check_made(Write *write, const WriteRow *row, const Field *field, const Value *value, Error *err) {
  if (is_from_input(row, field) || value_is_null(value)) return CODE_OK;
  InputMistakes mistakes = {0};
  InputPath path = {.name = field->name};
  Code code = field_value_check(field, value, &path, write->arena, &mistakes, err);
  return code == CODE_VALIDATION_FAILED ? note_mistakes(write, row->pointer, &mistakes, err) : code;
}

bool write_values_equal(const Value *a, const Value *b) {
  if (a->type != b->type) return false;
  switch (a->type) {
    case VALUE_NULL: return true;
    case VALUE_BOOL: return a->boolean == b->boolean;
    case VALUE_INT:
    case VALUE_TIMESTAMP:
    case VALUE_DATE:
    case VALUE_DURATION: return a->integer == b->integer;
    case VALUE_FLOAT: return a->number == b->number;
    default: return str_equal(a->text, b->text);
  }
}

Code write_merge(Write *write, WriteRow *row, const Field *field, const Value *old, Value *ret, Error *err) {
  JsonValue before = {.type = JSON_NULL}, merged;
  if (old->type == VALUE_JSON) TRY(json_parse(old->text, JSON_DEPTH_DEFAULT, write->arena, &before, err));
  TRY(json_merge_patch_apply(&before, row->merges[field->stored_index], write->arena, &merged, err));
  bool is_valid = true;
  return decode_value(write, row->pointer, field, &merged, ret, &is_valid, err);
}

/* ---- rows ---- */

static Code decode_members(Write *write, WriteRow *row, const JsonValue *json, size_t depth, Error *err);

static Code row_create(Write *write, RowAction action, const Resource *resource, Str pointer, WriteRow **ret, Error *err) {
  WriteRow *row = ARENA_NEW(write->arena, WriteRow);
  TRY_ALLOC(row);
  row->action = action;
  row->resource = resource;
  row->pointer = pointer;
  row->values = ARENA_ARRAY(write->arena, Value, resource->stored_count);
  row->given = ARENA_ARRAY(write->arena, bool, resource->stored_count);
  TRY_ALLOC(row->values);
  TRY_ALLOC(row->given);
  *ret = row;
  return CODE_OK;
}

static void row_give(WriteRow *row, const Field *field, Value value) {
  row->values[field->stored_index] = value;
  row->given[field->stored_index] = true;
}

static bool is_merged(const WriteRow *row, const Field *field, const JsonValue *json) {
  bool is_document = (field->type == TYPE_EMBEDDED || field->type == TYPE_JSON) && !field->is_list;
  return row->action == ROW_UPDATE && row->patch == NULL && is_document && json->type == JSON_OBJECT;
}

/* The path of a sub-resource says which row a new one belongs to, and a relation's own name says it too: the key field may not say
 * otherwise. */
static Code check_said_once(Write *write, const WriteRow *row, const Field *field, const Value *value, Error *err) {
  for (size_t i = 0; field->is_relation_key && i < row->references.count; i++) {
    if (row->references.items[i].relation != field->relation) continue;
    Str base = pointer_join(write->arena, row->pointer, field->relation->field->name);
    TRY_ALLOC(base.ptr);
    /* Once for all parts of a key. */
    if (write->mistakes.count > 0 && str_equal(write->mistakes.items[write->mistakes.count - 1].pointer, base)) return CODE_OK;
    return wrong_shape(write, base, STR("is given twice: as a relation and by its key field"), err);
  }
  if (row->action != ROW_CREATE || !row->given[field->stored_index]) return CODE_OK;
  if (write_values_equal(value, &row->values[field->stored_index])) return CODE_OK;
  return mistake_add(write, MISTAKE_IMMUTABLE, row->pointer, field->name, STR("must be the key that the path names"), (Str){0})
             ? CODE_OK
             : error_no_memory(err);
}

static Code decode_stored(Write *write, WriteRow *row, const Field *field, const JsonValue *json, Error *err) {
  if (is_merged(row, field, json)) {
    if (row->merges == NULL) row->merges = ARENA_ARRAY(write->arena, const JsonValue *, row->resource->stored_count);
    TRY_ALLOC(row->merges);
    row->merges[field->stored_index] = json;
    row_give(row, field, value_null());
    return CODE_OK;
  }
  Value value = value_null();
  bool is_valid = true;
  TRY(decode_value(write, row->pointer, field, json, &value, &is_valid, err));
  if (is_valid) TRY(check_said_once(write, row, field, &value, err));
  if (row->of_path != NULL) row->of_path[field->stored_index] = false;
  /* An invalid value counts as given, lest it be missed as well. */
  row_give(row, field, is_valid ? value : value_null());
  return CODE_OK;
}

static void offer_fields(Nearest *nearest, const Resource *resource, bool has_hidden) {
  for (size_t i = 0; i < resource->field_count; i++) {
    if (has_hidden || !resource->fields[i]->is_hidden) nearest_offer(nearest, resource->fields[i]->name);
  }
}

static Code unknown_field(Write *write, const WriteRow *row, Str name, Error *err) {
  Nearest nearest = nearest_to(name);
  offer_fields(&nearest, row->resource, true);
  Str detail = arena_printf(write->arena, "%.*s has no such field", STR_ARGS(row->resource->name));
  TRY_ALLOC(detail.ptr);
  return mistake_add(write, MISTAKE_UNKNOWN_FIELD, row->pointer, name, detail, nearest_hint(&nearest, write->arena)) ? CODE_OK
                                                                                                                     : error_no_memory(err);
}

/* ---- which row is meant: {"id": …} or any unique group ---- */

/* Not by a hidden field, whose values could be guessed by what it finds. */
static bool names_group(const JsonValue *json, const Field *const *fields, size_t count) {
  if (count == 0 || json->count != count) return false;
  for (size_t i = 0; i < count; i++) {
    if (fields[i]->is_hidden || json_get(json, fields[i]->name) == NULL) return false;
  }
  return true;
}

static Code decode_where(Write *write, WriteRow *row, const JsonValue *json, Error *err) {
  const Resource *resource = row->resource;
  if (json->type != JSON_OBJECT) return wrong_shape(write, row->pointer, STR("must be an object that holds a key or a unique field"), err);
  const Field *const *fields = names_group(json, resource->keys, resource->key_count) ? resource->keys : NULL;
  size_t count = resource->key_count;
  for (size_t i = 0; fields == NULL && i < resource->unique_count; i++) {
    if (!names_group(json, resource->uniques[i].fields, resource->uniques[i].count)) continue;
    fields = resource->uniques[i].fields;
    count = resource->uniques[i].count;
  }
  if (fields == NULL)
    return wrong_shape(write, row->pointer, STR("must name the row by its key or by all fields of one unique group, and by nothing else"),
                       err);
  Value *values = ARENA_ARRAY(write->arena, Value, count);
  TRY_ALLOC(values);
  for (size_t i = 0; i < count; i++) {
    bool is_valid = true;
    TRY(decode_value(write, row->pointer, fields[i], json_get(json, fields[i]->name), &values[i], &is_valid, err));
  }
  row->where = fields;
  row->where_values = values;
  row->where_count = count;
  return CODE_OK;
}

/* ---- nested writes ---- */

static Code too_deep(Write *write, Str pointer, Error *err) {
  Str detail = arena_printf(write->arena, "%.*s is nested deeper than %zu levels (--nesting-max)", STR_ARGS(pointer),
                            write->engine->limits.nesting_max);
  TRY_ALLOC(detail.ptr);
  return write_refuse(write,
                      problem_with_hint(write->arena, CODE_BAD_REQUEST, detail, STR("write the inner rows in a request of their own")));
}

static Code decode_new(Write *write, const Relation *child_of, const Resource *resource, const JsonValue *json, Str pointer, size_t depth,
                       WriteRow **ret, Error *err) {
  WriteRow *row = NULL;
  TRY(row_create(write, ROW_CREATE, resource, pointer, &row, err));
  row->child_of = child_of;
  *ret = row;
  if (json->type != JSON_OBJECT) return wrong_shape(write, pointer, STR("must be an object"), err);
  return decode_members(write, row, json, depth, err);
}

static Code decode_existing(Write *write, RowAction action, const Relation *child_of, const Resource *resource, const JsonValue *json,
                            Str pointer, size_t depth, WriteRow **ret, Error *err) {
  WriteRow *row = NULL;
  TRY(row_create(write, action, resource, pointer, &row, err));
  row->child_of = child_of;
  *ret = row;
  if (action != ROW_UPDATE) return decode_where(write, row, json, err);
  const JsonValue *where = json_get(json, STR("where")), *data = json_get(json, STR("data"));
  if (where == NULL || data == NULL || json->count != 2 || data->type != JSON_OBJECT) {
    return wrong_shape(write, pointer, STR("must be {\"where\": …, \"data\": {…}}"), err);
  }
  TRY(decode_where(write, row, where, err));
  row->pointer = pointer_join(write->arena, pointer, STR("data"));
  TRY_ALLOC(row->pointer.ptr);
  return decode_members(write, row, data, depth, err);
}

static bool is_of_path(const WriteRow *row, const Field *field) { return row->of_path != NULL && row->of_path[field->stored_index]; }

/* What the path says of a relation the body may repeat: the two are compared when the row is known (write_run.c). */
static Code refer(Write *write, WriteRow *row, const WriteReference *reference, Str base, Error *err) {
  const Relation *relation = reference->relation;
  bool is_missed = reference->target == NULL && relation->is_required;
  if (is_missed && !mistake_add(write, MISTAKE_REQUIRED, reference->pointer, (Str){0}, STR("the relation is required"), (Str){0}))
    return error_no_memory(err);
  for (size_t i = 0; i < relation->key_count; i++) {
    if (is_of_path(row, relation->keys[i])) continue;
    if (row->given[relation->keys[i]->stored_index])
      return wrong_shape(write, base, STR("is given twice: as a relation and by its key field"), err);
    row_give(row, relation->keys[i], value_null());
  }
  return VEC_PUSH(write->arena, &row->references, *reference) ? CODE_OK : error_no_memory(err);
}

static Code decode_to_one(Write *write, WriteRow *row, const Field *field, const JsonValue *json, size_t depth, Error *err) {
  const Relation *relation = field->relation;
  Str base = pointer_join(write->arena, row->pointer, field->name);
  TRY_ALLOC(base.ptr);
  /* null is short for {"disconnect": true}. */
  if (json->type == JSON_NULL) return refer(write, row, &(WriteReference){.relation = relation, .pointer = base}, base, err);
  if (depth == 0) return too_deep(write, base, err);
  if (json->type != JSON_OBJECT || json->count != 1) {
    return wrong_shape(write, base, STR("must be null or one of {\"create\": {…}}, {\"connect\": {…}}, {\"disconnect\": true}"), err);
  }
  const JsonMember *verb = &json->members[0];
  WriteReference reference = {.relation = relation, .pointer = pointer_join(write->arena, base, verb->name)};
  TRY_ALLOC(reference.pointer.ptr);
  if (str_equal(verb->name, STR("create"))) {
    TRY(decode_new(write, NULL, relation->target, &verb->value, reference.pointer, depth - 1, &reference.target, err));
  } else if (str_equal(verb->name, STR("connect"))) {
    TRY(decode_existing(write, ROW_CONNECT, NULL, relation->target, &verb->value, reference.pointer, depth - 1, &reference.target, err));
  } else if (!str_equal(verb->name, STR("disconnect"))) {
    return mistake_add(write, MISTAKE_UNKNOWN_FIELD, base, verb->name, STR("is not one of create, connect, disconnect"), (Str){0})
               ? CODE_OK
               : error_no_memory(err);
  } else if (verb->value.type != JSON_BOOL || !verb->value.boolean) {
    return wrong_shape(write, reference.pointer, STR("must be true"), err);
  }
  return refer(write, row, &reference, base, err);
}

typedef struct ChildVerb {
  Str name;
  RowAction action;
} ChildVerb;

/* In the order in which they are done: what leaves makes room for what comes. */
static const ChildVerb child_verbs[] = {
    {STR_INIT("disconnect"), ROW_DISCONNECT}, {STR_INIT("delete"), ROW_DELETE}, {STR_INIT("update"), ROW_UPDATE},
    {STR_INIT("connect"), ROW_CONNECT},       {STR_INIT("create"), ROW_CREATE},
};
enum { CHILD_VERBS = sizeof child_verbs / sizeof *child_verbs };

static Code decode_children(Write *write, WriteRow *row, const Relation *relation, RowAction action, const JsonValue *json, Str pointer,
                            size_t depth, Error *err) {
  if (json->type != JSON_ARRAY) return wrong_shape(write, pointer, STR("must be an array"), err);
  if (json->count > write->engine->limits.batch_max) {
    Str detail = arena_printf(write->arena, "must have at most %zu items", write->engine->limits.batch_max);
    TRY_ALLOC(detail.ptr);
    return mistake_add(write, MISTAKE_LENGTH, pointer, (Str){0}, detail, (Str){0}) ? CODE_OK : error_no_memory(err);
  }
  for (size_t i = 0; i < json->count; i++) {
    WriteRow *child = NULL;
    Str at = pointer_at(write->arena, pointer, i);
    TRY_ALLOC(at.ptr);
    if (action == ROW_CREATE)
      TRY(decode_new(write, relation, relation->source, &json->items[i], at, depth, &child, err));
    else
      TRY(decode_existing(write, action, relation, relation->source, &json->items[i], at, depth, &child, err));
    if (!VEC_PUSH(write->arena, &row->children, child)) return error_no_memory(err);
  }
  return CODE_OK;
}

static Code decode_to_many(Write *write, WriteRow *row, const Field *field, const JsonValue *json, size_t depth, Error *err) {
  Str base = pointer_join(write->arena, row->pointer, field->name);
  TRY_ALLOC(base.ptr);
  if (depth == 0) return too_deep(write, base, err);
  if (json->type != JSON_OBJECT)
    return wrong_shape(write, base, STR("must be an object of create, connect, disconnect, update and delete"), err);
  size_t known = 0;
  for (size_t v = 0; v < CHILD_VERBS; v++) {
    const JsonValue *value = json_get(json, child_verbs[v].name);
    if (value == NULL) continue;
    known++;
    Str pointer = pointer_join(write->arena, base, child_verbs[v].name);
    TRY_ALLOC(pointer.ptr);
    TRY(decode_children(write, row, field->relation, child_verbs[v].action, value, pointer, depth - 1, err));
  }
  for (size_t i = 0; known < json->count && i < json->count; i++) {
    bool is_verb = false;
    for (size_t v = 0; v < CHILD_VERBS; v++) is_verb = is_verb || str_equal(child_verbs[v].name, json->members[i].name);
    if (is_verb) continue;
    if (!mistake_add(write, MISTAKE_UNKNOWN_FIELD, base, json->members[i].name,
                     STR("is not one of create, connect, disconnect, update, delete"), (Str){0})) {
      return error_no_memory(err);
    }
  }
  return CODE_OK;
}

/* ---- a whole object ---- */

static bool is_relation_given(const WriteRow *row, const Field *field) {
  if (!field->is_relation_key) return false;
  if (row->child_of == field->relation) return true;
  for (size_t i = 0; i < row->references.count; i++) {
    if (row->references.items[i].relation == field->relation) return row->references.items[i].target != NULL;
  }
  return false;
}

/* What a new row must have and does not get. */
static Code check_required(Write *write, WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    bool has_default = field->is_server_made || default_field(field)->default_kind != DEFAULT_NONE;
    if (!field->is_required || row->given[i] || has_default || is_relation_given(row, field)) continue;
    if (!mistake_add(write, MISTAKE_REQUIRED, row->pointer, field->name, STR("is required"), (Str){0})) return error_no_memory(err);
  }
  return CODE_OK;
}

/* Half a composite reference points nowhere. */
static Code check_references_whole(Write *write, WriteRow *row, Error *err) {
  for (size_t i = 0; i < row->resource->field_count; i++) {
    const Field *field = row->resource->fields[i];
    if (field->kind != FIELD_TO_ONE || field->relation->key_count < 2 || is_relation_given(row, field->relation->keys[0])) continue;
    const Relation *relation = field->relation;
    size_t filled = 0, given = 0;
    for (size_t k = 0; k < relation->key_count; k++) {
      given += row->given[relation->keys[k]->stored_index];
      filled += !value_is_null(&row->values[relation->keys[k]->stored_index]);
    }
    if (filled == 0 || filled == relation->key_count || (row->action == ROW_UPDATE && given < relation->key_count)) continue;
    for (size_t k = 0; k < relation->key_count; k++) {
      bool is_missed_already = row->action != ROW_UPDATE && relation->keys[k]->is_required && !row->given[relation->keys[k]->stored_index];
      if (is_missed_already || !value_is_null(&row->values[relation->keys[k]->stored_index])) continue;
      if (!mistake_add(write, MISTAKE_REQUIRED, row->pointer, relation->keys[k]->name, STR("is required: the reference has several parts"),
                       (Str){0})) {
        return error_no_memory(err);
      }
    }
  }
  return CODE_OK;
}

static Code decode_members(Write *write, WriteRow *row, const JsonValue *json, size_t depth, Error *err) {
  for (size_t i = 0; i < json->count; i++) {
    const JsonMember *member = &json->members[i];
    const Field *field = resource_field(row->resource, member->name);
    if (field == NULL)
      TRY(unknown_field(write, row, member->name, err));
    else if (field->kind == FIELD_STORED)
      TRY(decode_stored(write, row, field, &member->value, err));
    else if (field->kind == FIELD_TO_ONE)
      TRY(decode_to_one(write, row, field, &member->value, depth, err));
    else
      TRY(decode_to_many(write, row, field, &member->value, depth, err));
  }
  if (row->action == ROW_CREATE || row->action == ROW_REPLACE) TRY(check_required(write, row, err));
  return check_references_whole(write, row, err);
}

/* ---- JSON Patch ---- */

static Code row_document(Write *write, const WriteRow *row, const bool *visible, JsonValue *ret, Error *err) {
  Buf text = buf_on(write->arena, SIZE_MAX / 2);
  for (size_t i = 0; i < row->resource->stored_count; i++) {
    const Field *field = row->resource->stored[i];
    if (!visible[i]) continue;
    buf_add_byte(&text, text.len == 0 ? '{' : ',');
    json_write_string(&text, field->name);
    buf_add_byte(&text, ':');
    value_write_json(field, &row->old[i], &text);
  }
  if (text.len == 0) buf_add_byte(&text, '{');
  buf_add_byte(&text, '}');
  Str json = {0};
  TRY(buf_finish(&text, &json, err));
  return json_parse(json, (size_t)JSON_DEPTH_DEFAULT * 2, write->arena, ret, err);
}

/* RFC 6902 §5: the first operation that fails ends it; a failed test is a conflict with what is there. */
static Code refuse_patch(Write *write, const WriteRow *row, Code code, const JsonPatchFailure *failure, const Error *patch_error,
                         Error *err) {
  if (code == CODE_UNAVAILABLE) return error_no_memory(err);
  Str detail = arena_printf(write->arena, "operation %zu: %s", failure->operation, patch_error->text);
  TRY_ALLOC(detail.ptr);
  if (code == CODE_VALIDATION_FAILED) {
    Nearest nearest = nearest_to(str_slice(failure->pointer, 1, failure->pointer.len));
    offer_fields(&nearest, row->resource, false);
    Str pointer = arena_printf(write->arena, "%.*s%.*s", STR_ARGS(row->pointer), STR_ARGS(failure->pointer));
    if (pointer.ptr == NULL ||
        !mistake_add(write, MISTAKE_UNKNOWN_FIELD, pointer, (Str){0}, detail, nearest_hint(&nearest, write->arena))) {
      return error_no_memory(err);
    }
    return mistakes_refuse(write, err);
  }
  return write_refuse(write, problem_create(write->arena, code, detail));
}

Code write_patch(Write *write, WriteRow *row, const bool *visible, Error *err) {
  JsonValue before, after;
  Error patch_error = {0};
  JsonPatchFailure failure;
  TRY(row_document(write, row, visible, &before, err));
  Code code = json_patch_apply(&before, row->patch, write->arena, &after, &failure, &patch_error);
  if (code != CODE_OK) return refuse_patch(write, row, code, &failure, &patch_error, err);
  if (after.type != JSON_OBJECT) return wrong_shape(write, row->pointer, STR("must leave an object"), err);
  JsonMember *changes = ARENA_ARRAY(write->arena, JsonMember, before.count + after.count);
  TRY_ALLOC(changes);
  size_t count = 0;
  for (size_t i = 0; i < after.count; i++) {
    const JsonValue *was = json_get(&before, after.members[i].name);
    if (was == NULL || !json_equal(was, &after.members[i].value)) changes[count++] = after.members[i];
  }
  /* What was removed has no value any more. */
  for (size_t i = 0; i < before.count; i++) {
    if (json_get(&after, before.members[i].name) == NULL) changes[count++] = (JsonMember){.name = before.members[i].name};
  }
  JsonValue change = {.type = JSON_OBJECT, .members = changes, .count = count};
  TRY(decode_members(write, row, &change, write->engine->limits.nesting_max, err));
  return mistakes_refuse(write, err);
}

/* ---- an Operation ---- */

const Value *write_key_stored(Write *write, const Resource *resource, const Value *key) {
  Value *stored = ARENA_ARRAY(write->arena, Value, resource->key_count);
  for (size_t i = 0; stored != NULL && i < resource->key_count; i++) stored[i] = plan_stored_value(resource->keys[i], key[i]);
  return stored;
}

static Code row_give_by_path(Write *write, WriteRow *row, const Field *field, Value value, Error *err) {
  if (row->of_path == NULL) row->of_path = ARENA_ARRAY(write->arena, bool, row->resource->stored_count);
  TRY_ALLOC(row->of_path);
  row_give(row, field, value);
  row->of_path[field->stored_index] = true;
  return CODE_OK;
}

static Code decode_root(Write *write, const JsonValue *json, Str pointer, RowAction action, WriteRow **ret, Error *err) {
  const Operation *operation = &write->call->operation;
  TRY(row_create(write, action, operation->resource, pointer, ret, err));
  WriteRow *row = *ret;
  if (action != ROW_CREATE) {
    row->where = operation->resource->keys;
    row->where_count = operation->resource->key_count;
    row->where_values = write_key_stored(write, operation->resource, operation->key);
    TRY_ALLOC(row->where_values);
  }
  if (action == ROW_DELETE) return CODE_OK;
  if (action == ROW_REPLACE) {
    for (size_t i = 0; i < row->where_count; i++) TRY(row_give_by_path(write, row, row->where[i], row->where_values[i], err));
  }
  for (size_t i = 0; i < operation->preset_count; i++) {
    const InputPreset *preset = &operation->presets[i];
    TRY(row_give_by_path(write, row, preset->field, plan_stored_value(preset->field, preset->value), err));
  }
  if (operation->is_patch) {
    row->patch = json;
    return CODE_OK;
  }
  if (json == NULL || json->type != JSON_OBJECT) return wrong_shape(write, pointer, STR("must be an object"), err);
  return decode_members(write, row, json, write->engine->limits.nesting_max, err);
}

static Code decode_array(Write *write, const JsonValue *json, CallPlan *plan, Error *err) {
  const Operation *operation = &write->call->operation;
  if (json->count > write->engine->limits.batch_max && !operation->is_import) {
    Str detail = arena_printf(write->arena, "at most %zu rows can be written at once (--batch-max)", write->engine->limits.batch_max);
    TRY_ALLOC(detail.ptr);
    return write_refuse(write, problem_create(write->arena, CODE_TOO_LARGE, detail));
  }
  plan->rows = ARENA_ARRAY(write->arena, WriteRow *, json->count);
  TRY_ALLOC(plan->rows);
  for (; plan->row_count < json->count; plan->row_count++) {
    Str pointer = pointer_at(write->arena, operation->input_pointer, operation->input_first + plan->row_count);
    TRY_ALLOC(pointer.ptr);
    TRY(decode_root(write, &json->items[plan->row_count], pointer, ROW_CREATE, &plan->rows[plan->row_count], err));
  }
  return CODE_OK;
}

static const RowAction row_actions[ACTION_COUNT] = {
    [ACTION_CREATE] = ROW_CREATE, [ACTION_UPDATE] = ROW_UPDATE, [ACTION_REPLACE] = ROW_REPLACE, [ACTION_DELETE] = ROW_DELETE};

Code write_plan(Engine *engine, Call *call, Arena *arena, Error *err) {
  Write write = {.engine = engine, .call = call, .arena = arena};
  const Operation *operation = &call->operation;
  RowAction action = row_actions[operation->action];
  bool is_array = action == ROW_CREATE && operation->input != NULL && operation->input->type == JSON_ARRAY;
  if (action != ROW_CREATE && operation->key == NULL) {
    return write_refuse(&write, problem_create(arena, CODE_NOT_FOUND, STR("there is no such resource, or you may not see it")));
  }
  if (is_array) {
    TRY(decode_array(&write, operation->input, call->plan, err));
  } else {
    call->plan->rows = ARENA_ARRAY(arena, WriteRow *, 1);
    TRY_ALLOC(call->plan->rows);
    call->plan->row_count = 1;
    TRY(decode_root(&write, operation->input, operation->input_pointer, action, &call->plan->rows[0], err));
  }
  TRY(write_authorize(&write, call->plan, err));
  return mistakes_refuse(&write, err);
}
