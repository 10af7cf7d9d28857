/* proto_print.c - the .proto file's text, with what the contract says of types and fields as comments. */
#include "api/proto_print.h"

#include "base/datetime.h"
#include "codec/json.h"
#include "contract/directive_words.h"

typedef struct Printer {
  const ProtoSchema *schema;
  Buf *out;
} Printer;

/* ---- comments ---- */

static void write_comment_line(Buf *out, const char *indent, Str line) {
  buf_add(out, str_of(indent));
  buf_add(out, line.len == 0 ? STR("//") : STR("// "));
  for (size_t i = 0; i < line.len; i++) buf_add_byte(out, (uint8_t)line.ptr[i] < 0x20 || line.ptr[i] == 0x7f ? ' ' : line.ptr[i]);
  buf_add_byte(out, '\n');
}

static void write_comment(Buf *out, const char *indent, Str text) {
  Str rest = text, line;
  if (text.len == 0) return;
  while (str_split_next(&rest, '\n', &line)) write_comment_line(out, indent, line);
}

static void note_bound(Buf *notes, const char *words, const Value *bound) {
  char text[TIMESTAMP_TEXT_MAX];
  switch (bound->type) {
    case VALUE_INT: buf_printf(notes, " %s %lld.", words, (long long)bound->integer); break;
    case VALUE_FLOAT:
      buf_printf(notes, " %s ", words);
      json_write_double(notes, bound->number);
      buf_add_byte(notes, '.');
      break;
    case VALUE_DECIMAL: buf_printf(notes, " %s %.*s.", words, STR_ARGS(bound->text)); break;
    case VALUE_TIMESTAMP: buf_printf(notes, " %s %.*s.", words, (int)timestamp_write(bound->integer, text), text); break;
    case VALUE_DATE: buf_printf(notes, " %s %.*s.", words, (int)date_write(bound->integer, text), text); break;
    default: break;
  }
}

static const char *form_of(const Field *field) {
  switch (field->type) {
    case TYPE_DECIMAL: return "An exact decimal number of up to 38 digits.";
    case TYPE_DATE: return "A day, as 2026-11-23.";
    case TYPE_UUID: return "A UUID.";
    case TYPE_EMAIL: return "An email address.";
    case TYPE_URL: return "A URL.";
    default: return NULL;
  }
}

/* What the contract asks of the field's values, in one line. */
static void note_constraints(Buf *notes, const Field *field) {
  const char *form = form_of(field), *unit = field->is_list ? "items" : field->type == TYPE_BYTES ? "bytes" : "characters";
  if (form != NULL) buf_printf(notes, " %s", form);
  if (field->type == TYPE_DECIMAL && field->scale >= 0) buf_printf(notes, " Fraction digits: %d.", field->scale);
  note_bound(notes, "At least", &field->range_min);
  note_bound(notes, "At most", &field->range_max);
  if (field->length_min > 0) buf_printf(notes, " At least %lld %s.", (long long)field->length_min, unit);
  if (field->length_max >= 0) buf_printf(notes, " At most %lld %s.", (long long)field->length_max, unit);
  if (field->pattern.ptr != NULL) buf_printf(notes, " Matches `%.*s`.", STR_ARGS(field->pattern));
  directives_describe(field, notes);
  if (field->is_list && !field->is_item_required) buf_add(notes, STR(" A null item is the type's zero value."));
}

static void write_notes(Printer *printer, const ProtoField *field, bool is_request) {
  Buf notes = buf_on_heap(printer->out->max);
  const Field *source = field->field;
  if (field->is_input_only) buf_add(&notes, STR(" Input only: never in an answer."));
  if (source->is_key && !is_request)
    buf_add(&notes, source->is_server_made ? STR(" The key, made by the server.") : STR(" Of the key."));
  else if ((field->is_output_only || source->is_readonly) && !is_request)
    buf_add(&notes, STR(" Output only."));
  if (source->is_immutable) buf_add(&notes, STR(" Immutable."));
  if (source->kind == FIELD_STORED) note_constraints(&notes, source);
  if (source->deprecation_reason.len > 0) buf_printf(&notes, " Deprecated: %.*s", STR_ARGS(source->deprecation_reason));
  write_comment(printer->out, "  ", str_trim(buf_str(&notes)));
  if (notes.failed == CODE_UNAVAILABLE) printer->out->failed = CODE_UNAVAILABLE;
  buf_done(&notes);
}

/* ---- types ---- */

/* In the message itself, or around it. */
static bool has_nested(const ProtoMessage *message, Str name) {
  if (message->parent != NULL && has_nested(message->parent, name)) return true;
  for (size_t i = 0; i < message->message_count; i++) {
    if (str_equal(message->messages[i]->name, name)) return true;
  }
  for (size_t i = 0; i < message->enum_count; i++) {
    if (str_equal(message->enums[i]->name, name)) return true;
  }
  return false;
}

/* Of the own package without it, unless a nested type of the same name would be taken for it. */
static void write_type_name(Printer *printer, const ProtoMessage *inside, Str full_name, const ProtoMessage *parent) {
  Str package = printer->schema->file->package;
  bool is_own = full_name.len > package.len && str_starts_with(full_name, package) && full_name.ptr[package.len] == '.';
  Str name = is_own ? str_slice(full_name, package.len + 1, full_name.len) : full_name;
  if (is_own && parent != NULL && parent == inside) name = str_slice(full_name, parent->full_name.len + 1, full_name.len);
  if (is_own && parent == NULL && inside != NULL && has_nested(inside, name)) {
    buf_printf(printer->out, ".%.*s", STR_ARGS(full_name));
    return;
  }
  buf_add(printer->out, name);
}

static void write_field_type(Printer *printer, const ProtoMessage *inside, const ProtoField *field) {
  static const char *const names[] = {[PROTO_DOUBLE] = "double", [PROTO_INT64] = "int64",   [PROTO_INT32] = "int32",
                                      [PROTO_BOOL] = "bool",     [PROTO_STRING] = "string", [PROTO_BYTES] = "bytes"};
  if (field->is_map) {
    buf_add(printer->out, STR("map<string, "));
    write_field_type(printer, inside, &field->message->fields[1]);
    buf_add_byte(printer->out, '>');
  } else if (field->message != NULL) {
    write_type_name(printer, inside, field->message->full_name, field->message->parent);
  } else if (field->enum_type != NULL) {
    write_type_name(printer, inside, field->enum_type->full_name, field->enum_type->parent);
  } else {
    buf_add(printer->out, str_of(names[field->type]));
  }
}

/* ---- declarations ---- */

static void write_field(Printer *printer, const ProtoMessage *message, const ProtoField *field, const char *indent) {
  Buf *out = printer->out;
  write_comment(out, indent, field->description);
  if (field->field != NULL) write_notes(printer, field, message->resource == NULL && message->embedded == NULL);
  buf_add(out, str_of(indent));
  if (field->is_optional) buf_add(out, STR("optional "));
  if (field->is_repeated && !field->is_map) buf_add(out, STR("repeated "));
  write_field_type(printer, message, field);
  buf_printf(out, " %.*s = %u", STR_ARGS(field->name), field->number);
  if (field->has_json_name || field->is_deprecated) buf_add(out, STR(" ["));
  if (field->has_json_name) buf_printf(out, "json_name = \"%.*s\"", STR_ARGS(field->json_name));
  if (field->has_json_name && field->is_deprecated) buf_add(out, STR(", "));
  if (field->is_deprecated) buf_add(out, STR("deprecated = true"));
  buf_add(out, field->has_json_name || field->is_deprecated ? STR("];\n") : STR(";\n"));
}

static void write_reserved(Printer *printer, const uint32_t *numbers, size_t number_count, const Str *names, size_t name_count) {
  Buf *out = printer->out;
  for (size_t i = 0; i < number_count;) {
    size_t run = 1;
    while (i + run < number_count && numbers[i + run] == numbers[i] + run) run++;
    buf_printf(out, i == 0 ? "  reserved %u" : ", %u", numbers[i]);
    if (run > 1) buf_printf(out, " to %u", numbers[i + run - 1]);
    i += run;
  }
  if (number_count > 0) buf_add(out, STR(";\n"));
  for (size_t i = 0; i < name_count; i++) buf_printf(out, i == 0 ? "  reserved \"%.*s\"" : ", \"%.*s\"", STR_ARGS(names[i]));
  if (name_count > 0) buf_add(out, STR(";\n"));
}

static void write_enum(Printer *printer, const ProtoEnum *type, const char *indent) {
  Buf *out = printer->out;
  write_comment(out, indent, type->description);
  buf_printf(out, "%senum %.*s {\n", indent, STR_ARGS(type->name));
  write_reserved(printer, type->reserved_numbers, type->reserved_number_count, type->reserved_names, type->reserved_name_count);
  for (size_t i = 0; i < type->value_count; i++) {
    const ProtoEnumValue *value = &type->values[i];
    if (value->description.len > 0) write_comment(out, *indent == '\0' ? "  " : "    ", value->description);
    buf_printf(out, "%s  %.*s = %d%s;\n", indent, STR_ARGS(value->name), value->number, value->is_deprecated ? " [deprecated = true]" : "");
  }
  buf_printf(out, "%s}\n", indent);
}

static void write_nested(Printer *printer, const ProtoMessage *message) {
  Buf *out = printer->out;
  for (size_t i = 0; i < message->enum_count; i++) {
    write_enum(printer, message->enums[i], "  ");
    buf_add_byte(out, '\n');
  }
  for (size_t i = 0; i < message->message_count; i++) {
    const ProtoMessage *nested = message->messages[i];
    if (nested->is_map_entry) continue;
    write_comment(out, "  ", nested->description);
    buf_printf(out, "  message %.*s {\n", STR_ARGS(nested->name));
    for (size_t j = 0; j < nested->field_count; j++) write_field(printer, nested, &nested->fields[j], "    ");
    buf_add(out, STR("  }\n\n"));
  }
}

/* The members of a oneof stand behind each other. */
static void write_fields(Printer *printer, const ProtoMessage *message) {
  int inside = PROTO_NO_ONEOF;
  for (size_t i = 0; i < message->field_count; i++) {
    const ProtoField *field = &message->fields[i];
    if (field->oneof != inside && inside != PROTO_NO_ONEOF) buf_add(printer->out, STR("  }\n"));
    if (field->oneof != inside && field->oneof != PROTO_NO_ONEOF)
      buf_printf(printer->out, "  oneof %.*s {\n", STR_ARGS(message->oneofs[field->oneof]));
    inside = field->oneof;
    write_field(printer, message, field, inside == PROTO_NO_ONEOF ? "  " : "    ");
  }
  if (inside != PROTO_NO_ONEOF) buf_add(printer->out, STR("  }\n"));
}

static void write_message(Printer *printer, const ProtoMessage *message) {
  Buf *out = printer->out;
  write_comment(out, "", message->description);
  buf_printf(out, "message %.*s {\n", STR_ARGS(message->name));
  if (message->is_deprecated) buf_add(out, STR("  option deprecated = true;\n"));
  write_reserved(printer, message->reserved_numbers, message->reserved_number_count, message->reserved_names, message->reserved_name_count);
  write_nested(printer, message);
  write_fields(printer, message);
  buf_add(out, STR("}\n"));
}

static void write_method(Printer *printer, const ProtoMethod *method) {
  Buf *out = printer->out;
  write_comment(out, "  ", method->description);
  buf_printf(out, "  rpc %.*s(%s", STR_ARGS(method->name), method->is_client_streaming ? "stream " : "");
  write_type_name(printer, NULL, method->request->full_name, NULL);
  buf_printf(out, ") returns (%s", method->is_server_streaming ? "stream " : "");
  write_type_name(printer, NULL, method->response->full_name, NULL);
  buf_add(out, method->is_read ? STR(") {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n") : STR(");\n"));
}

static void write_service(Printer *printer, const ProtoService *service) {
  Buf *out = printer->out;
  write_comment(out, "", service->description);
  if (service->description.len > 0) buf_add(out, STR("//\n"));
  /* Google's AIPs answer with the resource itself, which buf's standard rules would have wrapped. */
  buf_add(out, STR("// Methods answer as Google's AIPs 131 to 135 have it: with the resource itself.\n"
                   "// buf:lint:ignore RPC_REQUEST_RESPONSE_UNIQUE\n// buf:lint:ignore RPC_RESPONSE_STANDARD_NAME\n"));
  buf_printf(out, "service %.*s {\n", STR_ARGS(service->name));
  if (service->is_deprecated) buf_add(out, STR("  option deprecated = true;\n\n"));
  for (size_t i = 0; i < service->method_count; i++) {
    if (i > 0) buf_add_byte(out, '\n');
    write_method(printer, &service->methods[i]);
  }
  buf_add(out, STR("}\n"));
}

static void write_head(Printer *printer) {
  const ProtoSchema *schema = printer->schema;
  const ProtoFile *file = schema->file;
  Buf *out = printer->out;
  buf_printf(out, "// %.*s, version %.*s. Made from its contract by `caisson proto`: changes belong there.\n//\n",
             STR_ARGS(schema->contract->service_name), STR_ARGS(schema->contract->service_version));
  buf_add(out, schema->is_locked
                   ? STR("// Field numbers are those of the lock file beside the contract: none is ever moved or given again.\n")
                   : STR("// Field numbers follow the contract's order: a field that is put in between or removed moves those behind it.\n"
                         "// `caisson proto --lock` writes a lock file beside the contract, which keeps them.\n"));
  buf_printf(out, "syntax = \"proto3\";\n\npackage %.*s;\n", STR_ARGS(file->package));
  for (size_t i = 0; i < file->import_count; i++)
    buf_printf(out, "%simport \"%.*s\";\n", i == 0 ? "\n" : "", STR_ARGS(file->imports[i]->name));
  for (size_t i = 0; i < file->option_count; i++) buf_printf(out, "\noption go_package = \"%.*s\";\n", STR_ARGS(file->options[i].text));
}

void proto_print(const ProtoSchema *schema, Buf *out) {
  Printer printer = {schema, out};
  const ProtoFile *file = schema->file;
  write_head(&printer);
  for (size_t i = 0; i < file->service_count; i++) {
    buf_add_byte(out, '\n');
    write_service(&printer, file->services[i]);
  }
  for (size_t i = 0; i < file->message_count; i++) {
    buf_add_byte(out, '\n');
    write_message(&printer, file->messages[i]);
  }
  for (size_t i = 0; i < file->enum_count; i++) {
    buf_add_byte(out, '\n');
    write_enum(&printer, file->enums[i], "");
  }
}
