/* ddl_default.h - a column's constant default, as a literal of our own making. */
#pragma once
#include "base/buf.h"
#include "contract/model.h"

/* How a store writes what is no plain number or text. */
typedef struct DdlLiterals {
  Str yes, no;
  bool has_decimals;                         /* a decimal is a number; else it is kept as text */
  bool (*write_bytes)(Buf *out, Str base64); /* NULL: it has no literals for bytes */
} DdlLiterals;

/* False: the value can't stand in a statement; what was written before is to be taken back. A list is no scalar. */
bool ddl_default_write_scalar(Buf *out, const DdlLiterals *literals, const Field *field, const JsonValue *value);
/* As the text of a JSON document. */
bool ddl_default_write_json(Buf *out, const JsonValue *value);
