/* directive_tag.c - @tag: labels that a federation's registry makes variants of its schema by. Any number of them. */
#include "contract/directive.h"

enum { NAME_BYTES_MAX = 128 };

typedef struct Tags {
  Str *names;
  size_t count;
} Tags;

/* What a registry takes (Apollo's): letters, digits, _, - and /, a letter first. */
static bool is_name(Str name) {
  if (name.len == 0 || name.len > NAME_BYTES_MAX) return false;
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool is_other = (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/';
    if (!is_letter && (i == 0 || !is_other)) return false;
  }
  return true;
}

static Code read_all(const Checker *checker, SdlDirectives directives, const void **ret_data, Error *err) {
  Tags *tags = ARENA_NEW(checker->arena, Tags);
  TRY_ALLOC(tags);
  *tags = (Tags){.names = ARENA_ARRAY(checker->arena, Str, directives.count)};
  TRY_ALLOC(tags->names);
  for (size_t i = 0; i < directives.count; i++) {
    const SdlValue *name = NULL;
    if (!str_equal(directives.items[i].name, STR("tag")) || !check_string(&directives.items[i], STR("name"), &name)) continue;
    if (!is_name(name->text)) {
      report_add(checker->report, name->span, STR("letters, digits, _, - and /, a letter first, up to 128 of them"),
                 "\"name\" of @tag is no label");
      continue;
    }
    tags->names[tags->count] = arena_str(checker->arena, name->text);
    TRY_ALLOC(tags->names[tags->count].ptr);
    tags->count++;
  }
  *ret_data = tags;
  return CODE_OK;
}

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)sdl;
  return read_all(checker, checked->sdl->directives, ret_data, err);
}

static Code read_type(Checker *checker, const CheckedType *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)sdl;
  return read_all(checker, checked->sdl->directives, ret_data, err);
}

static void write_subgraph(const void *data, Buf *out) {
  const Tags *tags = data;
  for (size_t i = 0; i < tags->count; i++) buf_printf(out, " @tag(name: \"%.*s\")", STR_ARGS(tags->names[i]));
}

const Directive DIRECTIVE_TAG = {
    .name = STR_INIT("tag"),
    .definition = STR_INIT("\n"
                           "\"\"\"In a federation: a label, by which a registry chooses what belongs to a variant of the schema.\"\"\"\n"
                           "directive @tag(name: String!) repeatable on OBJECT | FIELD_DEFINITION\n"),
    .is_anywhere = true,
    .read_field = read_field,
    .read_type = read_type,
    .write_subgraph = write_subgraph,
};
