/* problem_json.h - a Problem as an RFC 9457 document with the headers that its status demands. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "http/exchange.h"
#include "query/problem.h"

/* Writes the document. `status` 0: the code's own. */
void problem_json_write(const Problem *problem, int status, Str request_id, Buf *out);

/* `,"errors":[…]` */
void problem_json_write_mistakes(const Problem *problem, Buf *out);

/* The whole answer. Where even the document can't be made for want of memory, a constant one without the request's id. `status` 0: the
 * code's own. */
void problem_respond(const Problem *problem, int status, Str request_id, Arena *arena, HttpResponse *ret);
