/* directive_shareable.c - @shareable: a federation's other subgraphs may have the field too. It is the gateway's matter alone. */
#include "contract/directive.h"

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)checker, (void)sdl, (void)err;
  *ret_data = checked->field;
  return CODE_OK;
}

static Code read_type(Checker *checker, const CheckedType *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)checker, (void)sdl, (void)err;
  *ret_data = checked->resource;
  return CODE_OK;
}

static void write_subgraph(const void *data, Buf *out) {
  (void)data;
  buf_add(out, STR(" @shareable"));
}

const Directive DIRECTIVE_SHAREABLE = {
    .name = STR_INIT("shareable"),
    .definition = STR_INIT("\n"
                           "\"\"\"In a federation: other subgraphs give this field, or all of this type's, as well.\"\"\"\n"
                           "directive @shareable on OBJECT | FIELD_DEFINITION\n"),
    .is_anywhere = true,
    .read_field = read_field,
    .read_type = read_type,
    .write_subgraph = write_subgraph,
};
