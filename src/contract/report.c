/* report.c - mistakes are put in order as they come: there are few of them. */
#include "contract/report.h"

enum { MESSAGE_BYTES_MAX = 479 };

static Str report_line_text(const Source *source, uint32_t at) {
  Str text = source->original;
  if (at > text.len) at = (uint32_t)text.len;
  size_t begin = at, end = at;
  while (begin > 0 && text.ptr[begin - 1] != '\n' && text.ptr[begin - 1] != '\r') begin--;
  while (end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r') end++;
  return str_slice(text, begin, end);
}

/* Code points up to the line's end, at least one. */
static uint32_t report_width(Span at) {
  uint32_t width = 0;
  for (uint32_t i = at.begin; i < at.end && i < at.source->text.len; i++) {
    char byte = at.source->text.ptr[i];
    if (byte == '\n' || byte == '\r') break;
    if (((unsigned char)byte & 0xC0) != 0x80) width++;
  }
  return width == 0 ? 1 : width;
}

static bool report_is_before(const Report *report, Span at, size_t i) {
  const SourcePlace *other = &report->list->items[i].place;
  if (at.source->index != report->source_of[i]) return at.source->index < report->source_of[i];
  if (at.line != other->line) return at.line < other->line;
  return at.column < other->column;
}

static void report_insert(Report *report, Span at, Diagnostic diagnostic) {
  DiagnosticList *list = report->list;
  if (list->items == NULL) {
    list->items = ARENA_ARRAY(report->arena, Diagnostic, DIAGNOSTICS_MAX);
    if (list->items == NULL) {
      report->has_no_memory = true;
      return;
    }
    list->cap = DIAGNOSTICS_MAX;
  }
  size_t i = list->count;
  while (i > 0 && report_is_before(report, at, i - 1)) {
    list->items[i] = list->items[i - 1];
    report->source_of[i] = report->source_of[i - 1];
    i--;
  }
  list->items[i] = diagnostic;
  report->source_of[i] = at.source->index;
  list->count++;
}

static bool report_has(const Report *report, Span at, Str message) {
  for (size_t i = 0; i < report->list->count; i++) {
    const Diagnostic *known = &report->list->items[i];
    bool is_there = report->source_of[i] == at.source->index && known->place.line == at.line && known->place.column == at.column;
    if (is_there && str_equal(known->message, message)) return true;
  }
  return false;
}

void report_add(Report *report, Span at, Str hint, const char *format, ...) {
  if (report_is_full(report)) {
    report->list->is_cut = true;
    return;
  }
  va_list args;
  va_start(args, format);
  Str message = arena_vprintf(report->arena, MESSAGE_BYTES_MAX, format, args);
  va_end(args);
  if (message.ptr != NULL && report_has(report, at, message)) return;
  Diagnostic diagnostic = {
      .place = {at.source->original_name, at.line, at.column},
      .width = report_width(at),
      .message = message,
      .hint = hint.len == 0 ? (Str){0} : arena_str(report->arena, hint),
      .line_text = report_line_text(at.source, at.begin),
  };
  if (diagnostic.message.ptr == NULL || (hint.len > 0 && diagnostic.hint.ptr == NULL)) {
    report->has_no_memory = true;
    return;
  }
  report_insert(report, at, diagnostic);
}
