/* error.h - how a call fails: a Code to decide by, a text to show. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define MUST_USE __attribute__((warn_unused_result))

/* What a caller of the API is told, on every face; api/error_map.c gives each its HTTP, GraphQL and gRPC form. */
typedef enum Code {
  CODE_OK = 0,
  CODE_BAD_REQUEST,
  CODE_UNAUTHENTICATED,
  CODE_FORBIDDEN,
  CODE_NOT_FOUND,
  CODE_METHOD_NOT_ALLOWED,
  CODE_NOT_ACCEPTABLE,
  CODE_CONFLICT,
  CODE_PRECONDITION_FAILED,
  CODE_PRECONDITION_REQUIRED,
  CODE_TOO_LARGE,
  CODE_UNSUPPORTED_MEDIA_TYPE,
  CODE_VALIDATION_FAILED,
  CODE_RATE_LIMITED,
  CODE_TIMEOUT,
  CODE_UNAVAILABLE, /* also: out of memory, a full disk, a lost store */
  CODE_INTERNAL,
  CODE_COUNT
} Code;

/* `text` is safe to show to an API's caller: no SQL, no paths, no memory. */
typedef struct Error {
  Code code;
  char text[232];
} Error;

/* Fills *err (NULL is fine) and returns `code`. */
Code error_set(Error *err, Code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* CODE_UNAVAILABLE, "out of memory". */
Code error_no_memory(Error *err);
#ifdef __clang_analyzer__
/* The analyser does not see into error.c. Without this it follows paths on which a failure that was returned is none. */
#define error_set(err, code, ...) (error_set((err), (code), __VA_ARGS__), (code))
#define error_no_memory(err) (error_no_memory(err), CODE_UNAVAILABLE)
#endif
/* The name on the wire: "BAD_REQUEST" … */
Str code_name(Code code);

#define TRY(call)                                                                                                                          \
  do {                                                                                                                                     \
    Code try_code_ = (call);                                                                                                               \
    if (try_code_ != CODE_OK) return try_code_;                                                                                            \
  } while (0)
/* For what returns NULL only when memory is out; needs `err` in scope. */
#define TRY_ALLOC(pointer)                                                                                                                 \
  do {                                                                                                                                     \
    if ((pointer) == NULL) return error_no_memory(err);                                                                                    \
  } while (0)
