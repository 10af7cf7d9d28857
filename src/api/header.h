/* header.h - the request headers that a face decides by, read in one pass: Accept (RFC 9110 §12.5.1), Content-Type (§8.3), the
 * preconditions (§13.1) and Prefer (RFC 7240). Pure functions over borrowed text; any thread. */
#pragma once
#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "http/exchange.h"
#include "query/operation.h"

/* ptr NULL: not sent. A list header that was sent several times is joined with ", " (RFC 9110 §5.3). */
typedef struct ApiHeaders {
  Str accept, content_type, content_encoding, if_match, if_none_match, prefer, idempotency_key;
} ApiHeaders;

/* False when memory is out, which only joining needs. */
bool api_headers_read(const HttpRequest *request, Arena *arena, ApiHeaders *ret) MUST_USE;

/* A media type with its parameters still as text: "application/json" and "charset=utf-8". False when it is not of the form type/subtype. */
bool media_type_parse(Str value, Str *ret_type, Str *ret_parameters);
/* The parameter's value, a quoted string's without its quotes; ptr NULL: none. Names ignore case. */
Str media_type_parameter(Str parameters, Str name);

/* The weight, 0 to 1000, that `accept` gives to `type` ("application/json") by its most specific range; 0: not acceptable. A missing header
 * accepts everything; what is malformed in it is passed over. */
int accept_weight(Str accept, Str type);
/* The version of the first media range that has one (RFC 9110 §12.5.1); ptr NULL: none has. */
Str accept_version(Str accept);

/* Entity tags without their quotes, or "*". Weak ones are kept only where `is_weak_kept` (If-None-Match compares weakly, RFC 9110 §13.1.2;
 * If-Match strongly, so that a weak tag never matches). CODE_BAD_REQUEST where the list is malformed; CODE_UNAVAILABLE without memory. */
Code etag_list_parse(Str value, bool is_weak_kept, Arena *arena, Precondition *ret, Error *err);

typedef struct Preferences {
  bool is_minimal, is_representation; /* return= */
  bool is_lenient, is_strict;         /* handling= */
  bool is_dry_run;                    /* tx=rollback */
  Str unknown;                        /* the first one that is not known here, or has a value that isn't; ptr NULL: none */
  bool is_explained;                  /* explain */
} Preferences;

/* What is unknown is passed over (RFC 7240 §2); the first of two of the same name holds. */
Preferences prefer_parse(Str value);

/* The key of an Idempotency-Key: a structured field's string (RFC 8941 §3.3.3), whose parameters are passed over, or, as many clients send
 * it, the same without quotes. CODE_BAD_REQUEST where it is neither. */
Code idempotency_key_parse(Str value, Str *ret, Error *err);
