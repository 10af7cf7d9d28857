/* fuzz_csv.c - how bytes are cut makes no difference, and what was read comes back when it is written and read again. */
#include <string.h>

#include "codec/csv.h"
#include "property.h"

enum { RECORD_MAX = 4096, CELLS_MAX = 64 };

/* Every record, written anew; unquoted empty cells stay nothing. */
static Code rewrite(Str text, size_t piece, Arena *arena, Buf *out) {
  CsvReader reader;
  csv_reader_init(&reader, arena, RECORD_MAX, CELLS_MAX);
  for (;;) {
    Str bytes = str_slice(text, 0, piece);
    size_t given = bytes.len;
    bool has_record = false;
    Code code = given == 0 ? csv_read_end(&reader, &has_record, NULL) : csv_read(&reader, &bytes, &has_record, NULL);
    if (code != CODE_OK) return code;
    text = str_slice(text, given - bytes.len, text.len);
    for (size_t i = 0; has_record && i < csv_cell_count(&reader); i++) {
      CsvCell cell = csv_cell(&reader, i);
      if (i > 0) buf_add_byte(out, ',');
      if (cell.text.len > 0 || cell.is_quoted) csv_write_cell(out, cell.text);
    }
    if (has_record) buf_add_byte(out, '\n');
    if (given == 0 && !has_record) return CODE_OK;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  Arena *arena = arena_create(0);
  Str text = {(const char *)data + 1, size - 1};
  Buf whole = buf_on(arena, SIZE_MAX), pieces = buf_on(arena, SIZE_MAX), again = buf_on(arena, SIZE_MAX);
  Code code = rewrite(text, SIZE_MAX, arena, &whole);
  PROPERTY(rewrite(text, (size_t)data[0] + 1, arena, &pieces) == code);
  PROPERTY(str_equal(buf_str(&whole), buf_str(&pieces)));
  if (code == CODE_OK) {
    PROPERTY(rewrite(buf_str(&whole), SIZE_MAX, arena, &again) == CODE_OK);
    PROPERTY(str_equal(buf_str(&again), buf_str(&whole)));
  }
  arena_destroy(arena);
  return 0;
}
