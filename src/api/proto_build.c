/* proto_build.c - a schema under construction: drafts that grow, names that are resolved at the end. */
#include "api/proto_build.h"

#include <stdlib.h>

/* NULL where memory is out, which is sticky. */
static void *kept_object(ProtoBuilder *builder, void *object) {
  if (object == NULL) builder->has_no_memory = true;
  return object;
}

#define PUSH(builder, vec, item)                                                                                                           \
  do {                                                                                                                                     \
    if (!VEC_PUSH((builder)->arena, (vec), (item))) (builder)->has_no_memory = true;                                                       \
  } while (0)

/* ---- files, types ---- */

ProtoFileDraft *proto_build_file(ProtoBuilder *builder, Str name, Str package) {
  ProtoFileDraft *file = kept_object(builder, ARENA_NEW(builder->arena, ProtoFileDraft));
  if (file == NULL) return NULL;
  file->file.name = name;
  file->file.package = package;
  PUSH(builder, &builder->files, &file->file);
  return file;
}

void proto_build_option(ProtoBuilder *builder, ProtoFileDraft *file, uint32_t number, Str text) {
  if (file == NULL) return;
  PUSH(builder, &file->options, ((ProtoFileOption){number, text}));
}

static Str nested_name(ProtoBuilder *builder, const ProtoFileDraft *file, const ProtoMessageDraft *parent, Str name) {
  Str scope = parent == NULL ? file->file.package : parent->message.full_name;
  return proto_text_of(builder, "%.*s.%.*s", STR_ARGS(scope), STR_ARGS(name));
}

ProtoMessageDraft *proto_build_message(ProtoBuilder *builder, ProtoFileDraft *file, ProtoMessageDraft *parent, Str name) {
  ProtoMessageDraft *draft = file == NULL ? NULL : kept_object(builder, ARENA_NEW(builder->arena, ProtoMessageDraft));
  if (draft == NULL) return NULL;
  draft->message.name = name;
  draft->message.full_name = nested_name(builder, file, parent, name);
  draft->message.file = &file->file;
  draft->message.parent = parent == NULL ? NULL : &parent->message;
  draft->names = map_on(builder->arena);
  draft->next_number = 1;
  if (parent == NULL)
    PUSH(builder, &file->messages, &draft->message);
  else
    PUSH(builder, &parent->messages, &draft->message);
  PUSH(builder, &builder->all, &draft->message);
  if (!map_put(&builder->schema->messages, draft->message.full_name, &draft->message)) builder->has_no_memory = true;
  return draft;
}

ProtoEnumDraft *proto_build_enum(ProtoBuilder *builder, ProtoFileDraft *file, ProtoMessageDraft *parent, Str name) {
  ProtoEnumDraft *draft = file == NULL ? NULL : kept_object(builder, ARENA_NEW(builder->arena, ProtoEnumDraft));
  if (draft == NULL) return NULL;
  draft->type.name = name;
  draft->type.full_name = nested_name(builder, file, parent, name);
  draft->type.file = &file->file;
  draft->type.parent = parent == NULL ? NULL : &parent->message;
  if (parent == NULL)
    PUSH(builder, &file->enums, &draft->type);
  else
    PUSH(builder, &parent->enums, &draft->type);
  if (!map_put(&builder->schema->enums, draft->type.full_name, &draft->type)) builder->has_no_memory = true;
  return draft;
}

void proto_build_value(ProtoBuilder *builder, ProtoEnumDraft *type, ProtoEnumValue value) {
  if (type == NULL) return;
  PUSH(builder, &type->values, value);
}

/* ---- fields ---- */

static const struct {
  Str name;
  ProtoType type;
} scalars[] = {
    {STR_INIT("double"), PROTO_DOUBLE}, {STR_INIT("int64"), PROTO_INT64},   {STR_INIT("int32"), PROTO_INT32},
    {STR_INIT("bool"), PROTO_BOOL},     {STR_INIT("string"), PROTO_STRING}, {STR_INIT("bytes"), PROTO_BYTES},
};

static bool take_word(Str *text, Str word) {
  if (!str_starts_with(*text, word)) return false;
  *text = str_slice(*text, word.len, text->len);
  return true;
}

/* PROTO_MESSAGE stands for an enum too until the name is resolved. */
static void read_type(Str text, ProtoFieldDraft *ret) {
  ret->field.is_optional = take_word(&text, STR("optional "));
  ret->field.is_repeated = take_word(&text, STR("repeated "));
  ret->field.is_map = take_word(&text, STR("map "));
  if (ret->field.is_map) ret->field.is_repeated = true;
  ret->field.type = PROTO_MESSAGE;
  ret->type_name = text;
  for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
    if (!str_equal(scalars[i].name, text)) continue;
    ret->field.type = scalars[i].type;
    ret->type_name = (Str){0};
  }
}

/* A map is a list of entries, of a type that the message has for it: by → ByEntry. */
static void make_map_entry(ProtoBuilder *builder, ProtoMessageDraft *message, Str value_type, ProtoFieldDraft *draft) {
  Str json = proto_json_name(builder, draft->field.name);
  if (builder->has_no_memory || json.len == 0) return;
  char first = (char)(json.ptr[0] - 'a' + 'A');
  Str name = proto_text_of(builder, "%c%.*sEntry", first, STR_ARGS(str_slice(json, 1, json.len)));
  ProtoMessageDraft *entry = proto_build_message(builder, (ProtoFileDraft *)message->message.file, message, name);
  if (entry == NULL) return;
  entry->message.is_map_entry = true;
  (void)proto_build_field(builder, entry, STR("string"), STR("key"), 1);
  (void)proto_build_field(builder, entry, value_type, STR("value"), 2);
  draft->field.type = PROTO_MESSAGE;
  draft->type_name = entry->message.full_name;
}

ProtoField *proto_build_field(ProtoBuilder *builder, ProtoMessageDraft *message, Str type, Str name, uint32_t number) {
  if (message == NULL) return &builder->no_field;
  ProtoFieldDraft draft = {.field = {.name = name, .number = number, .oneof = PROTO_NO_ONEOF}};
  read_type(type, &draft);
  if (number == 0) draft.field.number = message->next_number;
  message->next_number = draft.field.number + 1;
  draft.field.json_name = proto_json_name(builder, name);
  if (take_word(&type, STR("map "))) make_map_entry(builder, message, type, &draft);
  PUSH(builder, &message->fields, draft);
  return builder->has_no_memory ? &builder->no_field : &message->fields.items[message->fields.count - 1].field;
}

void proto_build_json_name(ProtoField *field, Str name) {
  if (str_equal(field->json_name, name) || str_starts_with(name, STR("_"))) return;
  field->has_json_name = true;
  field->json_name = name;
}

int proto_build_oneof(ProtoBuilder *builder, ProtoMessageDraft *message, Str name) {
  if (message == NULL) return PROTO_NO_ONEOF;
  PUSH(builder, &message->oneofs, name);
  return (int)message->oneofs.count - 1;
}

/* ---- services ---- */

ProtoServiceDraft *proto_build_service(ProtoBuilder *builder, ProtoFileDraft *file, Str name) {
  ProtoServiceDraft *draft = file == NULL ? NULL : kept_object(builder, ARENA_NEW(builder->arena, ProtoServiceDraft));
  if (draft == NULL) return NULL;
  draft->service.name = name;
  draft->service.full_name = nested_name(builder, file, NULL, name);
  draft->service.file = &file->file;
  PUSH(builder, &file->services, &draft->service);
  if (!map_put(&builder->schema->services, draft->service.full_name, &draft->service)) builder->has_no_memory = true;
  return draft;
}

ProtoMethod *proto_build_method(ProtoBuilder *builder, ProtoServiceDraft *service, Str name, Str request, Str response) {
  if (service == NULL) return &builder->no_method;
  ProtoMethodDraft draft = {.method = {.name = name, .service = &service->service}, .request = request, .response = response};
  draft.method.path = proto_text_of(builder, "/%.*s/%.*s", STR_ARGS(service->service.full_name), STR_ARGS(name));
  PUSH(builder, &service->methods, draft);
  return builder->has_no_memory ? &builder->no_method : &service->methods.items[service->methods.count - 1].method;
}

/* ---- the end ---- */

static void add_import(ProtoBuilder *builder, const ProtoFile *file, const ProtoFile *used) {
  ProtoFileDraft *draft = (ProtoFileDraft *)file;
  if (used == file) return;
  for (size_t i = 0; i < draft->imports.count; i++) {
    if (draft->imports.items[i] == used) return;
  }
  PUSH(builder, &draft->imports, used);
}

static void resolve_field(ProtoBuilder *builder, const ProtoMessage *message, const ProtoFieldDraft *draft, ProtoField *ret) {
  *ret = draft->field;
  if (draft->type_name.len == 0) return;
  ret->message = map_get(&builder->schema->messages, draft->type_name);
  ret->enum_type = ret->message != NULL ? NULL : map_get(&builder->schema->enums, draft->type_name);
  if (ret->enum_type != NULL) ret->type = PROTO_ENUM;
  if (ret->message == NULL && ret->enum_type == NULL) {
    (void)error_set(builder->err, CODE_INTERNAL, "there is no type %.*s", STR_ARGS(draft->type_name));
    builder->failed = CODE_INTERNAL;
    return;
  }
  add_import(builder, message->file, ret->message != NULL ? ret->message->file : ret->enum_type->file);
}

static int compare_numbers(const void *a, const void *b) {
  uint32_t x = (*(const ProtoField *const *)a)->number, y = (*(const ProtoField *const *)b)->number;
  return x < y ? -1 : x > y;
}

static void finish_message(ProtoBuilder *builder, ProtoMessageDraft *draft) {
  ProtoMessage *message = &draft->message;
  size_t count = draft->fields.count;
  ProtoField *fields = kept_object(builder, ARENA_ARRAY(builder->arena, ProtoField, count + 1));
  const ProtoField **by_number = kept_object(builder, ARENA_ARRAY(builder->arena, const ProtoField *, count + 1));
  if (fields == NULL || by_number == NULL) return;
  message->by_name = map_on(builder->arena);
  for (size_t i = 0; i < count; i++) {
    resolve_field(builder, message, &draft->fields.items[i], &fields[i]);
    by_number[i] = &fields[i];
    if (!map_put(&message->by_name, fields[i].json_name, &fields[i])) builder->has_no_memory = true;
  }
  /* A field's own name wins over another's JSON name. */
  for (size_t i = 0; i < count; i++) {
    if (!map_put(&message->by_name, fields[i].name, &fields[i])) builder->has_no_memory = true;
  }
  if (count > 0) qsort(by_number, count, sizeof *by_number, compare_numbers);
  message->fields = fields;
  message->field_count = count;
  message->by_number = by_number;
  message->oneofs = draft->oneofs.items;
  message->oneof_count = draft->oneofs.count;
  message->messages = draft->messages.items;
  message->message_count = draft->messages.count;
  message->enums = draft->enums.items;
  message->enum_count = draft->enums.count;
}

static void finish_enum(ProtoEnumDraft *draft) {
  draft->type.values = draft->values.items;
  draft->type.value_count = draft->values.count;
}

static void finish_service(ProtoBuilder *builder, ProtoServiceDraft *draft) {
  ProtoMethod *methods = kept_object(builder, ARENA_ARRAY(builder->arena, ProtoMethod, draft->methods.count + 1));
  if (methods == NULL) return;
  for (size_t i = 0; i < draft->methods.count; i++) {
    const ProtoMethodDraft *method = &draft->methods.items[i];
    methods[i] = method->method;
    methods[i].request = map_get(&builder->schema->messages, method->request);
    methods[i].response = map_get(&builder->schema->messages, method->response);
    if (methods[i].request == NULL || methods[i].response == NULL) {
      builder->failed = error_set(builder->err, CODE_INTERNAL, "%.*s has no such types", STR_ARGS(method->method.path));
      return;
    }
    add_import(builder, draft->service.file, methods[i].request->file);
    add_import(builder, draft->service.file, methods[i].response->file);
    if (!map_put(&builder->schema->methods, methods[i].path, &methods[i])) builder->has_no_memory = true;
  }
  draft->service.methods = methods;
  draft->service.method_count = draft->methods.count;
}

static int compare_files(const void *a, const void *b) {
  return str_compare((*(const ProtoFile *const *)a)->name, (*(const ProtoFile *const *)b)->name);
}

static void finish_file(ProtoBuilder *builder, ProtoFileDraft *draft) {
  for (size_t i = 0; i < draft->enums.count; i++) finish_enum((ProtoEnumDraft *)draft->enums.items[i]);
  for (size_t i = 0; i < draft->services.count; i++) finish_service(builder, (ProtoServiceDraft *)draft->services.items[i]);
  if (draft->imports.count > 0) qsort((void *)draft->imports.items, draft->imports.count, sizeof(const ProtoFile *), compare_files);
  ProtoFile *file = &draft->file;
  file->imports = draft->imports.items;
  file->import_count = draft->imports.count;
  file->services = draft->services.items;
  file->service_count = draft->services.count;
  file->messages = draft->messages.items;
  file->message_count = draft->messages.count;
  file->enums = draft->enums.items;
  file->enum_count = draft->enums.count;
  file->options = draft->options.items;
  file->option_count = draft->options.count;
}

Code proto_build_finish(ProtoBuilder *builder, Error *err) {
  for (size_t i = 0; i < builder->all.count; i++) {
    ProtoMessageDraft *draft = (ProtoMessageDraft *)builder->all.items[i];
    for (size_t j = 0; j < draft->enums.count; j++) finish_enum((ProtoEnumDraft *)draft->enums.items[j]);
    finish_message(builder, draft);
  }
  for (size_t i = 0; i < builder->files.count; i++) finish_file(builder, (ProtoFileDraft *)builder->files.items[i]);
  if (builder->has_no_memory) return error_no_memory(err);
  if (builder->failed != CODE_OK) return builder->failed;
  builder->schema->file = builder->own == NULL ? NULL : &builder->own->file;
  builder->schema->files = builder->files.items;
  builder->schema->file_count = builder->files.count;
  return CODE_OK;
}
