/* freshness.h - a caller reads what it has written, whichever copy of the database answers: an answer to a write carries the store's
 * position, as the header Caisson-Position and as a cookie of the same name, and a request that brings it back reads nothing older. */
#pragma once
#include "http/exchange.h"

enum { FRESHNESS_HEADERS_MAX = 2 };

/* The newest position that the request brings; 0: none. What is no position is passed over: the worst that a made-up one does is to send
 * its own reads to the database itself. */
uint64_t freshness_of(const HttpRequest *request);
/* What the answer to a write carries; 0 headers where there is no memory. */
size_t freshness_headers(uint64_t position, Arena *arena, HttpHeader ret[FRESHNESS_HEADERS_MAX]);
