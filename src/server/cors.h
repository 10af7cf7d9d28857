/* cors.h - pages of other origins (the Fetch standard §3.2): which may call, and the preflight's answer. Callers are known by a token that
 * a page must hold, never by a cookie, so that credentials are not allowed and "*" is harmless. */
#pragma once
#include "http/exchange.h"
#include "server/options.h"

enum { CORS_HEADERS_MAX = 6 };

/* An origin as browsers serialise it (RFC 6454 §6.1), so that it can ever be equal to one: https://example.org, http://localhost:3000; or
 * "*". */
bool cors_origin_is_sound(Str origin);
/* What the answer must carry for the request's Origin; 0 headers where CORS is off or the request is of no page. */
size_t cors_headers(OptionList allowed, Str origin, HttpHeader ret[CORS_HEADERS_MAX]);
/* Whether a page of this origin may open a WebSocket, for which no browser asks first (RFC 6455 §10.2): one of this host's own, or one that
 * may call. No Origin: it is no page. */
bool cors_is_friend(OptionList allowed, Str origin, Str authority);
/* True where the request is a preflight of an origin that may call: then *ret is its answer, a 204. */
bool cors_preflight(OptionList allowed, const HttpRequest *request, Str origin, Arena *arena, HttpResponse *ret);
