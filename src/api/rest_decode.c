/* rest_decode.c - refusals of the REST decoder. */
#include "api/rest_decode.h"

#include <stdarg.h>
#include <stdio.h>

/* The analyser's forms of them are for their callers. */
#undef rest_refuse
#undef rest_no_memory

enum { SHOWN_BYTES_MAX = 64 };

Code rest_refuse(RestDecoder *decoder, Code code, Str hint, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (len < 0) len = 0;
  size_t shown = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
  Str detail = arena_str(decoder->arena, (Str){text, shown});
  if (detail.ptr == NULL) return rest_no_memory(decoder);
  decoder->problem = problem_with_hint(decoder->arena, code, detail, hint);
  return decoder->problem->code;
}

Code rest_no_memory(RestDecoder *decoder) {
  Error err;
  error_no_memory(&err);
  decoder->problem = problem_from_error(decoder->arena, &err);
  return decoder->problem->code;
}

Str rest_shown(Str text) {
  if (text.len <= SHOWN_BYTES_MAX) return text;
  size_t end = SHOWN_BYTES_MAX;
  while (end > 0 && ((unsigned char)text.ptr[end] & 0xc0) == 0x80) end--;
  return str_slice(text, 0, end);
}
