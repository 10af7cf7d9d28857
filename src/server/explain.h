/* explain.h - Prefer: explain. Off unless --explain; only for callers whom --explain-rule lets. The request is decoded as ever, and then
 * explained instead of answered; what it would write is rolled back. */
#pragma once
#include "server/request.h"

/* Who may ask, from --explain-rule: an expression over auth, made in `arena`. *ret NULL: nobody. CODE_BAD_REQUEST: it is no such rule. */
Code explain_rule_parse(const ServeConfig *config, Arena *arena, const Expr **ret, Error *err);

/* Does the request ask to be explained, on a server that does it at all? */
bool request_asks_explanation(const Request *request);
/* CODE_OK, or what the caller is told who may not. */
Code request_may_explain(const Request *request, const Problem **ret_problem);
/* Leads to answered(request), perhaps before it returns, with request->api.response set. */
void request_explain(Request *request, void (*answered)(Request *request));
