/* proto_numbers.c - numbers of fields and values: the lock's, which stay for ever, or the contract's order. */
#include "api/proto_build.h"

#include <stdlib.h>

/* Kept by the format for itself. */
enum { RESERVED_FIRST = 19000, RESERVED_LAST = 19999 };

static const ProtoLockType *lock_of(const ProtoBuilder *builder, Str name, bool is_enum) {
  return builder->lock == NULL ? NULL : proto_lock_type(builder->lock, name, is_enum);
}

static void refuse(ProtoBuilder *builder, Str type, Str name, const char *what) {
  if (builder->failed != CODE_OK) return;
  builder->failed =
      error_set(builder->err, CODE_BAD_REQUEST, "%.*s: %.*s.%.*s %s", STR_ARGS(builder->lock->file), STR_ARGS(type), STR_ARGS(name), what);
}

static const ProtoLockEntry *locked_entry(ProtoBuilder *builder, const ProtoLockType *lock, Str name, Str renamed_from) {
  const ProtoLockEntry *entry = proto_lock_entry(lock, name);
  if (entry == NULL && renamed_from.len > 0) {
    entry = proto_lock_entry(lock, renamed_from);
    if (entry != NULL && entry->is_reserved) entry = NULL;
  }
  if (entry == NULL || !entry->is_reserved) return entry;
  refuse(builder, lock->name, name, "was removed once, and its name and number stay reserved: choose another name");
  return NULL;
}

static uint32_t next_number(uint32_t number) { return number >= RESERVED_FIRST && number <= RESERVED_LAST ? RESERVED_LAST + 1 : number; }

void proto_build_lock_message(ProtoBuilder *builder, ProtoMessageDraft *message) {
  message->message.is_locked = true;
  message->next_number = proto_lock_next(lock_of(builder, message->message.name, false));
}

ProtoField *proto_build_locked(ProtoBuilder *builder, ProtoMessageDraft *message, Str type, Str name, Str renamed_from) {
  if (message == NULL) return &builder->no_field;
  const ProtoLockType *lock = lock_of(builder, message->message.name, false);
  const ProtoLockEntry *entry = lock == NULL ? NULL : locked_entry(builder, lock, name, renamed_from);
  Str plain = proto_lock_type_name(type, message->message.file->package, builder->arena);
  if (plain.ptr == NULL) builder->has_no_memory = true;
  if (entry != NULL && plain.ptr != NULL && !str_equal(entry->type, plain)) {
    Str what = proto_text_of(builder,
                             "is %.*s there and %.*s now: a field's type never changes; name the new one otherwise, or take @renamed away",
                             STR_ARGS(entry->type), STR_ARGS(plain));
    refuse(builder, message->message.name, name, what.len == 0 ? "has another type now" : what.ptr);
  }
  uint32_t kept = message->next_number, number = entry != NULL ? entry->number : next_number(kept);
  if (entry == NULL) builder->has_unlocked = true;
  ProtoField *field = proto_build_field(builder, message, type, name, number);
  message->next_number = entry != NULL ? kept : number + 1;
  return field;
}

static int compare_numbers(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

/* Of the lock's entries those that are not in use: `used` says whether a name is, and whether a number is. */
typedef struct Reserved {
  uint32_t *numbers;
  Str *names;
  size_t number_count, name_count;
} Reserved;

typedef bool IsUsedFn(const void *type, Str name, uint32_t number); /* by name where it has one, else by number */

static Reserved find_reserved(ProtoBuilder *builder, const ProtoLockType *lock, const void *type, IsUsedFn *is_used) {
  Reserved found = {0};
  if (lock == NULL) return found;
  found.numbers = ARENA_ARRAY(builder->arena, uint32_t, lock->count + 1);
  found.names = ARENA_ARRAY(builder->arena, Str, lock->count + 1);
  if (found.numbers == NULL || found.names == NULL) {
    builder->has_no_memory = true;
    return (Reserved){0};
  }
  for (size_t i = 0; i < lock->count; i++) {
    const ProtoLockEntry *entry = &lock->entries[i];
    if (!is_used(type, entry->name, 0)) found.names[found.name_count++] = entry->name;
    bool is_told = found.number_count > 0 && found.numbers[found.number_count - 1] == entry->number;
    if (!is_told && !is_used(type, (Str){0}, entry->number)) found.numbers[found.number_count++] = entry->number;
  }
  qsort(found.numbers, found.number_count, sizeof *found.numbers, compare_numbers);
  return found;
}

static bool is_field_used(const void *type, Str name, uint32_t number) {
  const ProtoMessageDraft *message = type;
  for (size_t i = 0; i < message->fields.count; i++) {
    const ProtoField *field = &message->fields.items[i].field;
    if (name.ptr != NULL ? str_equal(field->name, name) : field->number == number) return true;
  }
  return false;
}

void proto_build_reserved(ProtoBuilder *builder, ProtoMessageDraft *message) {
  if (message == NULL) return;
  Reserved found = find_reserved(builder, lock_of(builder, message->message.name, false), message, is_field_used);
  message->message.reserved_numbers = found.numbers;
  message->message.reserved_number_count = found.number_count;
  message->message.reserved_names = found.names;
  message->message.reserved_name_count = found.name_count;
}

/* ---- enums ---- */

void proto_build_locked_value(ProtoBuilder *builder, ProtoEnumDraft *type, ProtoEnumValue value) {
  if (type == NULL) return;
  const ProtoLockType *lock = lock_of(builder, type->type.name, true);
  const ProtoLockEntry *entry = lock == NULL ? NULL : locked_entry(builder, lock, value.name, (Str){0});
  if (entry != NULL) {
    value.number = (int32_t)entry->number;
  } else {
    value.number = (int32_t)type->next_number++;
    builder->has_unlocked = true;
  }
  proto_build_value(builder, type, value);
}

static bool is_value_used(const void *type, Str name, uint32_t number) {
  const ProtoEnumDraft *draft = type;
  for (size_t i = 0; i < draft->values.count; i++) {
    const ProtoEnumValue *value = &draft->values.items[i];
    if (name.ptr != NULL ? str_equal(value->name, name) : value->number == (int32_t)number) return true;
  }
  return false;
}

void proto_build_reserved_values(ProtoBuilder *builder, ProtoEnumDraft *type) {
  if (type == NULL) return;
  Reserved found = find_reserved(builder, lock_of(builder, type->type.name, true), type, is_value_used);
  type->type.reserved_numbers = found.numbers;
  type->type.reserved_number_count = found.number_count;
  type->type.reserved_names = found.names;
  type->type.reserved_name_count = found.name_count;
}
