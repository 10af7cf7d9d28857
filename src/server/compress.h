/* compress.h - answers in a content coding (RFC 9110 §8.4). A coded answer is a representation of its own: its strong entity tag is the
 * plain one's with the coding behind it, which api/header.c takes away where a client sends it back. docs/decisions has the reasons. */
#pragma once
#include "codec/content_coding.h"
#include "http/exchange.h"

enum { COMPRESS_HEADERS_MAX = 2 };

/* The best of our codings for the request's Accept-Encoding (RFC 9110 §12.5.3), of equals the first. */
Coding compress_choose(const HttpRequest *request);

/* `headers` are the answer's own, `count` of them, with room for COMPRESS_HEADERS_MAX more; returns how many there are then. An answer
 * below `bytes_min`, one that is coded already and one that gets no smaller stays as it is; `bytes_min` 0: every answer does. */
size_t compress_answer(uint64_t bytes_min, const HttpRequest *request, Arena *arena, HttpResponse *response, HttpHeader *headers,
                       size_t count);
/* The same for an answer that is begun and comes piece by piece: it is coded whatever its length, since nobody knows that. Before
 * http_begin. */
size_t compress_stream(uint64_t bytes_min, HttpExchange *exchange, HttpHeader *headers, size_t count);
