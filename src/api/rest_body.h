/* rest_body.h - media types both ways: what an answer may be (Accept) and what a body is (Content-Type), and the body as JSON. */
#pragma once
#include "api/header.h"
#include "api/rest_decode.h"
#include "codec/content_coding.h"

/* 406 where the client takes neither JSON nor a problem document. */
Code rest_accept_check(RestDecoder *decoder, const ApiHeaders *headers);
/* How a body is coded (RFC 9110 §8.4), which may be where rows come as a stream. 415, with Accept-Encoding, for a coding that is not
 * understood: any at all where `ret_coding` is NULL. */
Code rest_coding_check(RestDecoder *decoder, const ApiHeaders *headers, Coding *ret_coding);
/* 415 and 400. The value borrows from `body`. *ret_is_patch: it is a JSON Patch (RFC 6902). */
Code rest_body_parse(RestDecoder *decoder, HttpMethod method, const ApiHeaders *headers, Str body, const JsonValue **ret,
                     bool *ret_is_patch);
/* The same of a body that is known already (one of a batch's); without a Content-Type it is plain JSON. */
Code rest_body_check(RestDecoder *decoder, HttpMethod method, const ApiHeaders *headers, bool has_body, bool *ret_is_patch);
/* For 415 on PATCH and for OPTIONS (RFC 5789 §3.1). */
Str rest_accept_patch(void);
