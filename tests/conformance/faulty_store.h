/* faulty_store.h - a store around another one, for tests: of all that it is asked, the Nth fails. What counts is each read and each write
 * when they begin and when they end, each statement of a write before it runs and after it, and each row. It can also run everything twice,
 * as a store may that had to begin again. */
#pragma once
#include "store/store.h"

/* `inner` stays its owner's, and outlives it. */
Store *faulty_store_open(Store *inner);

/* The Nth thing asked from now on fails with the code; 0: none does. */
void faulty_store_fail(Store *store, size_t nth, Code code);
/* The Nth allocation of the next write's program fails, on the thread that runs it; 0: none does. */
void faulty_store_fail_memory(Store *store, size_t nth);
/* Whether what was asked for has happened. */
bool faulty_store_has_failed(const Store *store);
/* Each read and each write runs to its end, is forgotten, and runs again. */
void faulty_store_run_twice(Store *store, bool is_twice);
