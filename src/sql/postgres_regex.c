/* postgres_regex.c - see postgres_regex.h. Where the server's words mean something else than ours, or depend on a locale, they are not
 * used: classes are written out, and anchors are those that mean the same wherever they stand. */
#include "sql/postgres_regex.h"

#include "base/utf8.h"
#include "contract/unicode.h"

enum { COUNT_MAX = 255 }; /* DUPMAX of the server's regex/regguts.h */

typedef struct Writer {
  Buf *out;
  bool has_lines; /* ^ and $ stand at lines, too */
} Writer;

static void write_node(const Writer *writer, const RegexNode *node);

static bool has_lines(const RegexNode *node) {
  bool found = node->kind == REGEX_LINE_START || node->kind == REGEX_LINE_END;
  for (const RegexNode *part = node->first; part != NULL && !found; part = part->next) found = has_lines(part);
  return found;
}

/* A backslash before a letter or a digit has a meaning, before any other character of ASCII it has none. */
static void write_ascii(Buf *out, uint32_t character) {
  bool is_plain =
      (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');
  if (!is_plain && character > ' ' && character != 0x7f) buf_add_byte(out, '\\');
  buf_add_byte(out, (char)character);
}

/* As itself, so that a database of another encoding is told its own. */
static void write_character(Buf *out, uint32_t character) {
  char bytes[4];
  if (character < 0x80)
    write_ascii(out, character);
  else
    buf_add(out, (Str){bytes, utf8_encode(character, bytes)});
}

/* In a class by its number: one that the database's encoding lacks stands in classes that somebody means otherwise. */
static void write_member(Buf *out, uint32_t character) {
  if (character < 0x80)
    write_ascii(out, character);
  else
    buf_printf(out, character <= 0xffff ? "\\u%04x" : "\\U%08x", (unsigned)character);
}

static void write_class(Buf *out, const RegexClass *class) {
  size_t begin = class->range_count > 0 && class->ranges[0].last == 0 ? 1 : 0; /* NUL, which no text has */
  bool is_any = begin == class->range_count || (class->ranges[0].first <= 1 && class->ranges[0].last == UNICODE_MAX);
  if (is_any) { /* for what takes no character is refused */
    buf_add_byte(out, '.');
    return;
  }
  buf_add(out, class->is_negated ? STR("[^") : STR("["));
  for (size_t i = begin; i < class->range_count; i++) {
    uint32_t first = class->ranges[i].first == 0 ? 1 : class->ranges[i].first, last = class->ranges[i].last;
    write_member(out, first);
    if (last == first) continue;
    buf_add_byte(out, '-');
    write_member(out, last);
  }
  buf_add_byte(out, ']');
}

static void write_parts(const Writer *writer, const RegexNode *node, Str between) {
  for (const RegexNode *part = node->first; part != NULL; part = part->next) {
    if (part != node->first) buf_add(writer->out, between);
    write_node(writer, part);
  }
}

/* The atom once, min to max times. */
static void write_times(const Writer *writer, const RegexNode *atom, int min, int max) {
  bool is_closed = atom->kind <= REGEX_CLASS || atom->kind == REGEX_CHOICE;
  if (!is_closed) buf_add(writer->out, STR("(?:"));
  write_node(writer, atom);
  if (!is_closed) buf_add_byte(writer->out, ')');
  if (max == REGEX_NO_MAX && min <= 1)
    buf_add_byte(writer->out, min == 0 ? '*' : '+');
  else if (max == REGEX_NO_MAX)
    buf_printf(writer->out, "{%d,}", min);
  else
    buf_printf(writer->out, "{%d,%d}", min, max);
}

/* More times than a count may say are several repetitions, one behind the other. */
static void write_repeat(const Writer *writer, const RegexNode *node) {
  int min = node->min, max = node->max;
  if (max == 0) {
    buf_add(writer->out, STR("(?:)"));
    return;
  }
  while (min > COUNT_MAX || max > COUNT_MAX) {
    int least = min < COUNT_MAX ? min : COUNT_MAX;
    write_times(writer, node->first, least, COUNT_MAX);
    min -= least;
    if (max != REGEX_NO_MAX) max -= COUNT_MAX;
  }
  if (max != 0) write_times(writer, node->first, min, max);
}

static void write_node(const Writer *writer, const RegexNode *node) {
  Buf *out = writer->out;
  switch (node->kind) {
    case REGEX_CHARACTER: write_character(out, node->character); break;
    case REGEX_CLASS: write_class(out, node->class); break;
    case REGEX_TEXT_START: buf_add(out, writer->has_lines ? STR("\\A") : STR("^")); break;
    case REGEX_TEXT_END: buf_add(out, writer->has_lines ? STR("\\Z") : STR("$")); break;
    case REGEX_LINE_START: buf_add_byte(out, '^'); break;
    case REGEX_LINE_END: buf_add_byte(out, '$'); break;
    case REGEX_WORD_EDGE: buf_add(out, STR("\\y")); break;
    case REGEX_NO_WORD_EDGE: buf_add(out, STR("\\Y")); break;
    case REGEX_REPEAT: write_repeat(writer, node); break;
    case REGEX_SEQUENCE:
      if (node->first == NULL) buf_add(out, STR("(?:)"));
      write_parts(writer, node, (Str){0});
      break;
    case REGEX_CHOICE:
      buf_add(out, STR("(?:"));
      write_parts(writer, node, STR("|"));
      buf_add_byte(out, ')');
      break;
  }
}

/* (?w): ^ and $ at lines, while . and [^…] take \n. */
void postgres_regex_write(Buf *out, const RegexNode *node) {
  Writer writer = {.out = out, .has_lines = has_lines(node)};
  if (writer.has_lines) buf_add(out, STR("(?w)"));
  write_node(&writer, node);
}
