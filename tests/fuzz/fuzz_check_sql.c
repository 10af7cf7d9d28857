/* fuzz_check_sql.c - whatever stands in a constraint, what is told of it is text of the rule language's alphabet, with its parentheses
 * closed. */
#include <string.h>

#include "cli/introspect_check.h"
#include "property.h"

static const CheckColumn columns[] = {
    {STR_INIT("a"), STR_INIT("a"), "Int", false, false},     {STR_INIT("b"), STR_INIT("b"), "String", false, true},
    {STR_INIT("c d"), STR_INIT("cd"), "Float", false, true}, {STR_INIT("e"), STR_INIT("e"), "Mood", true, false},
    {STR_INIT("f"), STR_INIT("f"), "Boolean", false, true},  {STR_INIT("g"), STR_INIT("g"), "Date", false, true},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena *arena = arena_create(0);
  PROPERTY(arena != NULL);
  Str rule = check_translate((Str){(const char *)data, size}, columns, sizeof columns / sizeof columns[0], arena);
  int depth = 0;
  bool is_in_string = false;
  for (size_t i = 0; rule.ptr != NULL && i < rule.len; i++) {
    char c = rule.ptr[i];
    PROPERTY((unsigned char)c >= 0x20);
    if (is_in_string && c == '\\') {
      i++;
      continue;
    }
    if (c == '"') is_in_string = !is_in_string;
    if (is_in_string) continue;
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    PROPERTY(depth >= 0);
  }
  PROPERTY(depth == 0 && !is_in_string);
  arena_destroy(arena);
  return 0;
}
