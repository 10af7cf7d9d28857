/* memory.h - malloc with a switch that makes it fail, so that tests can walk every path on which memory runs out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Makes the Nth next allocation of any arena or buffer fail, once, in this thread; 0 turns it off. For tests of failing memory. */
void memory_fail_after(size_t allocations);
/* True, once, when the allocation about to be made is the one that must fail. */
bool memory_must_fail(void);
/* malloc, realloc and free that obey memory_fail_after. */
void *memory_alloc(size_t size);
void *memory_realloc(void *pointer, size_t size);
void memory_free(void *pointer);

/* How many allocations are left until one fails; 0: none will. Thread-local state is the exception to the rule against globals: it
 * must reach allocations that no test can pass it to. Initial-exec, since reading it then costs one load on the hot path. */
extern __thread size_t memory_fail_countdown __attribute__((tls_model("initial-exec")));
