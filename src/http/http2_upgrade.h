/* http2_upgrade.h - a request in HTTP/1.1 that asks for its answer in HTTP/2 (RFC 7540 §3.2). RFC 9113 has given this way up; curl's and
 * Java's clients still take it. Thread-safe. */
#pragma once
#include "http/http1.h"
#include "http/http2.h"

/* What is asked for wrongly, and a request with a body, is served in HTTP/1.1, as RFC 7540 lets a server choose. *ret_settings: the payload
 * of a SETTINGS frame, on the arena. False also when memory is out. */
bool http2_upgrade_is_asked(const Http1Head *head, Arena *arena, Str *ret_settings);
/* The same head, as HTTP/2's. */
Http2Head http2_upgrade_head(const Http1Head *head);
