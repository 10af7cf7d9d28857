/* json_patch.c - documents are immutable: an operation copies the arrays of members and items on the way to its place, and shares
 * everything else. */
#include "codec/json_patch.h"

#include <stdint.h>

#include "codec/json_sort.h"

enum { SLOTS_COPIED_MAX = 1024 * 1024 };

typedef enum Edit { EDIT_ADD, EDIT_REMOVE, EDIT_REPLACE } Edit;

typedef struct Pointer {
  Str tokens[JSON_DEPTH_DEFAULT];
  size_t count;
} Pointer;

typedef struct Patcher {
  Arena *arena;
  Error *err;
  size_t slots_copied;
  size_t nodes_added;
  Str pointer; /* the one that is being followed */
} Patcher;

static Code fail(Patcher *patcher, Code code, const char *why) { return error_set(patcher->err, code, "%s", why); }

/* ---- Pointers (RFC 6901) ---- */

static Code unescape_token(Patcher *patcher, Str token, Str *ret) {
  if (memchr(token.ptr, '~', token.len) == NULL) {
    *ret = token;
    return CODE_OK;
  }
  char *bytes = arena_alloc(patcher->arena, token.len);
  if (bytes == NULL) return error_no_memory(patcher->err);
  size_t len = 0;
  for (size_t i = 0; i < token.len; i++) {
    char byte = token.ptr[i];
    if (byte == '~') {
      i++;
      if (i == token.len || (token.ptr[i] != '0' && token.ptr[i] != '1'))
        return fail(patcher, CODE_BAD_REQUEST, "a \"~\" in a pointer is followed by 0 or 1");
      byte = token.ptr[i] == '0' ? '~' : '/';
    }
    bytes[len++] = byte;
  }
  *ret = (Str){bytes, len};
  return CODE_OK;
}

static Code parse_pointer(Patcher *patcher, Str text, Pointer *ret) {
  ret->count = 0;
  patcher->pointer = text;
  if (text.len == 0) return CODE_OK;
  if (text.ptr[0] != '/') return fail(patcher, CODE_BAD_REQUEST, "a pointer is empty or begins with a slash");
  Str rest = str_slice(text, 1, text.len), token;
  while (str_split_next(&rest, '/', &token)) {
    if (ret->count == JSON_DEPTH_DEFAULT) return fail(patcher, CODE_TOO_LARGE, "a pointer leads too deep");
    TRY(unescape_token(patcher, token, &ret->tokens[ret->count++]));
  }
  return CODE_OK;
}

/* RFC 6901 §4: digits without a leading zero; "-" is the place behind the last. */
static bool parse_index(Str token, size_t count, size_t *ret) {
  if (str_equal(token, STR("-"))) {
    *ret = count;
    return true;
  }
  int64_t index;
  if (token.len == 0 || token.ptr[0] == '-' || (token.ptr[0] == '0' && token.len > 1) || !str_parse_int64(token, &index)) return false;
  if ((uint64_t)index > count) return false;
  *ret = (size_t)index;
  return true;
}

static Code not_there(Patcher *patcher, Str token) {
  size_t shown = token.len < 64 ? token.len : 0;
  if (shown == 0) return fail(patcher, CODE_VALIDATION_FAILED, "the pointer leads to nothing");
  return error_set(patcher->err, CODE_VALIDATION_FAILED, "the pointer leads to nothing at \"%.*s\"", STR_ARGS(token));
}

static size_t find_member(const JsonValue *object, Str name) {
  size_t at = 0;
  while (at < object->count && !str_equal(object->members[at].name, name)) at++;
  return at;
}

static Code look_up(Patcher *patcher, const JsonValue *document, const Pointer *pointer, const JsonValue **ret) {
  const JsonValue *at = document;
  for (size_t i = 0; i < pointer->count; i++) {
    size_t index = at->count;
    if (at->type == JSON_OBJECT) index = find_member(at, pointer->tokens[i]);
    if (at->type == JSON_ARRAY && !parse_index(pointer->tokens[i], at->count, &index)) index = at->count;
    if ((at->type != JSON_OBJECT && at->type != JSON_ARRAY) || index >= at->count) return not_there(patcher, pointer->tokens[i]);
    at = at->type == JSON_OBJECT ? &at->members[index].value : &at->items[index];
  }
  *ret = at;
  return CODE_OK;
}

/* ---- Copying on the way ---- */

static bool reserve_slots(Patcher *patcher, size_t count) {
  patcher->slots_copied += count;
  return patcher->slots_copied <= SLOTS_COPIED_MAX;
}

/* The object with `count` members, the first of which are the old ones'. */
static Code copy_members(Patcher *patcher, const JsonValue *object, size_t count, JsonMember **ret) {
  if (!reserve_slots(patcher, count)) return fail(patcher, CODE_TOO_LARGE, "the patch is too much work");
  JsonMember *members = ARENA_ARRAY(patcher->arena, JsonMember, count + 1);
  if (members == NULL) return error_no_memory(patcher->err);
  size_t kept = count < object->count ? count : object->count;
  if (kept > 0) memcpy(members, object->members, kept * sizeof *members);
  *ret = members;
  return CODE_OK;
}

static Code copy_items(Patcher *patcher, const JsonValue *array, size_t count, JsonValue **ret) {
  if (!reserve_slots(patcher, count)) return fail(patcher, CODE_TOO_LARGE, "the patch is too much work");
  JsonValue *items = ARENA_ARRAY(patcher->arena, JsonValue, count + 1);
  if (items == NULL) return error_no_memory(patcher->err);
  size_t kept = count < array->count ? count : array->count;
  if (kept > 0) memcpy(items, array->items, kept * sizeof *items);
  *ret = items;
  return CODE_OK;
}

static Code edit_member(Patcher *patcher, const JsonValue *object, Str name, Edit edit, const JsonValue *value, JsonValue *ret) {
  size_t at = find_member(object, name);
  bool is_there = at < object->count;
  if (!is_there && edit != EDIT_ADD) return not_there(patcher, name);
  JsonMember *members;
  size_t count = object->count + (is_there ? 0 : 1);
  TRY(copy_members(patcher, object, count, &members));
  if (edit == EDIT_REMOVE) {
    memmove(members + at, members + at + 1, (count - at - 1) * sizeof *members);
    count--;
  } else {
    members[at] = (JsonMember){.name = name, .value = *value};
  }
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = count};
  return CODE_OK;
}

static Code edit_item(Patcher *patcher, const JsonValue *array, Str token, Edit edit, const JsonValue *value, JsonValue *ret) {
  size_t at;
  if (!parse_index(token, array->count, &at) || (edit != EDIT_ADD && at == array->count)) return not_there(patcher, token);
  JsonValue *items;
  TRY(copy_items(patcher, array, array->count + (edit == EDIT_ADD ? 1 : 0), &items));
  size_t count = array->count;
  if (edit == EDIT_REMOVE) {
    memmove(items + at, items + at + 1, (count - at - 1) * sizeof *items);
    count--;
  } else {
    if (edit == EDIT_ADD) memmove(items + at + 1, items + at, (count++ - at) * sizeof *items);
    items[at] = *value;
  }
  *ret = (JsonValue){.type = JSON_ARRAY, .items = items, .count = count};
  return CODE_OK;
}

static Code edit_at(Patcher *patcher, const JsonValue *at, const Pointer *pointer, size_t depth, Edit edit, const JsonValue *value,
                    JsonValue *ret);

/* The value with the child that the pointer names edited deeper down. */
static Code edit_child(Patcher *patcher, const JsonValue *at, const Pointer *pointer, size_t depth, Edit edit, const JsonValue *value,
                       JsonValue *ret) {
  Str token = pointer->tokens[depth];
  size_t index = at->type == JSON_OBJECT ? find_member(at, token) : at->count;
  if (at->type == JSON_ARRAY && !parse_index(token, at->count, &index)) index = at->count;
  if (index >= at->count) return not_there(patcher, token);
  JsonValue child;
  const JsonValue *old = at->type == JSON_OBJECT ? &at->members[index].value : &at->items[index];
  TRY(edit_at(patcher, old, pointer, depth + 1, edit, value, &child));
  *ret = *at;
  if (at->type == JSON_OBJECT) {
    JsonMember *members;
    TRY(copy_members(patcher, at, at->count, &members));
    members[index].value = child;
    ret->members = members;
  } else {
    JsonValue *items;
    TRY(copy_items(patcher, at, at->count, &items));
    items[index] = child;
    ret->items = items;
  }
  return CODE_OK;
}

/* Recursion goes as deep as a pointer, which JSON_DEPTH_DEFAULT bounds. */
static Code edit_at(Patcher *patcher, const JsonValue *at, const Pointer *pointer, size_t depth, Edit edit, const JsonValue *value,
                    JsonValue *ret) {
  if (depth == pointer->count) { /* the whole document */
    *ret = edit == EDIT_REMOVE ? (JsonValue){.type = JSON_NULL} : *value;
    return CODE_OK;
  }
  Str token = pointer->tokens[depth];
  if (at->type != JSON_OBJECT && at->type != JSON_ARRAY) return not_there(patcher, token);
  if (depth + 1 < pointer->count) return edit_child(patcher, at, pointer, depth, edit, value, ret);
  return at->type == JSON_OBJECT ? edit_member(patcher, at, token, edit, value, ret) : edit_item(patcher, at, token, edit, value, ret);
}

/* ---- Operations (RFC 6902 §4) ---- */

/* Counts what a value adds; a value that is copied into itself doubles each time. */
static bool count_nodes(const JsonValue *value, size_t depth, size_t *count) {
  if (depth >= JSON_DEPTH_DEFAULT || ++*count > JSON_PATCH_NODES_MAX) return false;
  for (size_t i = 0; i < value->count; i++) {
    bool is_object = value->type == JSON_OBJECT;
    if (!is_object && value->type != JSON_ARRAY) break;
    if (!count_nodes(is_object ? &value->members[i].value : &value->items[i], depth + 1, count)) return false;
  }
  return true;
}

static Code text_member(Patcher *patcher, const JsonValue *operation, Str name, Str *ret) {
  const JsonValue *member = json_get(operation, name);
  if (member == NULL || member->type != JSON_STRING) {
    return error_set(patcher->err, CODE_BAD_REQUEST, "the operation has no text \"%.*s\"", STR_ARGS(name));
  }
  *ret = member->text;
  return CODE_OK;
}

static Code put(Patcher *patcher, const JsonValue *document, const Pointer *path, Edit edit, const JsonValue *value, JsonValue *ret) {
  if (!count_nodes(value, path->count, &patcher->nodes_added)) return fail(patcher, CODE_TOO_LARGE, "the document would become too large");
  return edit_at(patcher, document, path, 0, edit, value, ret);
}

static bool is_inside(const Pointer *path, const Pointer *from) {
  if (path->count <= from->count) return false;
  for (size_t i = 0; i < from->count; i++) {
    if (!str_equal(path->tokens[i], from->tokens[i])) return false;
  }
  return true;
}

static Code apply_from(Patcher *patcher, const JsonValue *document, const JsonValue *operation, const Pointer *path, bool is_move,
                       JsonValue *ret) {
  Str path_text = patcher->pointer;
  Str from_text = {0};
  Pointer from;
  const JsonValue *value;
  TRY(text_member(patcher, operation, STR("from"), &from_text));
  TRY(parse_pointer(patcher, from_text, &from));
  TRY(look_up(patcher, document, &from, &value));
  patcher->pointer = path_text;
  if (!is_move) return put(patcher, document, path, EDIT_ADD, value, ret);
  if (is_inside(path, &from)) return fail(patcher, CODE_VALIDATION_FAILED, "a value can't be moved into itself");
  JsonValue without;
  TRY(edit_at(patcher, document, &from, 0, EDIT_REMOVE, NULL, &without));
  return put(patcher, &without, path, EDIT_ADD, value, ret);
}

static Code apply_value(Patcher *patcher, const JsonValue *document, const JsonValue *operation, Str op, const Pointer *path,
                        JsonValue *ret) {
  const JsonValue *value = json_get(operation, STR("value"));
  if (value == NULL) return fail(patcher, CODE_BAD_REQUEST, "the operation has no \"value\"");
  if (str_equal(op, STR("add"))) return put(patcher, document, path, EDIT_ADD, value, ret);
  const JsonValue *old;
  TRY(look_up(patcher, document, path, &old));
  if (str_equal(op, STR("replace"))) return put(patcher, document, path, EDIT_REPLACE, value, ret);
  if (!json_equal(old, value)) return fail(patcher, CODE_CONFLICT, "the test failed: another value stands there");
  *ret = *document;
  return CODE_OK;
}

static Code apply_operation(Patcher *patcher, const JsonValue *document, const JsonValue *operation, JsonValue *ret) {
  Str op = {0}, path_text = {0};
  Pointer path;
  if (operation->type != JSON_OBJECT) return fail(patcher, CODE_BAD_REQUEST, "an operation is an object");
  TRY(text_member(patcher, operation, STR("op"), &op));
  TRY(text_member(patcher, operation, STR("path"), &path_text));
  TRY(parse_pointer(patcher, path_text, &path));
  if (str_equal(op, STR("move"))) return apply_from(patcher, document, operation, &path, true, ret);
  if (str_equal(op, STR("copy"))) return apply_from(patcher, document, operation, &path, false, ret);
  if (str_equal(op, STR("remove"))) return edit_at(patcher, document, &path, 0, EDIT_REMOVE, NULL, ret);
  if (str_equal(op, STR("add")) || str_equal(op, STR("replace")) || str_equal(op, STR("test")))
    return apply_value(patcher, document, operation, op, &path, ret);
  return fail(patcher, CODE_BAD_REQUEST, "\"op\" is one of add, remove, replace, move, copy, test");
}

Code json_patch_apply(const JsonValue *document, const JsonValue *patch, Arena *arena, JsonValue *ret, JsonPatchFailure *ret_failure,
                      Error *err) {
  Patcher patcher = {.arena = arena, .err = err};
  *ret_failure = (JsonPatchFailure){0};
  if (patch->type != JSON_ARRAY) return fail(&patcher, CODE_BAD_REQUEST, "a JSON Patch is an array of operations");
  if (patch->count > JSON_PATCH_OPERATIONS_MAX) return fail(&patcher, CODE_TOO_LARGE, "the patch has too many operations");
  JsonValue at = *document;
  for (size_t i = 0; i < patch->count; i++) {
    JsonValue next;
    patcher.pointer = (Str){0};
    Code code = apply_operation(&patcher, &at, &patch->items[i], &next);
    *ret_failure = (JsonPatchFailure){i, patcher.pointer};
    if (code != CODE_OK) return code;
    at = next;
  }
  *ret = at;
  return CODE_OK;
}

/* ---- Merge patch (RFC 7396 §2) ---- */

/* An object's members in the order of names, so that two large objects merge in O(n log n). */
typedef struct MemberIndex {
  const JsonMember **members;
  size_t count;
} MemberIndex;

static Code index_members(const JsonValue *object, Arena *arena, MemberIndex *ret, Error *err) {
  size_t count = object->type == JSON_OBJECT ? object->count : 0;
  const JsonMember **members = ARENA_ARRAY(arena, const JsonMember *, count + 1);
  TRY_ALLOC(members);
  for (size_t i = 0; i < count; i++) members[i] = &object->members[i];
  json_sort_members(members, count);
  *ret = (MemberIndex){members, count};
  return CODE_OK;
}

static const JsonValue *index_find(const MemberIndex *index, Str name) {
  size_t low = 0, high = index->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = str_compare(index->members[middle]->name, name);
    if (order == 0) return &index->members[middle]->value;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return NULL;
}

Code json_merge_patch_apply(const JsonValue *document, const JsonValue *patch, Arena *arena, JsonValue *ret, Error *err) {
  if (patch->type != JSON_OBJECT) {
    *ret = *patch;
    return CODE_OK;
  }
  MemberIndex old_members, changes;
  TRY(index_members(document, arena, &old_members, err));
  TRY(index_members(patch, arena, &changes, err));
  JsonMember *members = ARENA_ARRAY(arena, JsonMember, old_members.count + changes.count + 1);
  TRY_ALLOC(members);
  static const JsonValue nothing = {.type = JSON_NULL};
  size_t count = 0;
  for (size_t i = 0; i < old_members.count; i++) {
    const JsonMember *old = &document->members[i];
    const JsonValue *change = index_find(&changes, old->name);
    if (change != NULL && change->type == JSON_NULL) continue;
    members[count] = *old;
    if (change != NULL) TRY(json_merge_patch_apply(&old->value, change, arena, &members[count].value, err));
    count++;
  }
  for (size_t i = 0; i < patch->count; i++) {
    const JsonMember *change = &patch->members[i];
    if (change->value.type == JSON_NULL || index_find(&old_members, change->name) != NULL) continue;
    members[count].name = change->name;
    TRY(json_merge_patch_apply(&nothing, &change->value, arena, &members[count].value, err));
    count++;
  }
  *ret = (JsonValue){.type = JSON_OBJECT, .members = members, .count = count};
  return CODE_OK;
}
