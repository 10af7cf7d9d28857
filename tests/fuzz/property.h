/* property.h - what a fuzz target says about its input. A property that does not hold ends the process, which is how a fuzzer learns of it.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PROPERTY(holds)                                                                                                                    \
  do {                                                                                                                                     \
    if (!(holds)) {                                                                                                                        \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);                                                           \
      abort();                                                                                                                             \
    }                                                                                                                                      \
  } while (0)

/* libFuzzer's entry point; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
