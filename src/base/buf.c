/* buf.c - growing a buffer, and writing numbers into it. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { BUF_CAP_FIRST = 256 };

Buf buf_on(Arena *arena, size_t bytes_max) { return (Buf){.arena = arena, .max = bytes_max}; }

Buf buf_on_heap(size_t bytes_max) { return (Buf){.max = bytes_max}; }

void buf_done(Buf *buf) {
  if (buf->arena == NULL) memory_free(buf->ptr);
  *buf = (Buf){.max = buf->max, .arena = buf->arena};
}

/* With no room left, every further add fails as well: that is what makes the error sticky. */
static bool fail(Buf *buf, Code code) {
  buf->failed = code;
  buf->cap = buf->len;
  return false;
}

bool buf_reserve_slow(Buf *buf, size_t more) {
  if (buf->failed != CODE_OK) return false;
  if (more > buf->max - buf->len) return fail(buf, CODE_TOO_LARGE);
  size_t cap = buf->cap > buf->max / 2 ? buf->max : buf->cap * 2;
  if (cap < BUF_CAP_FIRST) cap = BUF_CAP_FIRST < buf->max ? BUF_CAP_FIRST : buf->max;
  if (cap < buf->len + more) cap = buf->len + more;
  char *grown = buf->arena != NULL ? arena_grow(buf->arena, buf->ptr, buf->cap, cap) : memory_realloc(buf->ptr, cap);
  if (grown == NULL) return fail(buf, CODE_UNAVAILABLE);
  buf->ptr = grown;
  buf->cap = cap;
  return true;
}

/* Two digits at a time: half the divisions. */
static const char digit_pairs[201] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                                     "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

enum { UINT64_DIGITS_MAX = 20 };

void buf_add_uint64(Buf *buf, uint64_t n) {
  char digits[UINT64_DIGITS_MAX];
  size_t at = sizeof digits;
  while (n >= 100) {
    at -= 2;
    memcpy(digits + at, digit_pairs + n % 100 * 2, 2);
    n /= 100;
  }
  if (n >= 10) {
    at -= 2;
    memcpy(digits + at, digit_pairs + n * 2, 2);
  } else {
    digits[--at] = (char)('0' + n);
  }
  buf_add(buf, (Str){digits + at, sizeof digits - at});
}

void buf_add_int64(Buf *buf, int64_t n) {
  if (n >= 0) {
    buf_add_uint64(buf, (uint64_t)n);
    return;
  }
  buf_add_byte(buf, '-');
  buf_add_uint64(buf, -(uint64_t)n);
}

/* Longer than this, the text is formatted twice: once to know its length. */
enum { PRINTF_STACK_BYTES = 512 };

void buf_printf(Buf *buf, const char *format, ...) {
  /* Beside the buffer, since printf wants room for a NUL that the cap may not have. */
  char text[PRINTF_STACK_BYTES];
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int length = vsnprintf(text, sizeof text, format, args);
  assert(length >= 0);
  if ((size_t)length < sizeof text) {
    buf_add(buf, (Str){text, (size_t)length});
  } else {
    char *long_text = memory_alloc((size_t)length + 1);
    if (long_text == NULL) {
      fail(buf, CODE_UNAVAILABLE);
    } else {
      vsnprintf(long_text, (size_t)length + 1, format, again);
      buf_add(buf, (Str){long_text, (size_t)length});
      memory_free(long_text);
    }
  }
  va_end(again);
  va_end(args);
}

Code buf_check(const Buf *buf, Error *err) {
  if (buf->failed == CODE_TOO_LARGE) return error_set(err, CODE_TOO_LARGE, "larger than %zu bytes", buf->max);
  return buf->failed == CODE_OK ? CODE_OK : error_no_memory(err);
}

Code buf_finish(const Buf *buf, Str *ret, Error *err) {
  TRY(buf_check(buf, err));
  *ret = buf->len == 0 ? STR("") : buf_str(buf);
  return CODE_OK;
}
