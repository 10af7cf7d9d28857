/* exchange_end.h - an exchange's end, whatever carries it. It lives until its handler has answered and until nobody waits for that answer,
 * in whichever order, and is never freed within a call from its handler. On the loop's thread only. */
#pragma once
#include "http/connection.h"

/* The handler hears of it, and its memory goes. */
void http_exchange_finish(HttpExchange *exchange);
/* The same, a little later: at the end of the loop's turn. */
void http_exchange_release(HttpExchange *exchange);
void http_exchanges_run_released(HttpServer *server);
/* What is said of a body that is longer than body_bytes_max; on the exchange's arena. */
Str http_exchange_body_detail(const HttpExchange *exchange);
/* What the server says where the protocol refuses by itself. On an arena of its own where the handler may be using the exchange's
 * (`is_owed`). False when there is none. */
bool http_exchange_fill_refusal(HttpExchange *exchange, bool is_owed, int status, Code code, Str detail, HttpResponse *ret) MUST_USE;
