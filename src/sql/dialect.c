/* dialect.c - what every dialect shares: templates and quoted text. */
#include <assert.h>

#include "sql/dialect_impl.h"

void sql_write_template(Buf *out, const SqlDialect *dialect, SqlTemplate which, const Str *operands, size_t operand_count) {
  Str text = dialect->templates[which];
  assert(text.len > 0);
  size_t from = 0;
  for (size_t i = 0; i + 1 < text.len; i++) {
    if (text.ptr[i] != '%') continue;
    size_t operand = (size_t)(text.ptr[i + 1] - '1');
    assert(operand < operand_count);
    buf_add(out, str_slice(text, from, i));
    buf_add(out, operands[operand]);
    from = i + 2;
    i++;
  }
  (void)operand_count;
  buf_add(out, str_slice(text, from, text.len));
}

void sql_write_string(Buf *out, Str text) {
  buf_add_byte(out, '\'');
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\'') buf_add_byte(out, '\'');
    buf_add_byte(out, text.ptr[i]);
  }
  buf_add_byte(out, '\'');
}
