/* regex_tool.c - regular expressions as the program has them, for tests/e2e/regex.test.mjs: each line of stdin is
 * {"pattern":…,"texts":[…]}, and is answered by {"error":…}, or by {"postgres":…,"matches":[…]}: what PostgreSQL is told, and which texts
 * PCRE2 finds it in (null where it gave up). */
#include <stdio.h>
#include <stdlib.h>

#include "codec/json.h"
#include "contract/regex.h"
#include "sql/postgres_regex.h"

enum { ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

static void write_matches(Buf *out, const Regex *regex, const JsonValue *texts) {
  buf_add(out, STR(",\"matches\":["));
  for (size_t i = 0; i < texts->count; i++) {
    bool is_match = false;
    if (i > 0) buf_add_byte(out, ',');
    bool is_known = regex_matches(regex, texts->items[i].text, &is_match);
    buf_add(out, !is_known ? STR("null") : is_match ? STR("true") : STR("false"));
  }
  buf_add_byte(out, ']');
}

static void answer(Str line, Arena *arena, Buf *out) {
  JsonValue question;
  Regex *regex = NULL;
  Error err = {0};
  if (json_parse(line, 8, arena, &question, &err) != CODE_OK ||
      regex_compile(json_get(&question, STR("pattern"))->text, arena, &regex, &err) != CODE_OK) {
    buf_add(out, STR("{\"error\":"));
    json_write_string(out, str_of(err.text));
  } else {
    Buf postgres = buf_on(arena, ANSWER_BYTES_MAX);
    postgres_regex_write(&postgres, regex_syntax(regex));
    buf_add(out, STR("{\"postgres\":"));
    json_write_string(out, buf_take(out, &postgres));
    write_matches(out, regex, json_get(&question, STR("texts")));
  }
  buf_add(out, STR("}\n"));
}

int main(void) {
  char *line = NULL;
  size_t size = 0;
  ssize_t len = 0;
  while ((len = getline(&line, &size, stdin)) > 0) {
    Arena *arena = arena_create(0);
    Buf out = buf_on_heap(ANSWER_BYTES_MAX);
    answer((Str){line, (size_t)len}, arena, &out);
    if (out.failed != CODE_OK || fwrite(out.ptr, 1, out.len, stdout) != out.len) return EXIT_FAILURE;
    buf_done(&out);
    arena_destroy(arena);
  }
  free(line);
  return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
