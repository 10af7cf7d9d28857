/* rest_decode.c - refusals of the REST decoder. */
#include "api/rest_decode.h"

#include <stdarg.h>

#include "base/utf8.h"

/* The analyser's forms of them are for their callers. */
#undef rest_refuse
#undef rest_no_memory

enum { SHOWN_BYTES_MAX = 64, DETAIL_BYTES_MAX = 511 };

Code rest_refuse(RestDecoder *decoder, Code code, Str hint, const char *format, ...) {
  va_list args;
  va_start(args, format);
  Str detail = arena_vprintf(decoder->arena, DETAIL_BYTES_MAX, format, args);
  va_end(args);
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

Str rest_shown(Str text) { return utf8_cut(text, SHOWN_BYTES_MAX); }
