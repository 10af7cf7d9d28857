/* cursor.h - where a page ends, as an opaque string: the sort keys of a row, sealed with what the list was. A cursor of another list
 * (another resource, order or filter) and one that was tampered with are refused. It is no secret: it holds nothing that its reader was not
 * shown. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/value.h"

enum { CURSOR_TEXT_MAX = 32 * 1024 };

typedef struct Cursor {
  bool is_inclusive; /* the row with these keys belongs to the page too */
  const Value *keys;
  size_t key_count;
} Cursor;

/* `list_hash` stands for the list that the cursor walks. ptr NULL when memory is out. */
Str cursor_write(const Cursor *cursor, uint64_t list_hash, Arena *arena);
/* CODE_BAD_REQUEST for anything that cursor_write has not made for this list. */
Code cursor_parse(Str text, uint64_t list_hash, size_t key_count, Arena *arena, Cursor *ret, Error *err);
