/* target.h - a request's target (RFC 9112 §3.2, RFC 9113 §8.3.1) and authority, in every version of HTTP. Thread-safe. */
#pragma once
#include "http/exchange.h"

/* Fills path, query and, in absolute form, authority from the target, which is not empty. False: malformed. */
bool http_target_parse(HttpRequest *request);
/* host [":" port] as RFC 9110 §7.2 has it of RFC 3986 §3.2: userinfo is not a part of it; an IPv6 address stands in brackets. */
bool http_authority_is_valid(Str authority);
/* "[::1]:8080" and "shop.example:8080" without their ports: a part of the authority. */
Str http_authority_host(Str authority);
