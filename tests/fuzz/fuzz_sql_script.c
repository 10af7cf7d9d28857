/* fuzz_sql_script.c - a migration's statements, written one behind the other, are the same statements again. */
#include "migrate/script.h"
#include "property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  Script first, again;
  Buf text = buf_on(arena, SIZE_MAX);
  if (size <= 4096 && script_read((Str){(const char *)data, size}, arena, &first, NULL) == CODE_OK) {
    for (size_t i = 0; i < first.statements.count; i++) {
      buf_add(&text, first.statements.items[i].sql);
      /* A comment to the line's end would take the semicolon with it. */
      buf_add(&text, STR("\n;\n"));
      (void)script_mode(first.statements.items[i].sql);
    }
    PROPERTY(script_read(buf_str(&text), arena, &again, NULL) == CODE_OK);
    PROPERTY(again.statements.count == first.statements.count);
    for (size_t i = 0; i < first.statements.count; i++) PROPERTY(str_equal(again.statements.items[i].sql, first.statements.items[i].sql));
  }
  arena_destroy(arena);
  return 0;
}
