/* memory.c - the failing switch. */
#include "base/memory.h"

#include <stdlib.h>

__thread size_t memory_fail_countdown = 0;

void memory_fail_after(size_t allocations) { memory_fail_countdown = allocations; }

bool memory_must_fail(void) { return memory_fail_countdown != 0 && --memory_fail_countdown == 0; }

void *memory_alloc(size_t size) { return memory_must_fail() ? NULL : malloc(size == 0 ? 1 : size); }

void *memory_realloc(void *pointer, size_t size) { return memory_must_fail() ? NULL : realloc(pointer, size == 0 ? 1 : size); }

void memory_free(void *pointer) { free(pointer); }
