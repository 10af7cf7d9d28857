/* diagnostics.c - mistakes as text for a person. What a hostile contract holds reaches a terminal only as printable characters. */
#include "base/utf8.h"
#include "contract/load.h"

enum { DIAGNOSTIC_LINE_MAX = 160, DIAGNOSTIC_BEFORE_MAX = 80 };

typedef struct Style {
  const char *place, *error, *caret, *hint, *off;
} Style;

static const Style plain = {"", "", "", "", ""};
static const Style coloured = {"\033[1m", "\033[1;31m", "\033[1;31m", "\033[1;36m", "\033[0m"};

static void write_character(Buf *out, uint32_t code_point) {
  char bytes[4];
  bool is_control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) || code_point == UINT32_MAX;
  /* U+202A…202E and U+2066…2069 would turn the direction of the line around. */
  bool is_bidi = (code_point >= 0x202A && code_point <= 0x202E) || (code_point >= 0x2066 && code_point <= 0x2069);
  size_t len = utf8_encode(is_control || is_bidi ? 0xFFFD : code_point, bytes);
  buf_add(out, (Str){bytes, len});
}

static void write_text(Buf *out, Str text) {
  for (size_t at = 0; at < text.len;) write_character(out, utf8_next(text, &at));
}

static void write_times(Buf *out, char byte, size_t count) {
  for (size_t i = 0; i < count; i++) buf_add_byte(out, byte);
}

/* The part of the line around the mistake; a tab is one column, and so one space. Returns how many columns stand before the caret. */
static size_t write_line(Buf *out, const Diagnostic *mistake) {
  size_t column = mistake->place.column - 1, first = column > DIAGNOSTIC_BEFORE_MAX ? column - DIAGNOSTIC_BEFORE_MAX : 0, i = 0, at = 0;
  if (first > 0) buf_add(out, STR("…"));
  for (; at < mistake->line_text.len && i < first + DIAGNOSTIC_LINE_MAX; i++) {
    uint32_t code_point = utf8_next(mistake->line_text, &at);
    if (i >= first) write_character(out, code_point == '\t' ? ' ' : code_point);
  }
  if (at < mistake->line_text.len) buf_add(out, STR("…"));
  return column - first + (first > 0);
}

static void write_one(Buf *out, const Diagnostic *mistake, const Style *style) {
  buf_add(out, str_of(style->place));
  write_text(out, mistake->place.file);
  buf_printf(out, ":%u:%u:%s %serror:%s ", mistake->place.line, mistake->place.column, style->off, style->error, style->off);
  write_text(out, mistake->message);
  buf_printf(out, "\n%5u | ", mistake->place.line);
  size_t before = write_line(out, mistake);
  size_t width = mistake->width;
  if (width > DIAGNOSTIC_LINE_MAX - DIAGNOSTIC_BEFORE_MAX) width = DIAGNOSTIC_LINE_MAX - DIAGNOSTIC_BEFORE_MAX;
  buf_add(out, STR("\n      | "));
  write_times(out, ' ', before);
  buf_add(out, str_of(style->caret));
  write_times(out, '^', width == 0 ? 1 : width);
  buf_printf(out, "%s\n", style->off);
  if (mistake->hint.len == 0) return;
  buf_printf(out, "      = %shint:%s ", style->hint, style->off);
  write_text(out, mistake->hint);
  buf_add_byte(out, '\n');
}

void diagnostics_write(Buf *out, const DiagnosticList *list, bool has_colour) {
  const Style *style = has_colour ? &coloured : &plain;
  for (size_t i = 0; i < list->count; i++) write_one(out, &list->items[i], style);
  if (list->is_cut) buf_printf(out, "only the first %zu mistakes are shown\n", list->count);
}
