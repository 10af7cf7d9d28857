/* message.h - what requests and responses have in common in every version of HTTP. Thread-safe. */
#pragma once
#include "http/exchange.h"

/* Names are case-sensitive (RFC 9110 §9.1). */
HttpMethod http_method_of(Str name);
/* GET, HEAD, OPTIONS, TRACE …: RFC 9110 §9.2.1. */
bool http_method_is_safe(HttpMethod method);
/* RFC 9110 §5.6.2: what methods and field names are made of. Not empty. */
bool http_is_token(Str s);
/* Any byte below `limit`, which is at most 0x80. */
bool http_has_byte_below(Str s, unsigned char limit);
/* "200 OK", the reason empty where the status is in no registry. */
Str http_status_reason(int status);
/* RFC 9110 §10.2.3: when to come again; where the response does not say it already. Without memory it stays as it is. */
void http_response_add_retry_after(HttpResponse *response, Arena *arena);
/* Of a comma-separated list (RFC 9110 §5.6.1): the next member, trimmed; empty ones are left out. False at the end. */
bool http_list_next(Str *rest, Str *ret_member);
/* Whether one of the fields of the (lower case) name lists this member, whatever its case. */
bool http_request_lists(const HttpRequest *request, Str name, Str member);
/* How many fields have the (lower case) name. */
size_t http_request_count(const HttpRequest *request, Str name);
