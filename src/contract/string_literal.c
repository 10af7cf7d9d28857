/* string_literal.c - one walk serves both directions: it hands on pieces of the value together with where they stand in the source. */
#include "contract/string_literal.h"

#include "base/buf.h"
#include "base/utf8.h"

typedef struct StringWalk {
  Str raw;
  Buf *out; /* NULL: only looking for `target` */
  size_t written;
  size_t target;  /* a byte of the value */
  uint32_t found; /* its place in raw */
  bool is_found;
  uint32_t fault;
  const char *fault_text;
} StringWalk;

static void walk_emit(StringWalk *walk, const char *bytes, size_t len, size_t at, bool is_verbatim) {
  if (!walk->is_found && walk->target < walk->written + len) {
    walk->is_found = true;
    walk->found = (uint32_t)(is_verbatim ? at + (walk->target - walk->written) : at);
  }
  walk->written += len;
  if (walk->out != NULL) buf_add(walk->out, (Str){bytes, len});
}

static void walk_fault(StringWalk *walk, size_t at, const char *text) {
  if (walk->fault_text != NULL) return;
  walk->fault = (uint32_t)at;
  walk->fault_text = text;
}

static bool hex_digit(char byte, uint32_t *ret) {
  if (byte >= '0' && byte <= '9')
    *ret = (uint32_t)(byte - '0');
  else if (byte >= 'a' && byte <= 'f')
    *ret = (uint32_t)(byte - 'a' + 10);
  else if (byte >= 'A' && byte <= 'F')
    *ret = (uint32_t)(byte - 'A' + 10);
  else
    return false;
  return true;
}

/* \uXXXX or \u{X…}, `at` behind the u. Moves it behind the escape. */
static bool walk_hex(const StringWalk *walk, size_t *at, uint32_t *ret) {
  size_t i = *at, end = walk->raw.len;
  bool is_braced = i < end && walk->raw.ptr[i] == '{';
  uint32_t value = 0, digit = 0;
  size_t count = 0;
  for (i += is_braced; i < end && count < (is_braced ? 8u : 4u) && hex_digit(walk->raw.ptr[i], &digit); i++, count++)
    value = value << 4 | digit;
  if (is_braced ? count == 0 || i >= end || walk->raw.ptr[i] != '}' : count != 4) return false;
  *at = i + is_braced;
  *ret = value;
  return true;
}

/* A pair of surrogate escapes stands for one character, as in JSON. */
static void walk_unicode(StringWalk *walk, size_t begin, size_t *at) {
  uint32_t code_point = 0, low = 0;
  if (!walk_hex(walk, at, &code_point)) {
    walk_fault(walk, begin, "a malformed escape: \\u takes four hexadecimal digits");
    return;
  }
  if (code_point >= 0xD800 && code_point < 0xDC00) {
    size_t next = *at + 2;
    bool has_low = *at + 2 < walk->raw.len && walk->raw.ptr[*at] == '\\' && walk->raw.ptr[*at + 1] == 'u' && walk_hex(walk, &next, &low);
    if (has_low && low >= 0xDC00 && low < 0xE000) {
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
      *at = next;
    }
  }
  char bytes[4];
  size_t len = code_point == 0 ? 0 : utf8_encode(code_point, bytes);
  if (len == 0)
    walk_fault(walk, begin,
               code_point == 0 ? "a NUL character can't stand in a string"
                               : "an escape that is no character: a surrogate, or beyond U+10FFFF");
  else
    walk_emit(walk, bytes, len, begin, false);
}

/* `at` is the backslash's. Moves it behind the escape. */
static void walk_escape(StringWalk *walk, size_t *at) {
  static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
  size_t begin = *at;
  char letter = begin + 1 < walk->raw.len ? walk->raw.ptr[begin + 1] : '\0';
  *at = begin + 2;
  if (letter == 'u') {
    walk_unicode(walk, begin, at);
    return;
  }
  const char *found = letter == '\0' ? NULL : strchr(letters, letter);
  if (found == NULL)
    walk_fault(walk, begin, "an unknown escape; a backslash itself is written \\\\");
  else
    walk_emit(walk, &bytes[found - letters], 1, begin, false);
}

static void walk_quoted(StringWalk *walk) {
  size_t end = walk->raw.len - 1;
  for (size_t i = 1; i < end;) {
    if (walk->raw.ptr[i] == '\\') {
      walk_escape(walk, &i);
      continue;
    }
    size_t run = i;
    while (run < end && walk->raw.ptr[run] != '\\') run++;
    walk_emit(walk, walk->raw.ptr + i, run - i, i, true);
    i = run;
  }
}

static size_t line_end(Str raw, size_t at, size_t end) {
  while (at < end && raw.ptr[at] != '\n' && raw.ptr[at] != '\r') at++;
  return at;
}

static size_t line_next(Str raw, size_t line_end_at, size_t end) {
  if (line_end_at + 1 < end && raw.ptr[line_end_at] == '\r' && raw.ptr[line_end_at + 1] == '\n') return line_end_at + 2;
  return line_end_at + 1;
}

static size_t line_indent(Str raw, size_t at, size_t end) {
  size_t i = at;
  while (i < end && (raw.ptr[i] == ' ' || raw.ptr[i] == '\t')) i++;
  return i - at;
}

static void walk_block_line(StringWalk *walk, size_t begin, size_t end) {
  size_t run = begin;
  for (size_t i = begin; i < end; i++) {
    bool is_escape = walk->raw.ptr[i] == '\\' && i + 3 < walk->raw.len && memcmp(walk->raw.ptr + i, "\\\"\"\"", 4) == 0;
    if (!is_escape) continue;
    walk_emit(walk, walk->raw.ptr + run, i - run, run, true);
    walk_emit(walk, "\"\"\"", 3, i + 1, true);
    i += 3;
    run = i + 1;
  }
  if (run < end) walk_emit(walk, walk->raw.ptr + run, end - run, run, true);
}

/* BlockStringValue (§2.9.4): what all lines but the first are indented by goes, and so do blank lines around the text. */
static void walk_block(StringWalk *walk) {
  Str raw = walk->raw;
  size_t begin = 3, end = raw.len - 3, indent_min = SIZE_MAX;
  size_t first_line = SIZE_MAX, last_line = 0, line = 0;
  for (size_t at = begin; at <= end; line++) {
    size_t stop = line_end(raw, at, end), indent = line_indent(raw, at, stop);
    bool is_blank = at + indent == stop;
    if (!is_blank && first_line == SIZE_MAX) first_line = line;
    if (!is_blank) last_line = line;
    if (line > 0 && !is_blank && indent < indent_min) indent_min = indent;
    if (stop >= end) break;
    at = line_next(raw, stop, end);
  }
  if (first_line == SIZE_MAX) return;
  if (indent_min == SIZE_MAX) indent_min = 0;
  line = 0;
  for (size_t at = begin; at <= end && line <= last_line; line++) {
    size_t stop = line_end(raw, at, end);
    size_t from = line == 0 ? at : at + indent_min;
    if (line > first_line) walk_emit(walk, "\n", 1, at - 1, false);
    if (line >= first_line && from < stop) walk_block_line(walk, from, stop);
    if (stop >= end) break;
    at = line_next(raw, stop, end);
  }
}

static bool is_block(Str raw) { return raw.len >= 6 && memcmp(raw.ptr, "\"\"\"", 3) == 0; }

static void walk_all(StringWalk *walk) {
  if (is_block(walk->raw))
    walk_block(walk);
  else
    walk_quoted(walk);
}

Code string_literal_decode(Str raw, Arena *arena, Str *ret, uint32_t *ret_fault, Error *err) {
  if (!is_block(raw) && memchr(raw.ptr, '\\', raw.len) == NULL) {
    *ret = str_slice(raw, 1, raw.len - 1);
    return CODE_OK;
  }
  Buf out = buf_on(arena, raw.len);
  StringWalk walk = {.raw = raw, .out = &out, .target = SIZE_MAX};
  walk_all(&walk);
  if (walk.fault_text != NULL) {
    *ret_fault = walk.fault;
    return error_set(err, CODE_BAD_REQUEST, "%s", walk.fault_text);
  }
  return buf_finish(&out, ret, err);
}

uint32_t string_literal_source(Str raw, size_t decoded_at) {
  StringWalk walk = {.raw = raw, .target = decoded_at};
  walk_all(&walk);
  if (walk.is_found) return walk.found;
  return (uint32_t)(raw.len - (is_block(raw) ? 3 : 1));
}
