/* change_image.h - a row as the table of changes holds it: a JSON object by column, so that it outlives the contract it was written under;
 * and its key, a JSON array. Exact: what is read back is what was written. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "contract/model.h"

/* `row` is whole, by stored_index. */
void change_image_write(Buf *out, const Resource *resource, const Value *row);
void change_key_write(Buf *out, const Resource *resource, const Value *row);
/* Keys of many rows are an array of them. How many, or 0 where the text is no such array; the first of those that are left, which is taken
 * off. */
size_t change_key_count(Str text);
bool change_key_next(Str *keys, Str *ret);
/* A whole row; columns that it does not have are null, those that the contract does not have are passed over. CODE_INTERNAL where the text
 * is no image of such a row. */
Code change_image_parse(Str text, const Resource *resource, Arena *arena, const Value **ret, Error *err);
/* One value for each of resource->keys, as stored. */
Code change_key_parse(Str text, const Resource *resource, Arena *arena, const Value **ret, Error *err);
