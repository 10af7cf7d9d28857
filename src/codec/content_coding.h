/* content_coding.h - the content codings (RFC 9110 §8.4.1) that are spoken here, and how. Thread-safe. */
#pragma once
#include "codec/compressor.h"

/* In the order in which an answer's is chosen where the client has no wish of its own: zstd makes our answers smallest, in the least time.
 */
typedef enum Coding { CODING_IDENTITY = 0, CODING_ZSTD, CODING_BROTLI, CODING_GZIP, CODING_COUNT } Coding;

typedef struct ContentCoding {
  Str name;
  Compressor *(*compressor_create)(int level); /* NULL: of identity */
  int level;                                   /* for what is coded while somebody waits */
  Decompressor *(*decompressor_create)(void);  /* NULL: bodies are not taken in it */
} ContentCoding;

extern const ContentCoding CONTENT_CODINGS[CODING_COUNT];

/* By its name, whatever the case; CODING_COUNT: it is none of these. */
Coding content_coding_find(Str name);
