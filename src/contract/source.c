/* source.c - counting lines and columns. */
#include "contract/source.h"

Span span_at(Span span, uint32_t at, uint32_t end) {
  Str text = span.source->text;
  for (uint32_t i = span.begin; i < at && i < text.len; i++) {
    char byte = text.ptr[i];
    bool is_crlf = byte == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
    if (is_crlf) continue; /* one line terminator: the LF counts it */
    if (byte == '\n' || byte == '\r') {
      span.line++;
      span.column = 1;
    } else if (((unsigned char)byte & 0xC0) != 0x80) {
      span.column++;
    }
  }
  span.begin = at;
  span.end = end;
  return span;
}
