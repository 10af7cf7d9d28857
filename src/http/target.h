/* target.h - a request's target (RFC 9112 §3.2, RFC 9113 §8.3.1) and authority, in every version of HTTP. Thread-safe. */
#pragma once
#include "http/exchange.h"

/* Fills path, query and, in absolute form, authority from the target, which is not empty. False: malformed. */
bool http_target_parse(HttpRequest *request);
/* RFC 9110 §7.2; userinfo is not a part of it. */
bool http_authority_is_valid(Str authority);
