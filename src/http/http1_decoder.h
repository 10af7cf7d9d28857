/* http1_decoder.h - HTTP/1.1's header sections and chunked bodies, by llhttp in its strict mode. Sans-I/O. Only for http1.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/header.h"

typedef struct Http1Decoder Http1Decoder;

/* NULL when memory is out. */
Http1Decoder *http1_decoder_create(size_t trailer_bytes_max);
void http1_decoder_destroy(Http1Decoder *decoder); /* NULL is fine */

/* Of the section that was decoded last: Connection names upgrade, and Upgrade is there (RFC 9110 §7.8). */
bool http1_decoder_wants_upgrade(const Http1Decoder *decoder);

/* A whole header section with the empty line that ends it, lines checked. Names are put into lower case in place; headers point into
 * `text`. False where it is malformed. */
bool http1_decode_fields(Http1Decoder *decoder, char *text, size_t len, HttpHeader *headers, size_t count_max, size_t *ret_count);

typedef enum Http1Chunks {
  HTTP1_CHUNKS_MORE = 0, /* all input was taken */
  HTTP1_CHUNKS_BYTES,    /* *ret_bytes, in the input */
  HTTP1_CHUNKS_END,      /* after the trailers, which are read and dropped */
  HTTP1_CHUNKS_MALFORMED /* also: extensions or trailers beyond their limits */
} Http1Chunks;
/* After a header section that said so. */
Http1Chunks http1_decode_chunks(Http1Decoder *decoder, Str *input, Str *ret_bytes);
