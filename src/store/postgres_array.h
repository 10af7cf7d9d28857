/* postgres_array.h - lists: PostgreSQL's arrays on one side, lists of values and JSON arrays on the other. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "store/store.h"

/* The text of an array, {"a","b",NULL}, with a NUL behind it. `is_uuid`: an item that is no uuid becomes null. */
Code postgres_array_of_list(ValueList list, bool is_uuid, Arena *arena, Str *ret, Error *err);
/* The same of a JSON array of scalars. */
Code postgres_array_of_json(Str json, bool is_uuid, Arena *arena, Str *ret, Error *err);
/* An array in binary form as a JSON array of shape->field's items, in the form that the interface gives them. CODE_INTERNAL where it is no
 * such array, CODE_UNAVAILABLE without memory. */
Code postgres_array_read(Str bytes, const StoreColumn *shape, Arena *arena, Str *ret);
