/* memory.c - the failing switch. */
#include "base/memory.h"

#include <stdlib.h>

__thread size_t memory_fail_countdown = 0;

void memory_fail_after(size_t allocations) { memory_fail_countdown = allocations; }

/* Another thread may turn it off meanwhile, and must not be counted over. */
bool memory_must_fail(void) {
  size_t left = __atomic_load_n(&memory_fail_countdown, __ATOMIC_RELAXED);
  while (left != 0) {
    if (__atomic_compare_exchange_n(&memory_fail_countdown, &left, left - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) return left == 1;
  }
  return false;
}

void *memory_alloc(size_t size) { return memory_must_fail() ? NULL : malloc(size == 0 ? 1 : size); }

void *memory_realloc(void *pointer, size_t size) { return memory_must_fail() ? NULL : realloc(pointer, size == 0 ? 1 : size); }

void memory_free(void *pointer) { free(pointer); }
