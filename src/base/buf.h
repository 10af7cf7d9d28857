/* buf.h - bytes that are being written: a cap from birth and a sticky error, checked once at the end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Buf {
  char *ptr;
  size_t len;
  size_t cap;
  size_t max;   /* len never exceeds it */
  Arena *arena; /* NULL: on the heap, freed by buf_done */
  Code failed;  /* sticky: CODE_TOO_LARGE or CODE_UNAVAILABLE; further adds do nothing */
} Buf;

Buf buf_on(Arena *arena, size_t bytes_max);
Buf buf_on_heap(size_t bytes_max);
void buf_done(Buf *buf);

/* Makes room for `more` bytes behind len; false (and sticky) when it can't. */
bool buf_reserve_slow(Buf *buf, size_t more);
static inline bool buf_reserve(Buf *buf, size_t more) { return more <= buf->cap - buf->len || buf_reserve_slow(buf, more); }

static inline void buf_add(Buf *buf, Str s) {
  if (s.len == 0 || !buf_reserve(buf, s.len)) return;
  memcpy(buf->ptr + buf->len, s.ptr, s.len);
  buf->len += s.len;
}
static inline void buf_add_byte(Buf *buf, char byte) {
  if (buf_reserve(buf, 1)) buf->ptr[buf->len++] = byte;
}
void buf_add_int64(Buf *buf, int64_t n);
void buf_add_uint64(Buf *buf, uint64_t n);
void buf_printf(Buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
static inline Str buf_str(const Buf *buf) { return (Str){buf->ptr, buf->len}; }
/* The text of a part that was written by itself, to be added to `out`: which fails where the part has, lest it be added as nothing. */
static inline Str buf_take(Buf *out, const Buf *part) {
  if (part->failed != CODE_OK && out->failed == CODE_OK) out->failed = part->failed;
  return buf_str(part);
}
/* *ret is the written bytes, which live as the buffer does. */
Code buf_finish(const Buf *buf, Str *ret, Error *err);
/* The same where the text itself is for later, or for nobody. */
Code buf_check(const Buf *buf, Error *err);
static inline void buf_clear(Buf *buf) {
  buf->len = 0;
  buf->failed = CODE_OK;
}
