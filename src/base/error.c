/* error.c - errors and the names of codes. */
#include "base/error.h"

#include <assert.h>
#include <stdio.h>

#include "base/utf8.h"

#undef error_set
#undef error_no_memory

/* A text that was cut must not end inside a character: it goes into JSON. */
static void trim_cut_character(char *text, size_t len) {
  while (len > 0 && !utf8_is_valid((Str){text, len})) text[--len] = '\0';
}

Code error_set(Error *err, Code code, const char *format, ...) {
  if (err == NULL) return code;
  /* Written beside *err, since err->text may be among the arguments. */
  char text[sizeof err->text];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  assert(length >= 0);
  if ((size_t)length >= sizeof text) trim_cut_character(text, sizeof text - 1);
  err->code = code;
  memcpy(err->text, text, sizeof text);
  return code;
}

Code error_no_memory(Error *err) { return error_set(err, CODE_UNAVAILABLE, "out of memory"); }

Str code_name(Code code) {
  static const Str names[CODE_COUNT] = {
      [CODE_OK] = STR_INIT("OK"),
      [CODE_BAD_REQUEST] = STR_INIT("BAD_REQUEST"),
      [CODE_UNAUTHENTICATED] = STR_INIT("UNAUTHENTICATED"),
      [CODE_FORBIDDEN] = STR_INIT("FORBIDDEN"),
      [CODE_NOT_FOUND] = STR_INIT("NOT_FOUND"),
      [CODE_METHOD_NOT_ALLOWED] = STR_INIT("METHOD_NOT_ALLOWED"),
      [CODE_NOT_ACCEPTABLE] = STR_INIT("NOT_ACCEPTABLE"),
      [CODE_CONFLICT] = STR_INIT("CONFLICT"),
      [CODE_PRECONDITION_FAILED] = STR_INIT("PRECONDITION_FAILED"),
      [CODE_PRECONDITION_REQUIRED] = STR_INIT("PRECONDITION_REQUIRED"),
      [CODE_TOO_LARGE] = STR_INIT("TOO_LARGE"),
      [CODE_UNSUPPORTED_MEDIA_TYPE] = STR_INIT("UNSUPPORTED_MEDIA_TYPE"),
      [CODE_VALIDATION_FAILED] = STR_INIT("VALIDATION_FAILED"),
      [CODE_RATE_LIMITED] = STR_INIT("RATE_LIMITED"),
      [CODE_TIMEOUT] = STR_INIT("TIMEOUT"),
      [CODE_UNAVAILABLE] = STR_INIT("UNAVAILABLE"),
      [CODE_INTERNAL] = STR_INIT("INTERNAL"),
  };
  assert((unsigned)code < CODE_COUNT);
  return names[code];
}
