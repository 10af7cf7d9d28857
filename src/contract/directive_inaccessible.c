/* directive_inaccessible.c - @inaccessible: a federation's gateway shows the field to nobody, though other subgraphs may use it. */
#include "contract/directive.h"

static Code read_field(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)checker, (void)sdl, (void)err;
  *ret_data = checked->field;
  return CODE_OK;
}

static void write_subgraph(const void *data, Buf *out) {
  (void)data;
  buf_add(out, STR(" @inaccessible"));
}

const Directive DIRECTIVE_INACCESSIBLE = {
    .name = STR_INIT("inaccessible"),
    .definition = STR_INIT("\n"
                           "\"\"\"In a federation: the gateway's clients don't see this field. This service's own do.\"\"\"\n"
                           "directive @inaccessible on FIELD_DEFINITION\n"),
    .is_anywhere = true,
    .read_field = read_field,
    .write_subgraph = write_subgraph,
};
