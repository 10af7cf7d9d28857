/* directive_interface_object.c - @interfaceObject: the type stands for another subgraph's interface, whose rows it adds fields to by its
 * key. */
#include "contract/directive.h"

static Code read_type(Checker *checker, const CheckedType *checked, const SdlDirective *sdl, const void **ret_data, Error *err) {
  (void)checker, (void)sdl, (void)err;
  *ret_data = checked->resource;
  return CODE_OK;
}

static void write_subgraph(const void *data, Buf *out) {
  (void)data;
  buf_add(out, STR(" @interfaceObject"));
}

const Directive DIRECTIVE_INTERFACE_OBJECT = {
    .name = STR_INIT("interfaceObject"),
    .definition = STR_INIT(
        "\n"
        "\"\"\"In a federation: this type adds its fields to an interface that another subgraph defines, with the same key.\"\"\"\n"
        "directive @interfaceObject on OBJECT\n"),
    .read_type = read_type,
    .write_subgraph = write_subgraph,
};
