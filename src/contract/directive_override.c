/* directive_override.c - @override: the field moves here from another subgraph of a federation, whose gateway asks this one from now on. */
#include "contract/directive.h"

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  const SdlValue *from = NULL;
  (void)checked;
  if (!check_string(sdl, STR("from"), &from)) return CODE_OK;
  if (from->text.len == 0) report_add(checker->report, from->span, (Str){0}, "\"from\" of @override must name a subgraph");
  Str *kept = ARENA_NEW(checker->arena, Str);
  TRY_ALLOC(kept);
  *kept = arena_str(checker->arena, from->text);
  TRY_ALLOC(kept->ptr);
  *ret_data = kept;
  return CODE_OK;
}

static void write_subgraph(const void *data, Buf *out) {
  buf_add(out, STR(" @override(from: "));
  json_write_string(out, *(const Str *)data);
  buf_add_byte(out, ')');
}

const Directive DIRECTIVE_OVERRIDE = {
    .name = STR_INIT("override"),
    .definition = STR_INIT("\n"
                           "\"\"\"In a federation: this subgraph gives the field from now on, instead of another.\"\"\"\n"
                           "directive @override(from: String!) on FIELD_DEFINITION\n"),
    .is_anywhere = true,
    .read_field = read_field,
    .write_subgraph = write_subgraph,
};
