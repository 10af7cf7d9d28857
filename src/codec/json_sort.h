/* json_sort.h - members in the order of their names, within codec/. */
#pragma once
#include <stddef.h>

#include "codec/json.h"

/* In place and in O(n log n) whatever the names are: qsort would allocate, and a hash could be attacked. */
void json_sort_members(const JsonMember **members, size_t count);
