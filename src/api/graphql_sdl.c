/* graphql_sdl.c - the schema printed in SDL (§3), as `caisson graphql` gives it. */
#include "api/graphql_schema.h"
#include "codec/json.h"

/* A block string, so that quotes and lines stay as they are. */
static void write_description(Str description, const char *indent, Buf *out) {
  if (description.len == 0) return;
  bool is_plain =
      !str_contains(description, STR("\"\"\"")) && !str_ends_with(description, STR("\"")) && !str_ends_with(description, STR("\\"));
  buf_add(out, str_of(indent));
  if (is_plain && str_find_byte(description, '\n', 0) == description.len) {
    buf_printf(out, "\"\"\"%.*s\"\"\"\n", STR_ARGS(description));
  } else if (is_plain) {
    buf_printf(out, "\"\"\"\n");
    Str rest = description, line;
    while (str_split_next(&rest, '\n', &line)) buf_printf(out, "%s%.*s\n", indent, STR_ARGS(line));
    buf_printf(out, "%s\"\"\"\n", indent);
  } else {
    json_write_string(out, description);
    buf_add_byte(out, '\n');
  }
}

static void write_deprecation(Str reason, Buf *out) {
  if (reason.ptr == NULL) return;
  buf_add(out, STR(" @deprecated"));
  if (reason.len == 0) return;
  buf_add(out, STR("(reason: "));
  json_write_string(out, reason);
  buf_add_byte(out, ')');
}

static void write_input(const GraphqlInput *input, Buf *out) {
  buf_printf(out, "%.*s: ", STR_ARGS(input->name));
  graphql_ref_write(input->type, out);
  if (input->fallback.len > 0) buf_printf(out, " = %.*s", STR_ARGS(input->fallback));
  write_deprecation(input->deprecation, out);
}

static void write_field(const GraphqlField *field, Buf *out) {
  write_description(field->description, "  ", out);
  buf_printf(out, "  %.*s", STR_ARGS(field->name));
  for (size_t i = 0; i < field->argument_count; i++) {
    buf_add(out, i == 0 ? STR("(") : STR(", "));
    write_input(&field->arguments[i], out);
  }
  buf_add(out, field->argument_count > 0 ? STR("): ") : STR(": "));
  graphql_ref_write(field->type, out);
  write_deprecation(field->deprecation, out);
  buf_add_byte(out, '\n');
}

static void write_body(const GraphqlType *type, Buf *out) {
  for (size_t i = 0; i < type->field_count; i++) write_field(&type->fields[i], out);
  for (size_t i = 0; i < type->input_count; i++) {
    write_description(type->inputs[i].description, "  ", out);
    buf_add(out, STR("  "));
    write_input(&type->inputs[i], out);
    buf_add_byte(out, '\n');
  }
  for (size_t i = 0; i < type->item_count; i++) {
    write_description(type->items[i].description, "  ", out);
    buf_printf(out, "  %.*s", STR_ARGS(type->items[i].name));
    write_deprecation(type->items[i].deprecation, out);
    buf_add_byte(out, '\n');
  }
}

static void write_type(const GraphqlSchema *schema, const GraphqlType *type, Buf *out) {
  static const char *const words[] = {"scalar", "type", "interface", "enum", "input"};
  write_description(type->description, "", out);
  buf_printf(out, "%s %.*s", words[type->kind], STR_ARGS(type->name));
  if (type->is_node) buf_printf(out, " implements %.*s", STR_ARGS(schema->node->name));
  if (type->is_one_of) buf_add(out, STR(" @oneOf"));
  if (type->kind == GRAPHQL_SCALAR_TYPE) {
    buf_add(out, STR("\n\n"));
    return;
  }
  buf_add(out, STR(" {\n"));
  write_body(type, out);
  buf_add(out, STR("}\n\n"));
}

void graphql_sdl_write(const GraphqlSchema *schema, Buf *out) {
  for (size_t i = 0; i < schema->type_count; i++) {
    if (!schema->types[i]->is_built_in) write_type(schema, schema->types[i], out);
  }
  if (out->failed == CODE_OK && out->len > 1) out->len--; /* the last empty line */
}
