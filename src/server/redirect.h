/* redirect.h - a listener without TLS that answers nothing but where TLS is: the same host and target, by https. */
#pragma once
#include "http/server.h"

typedef struct Redirect Redirect;

Code redirect_create(Loop *loop, const HttpLimits *limits, HttpShared *shared, Redirect **ret, Error *err);
/* `*ret_url` as http_server_listen gives it. `secure_url` is what a listener with TLS said ("https://127.0.0.1:8443"): its port is where
 * clients are sent. */
Code redirect_listen(Redirect *redirect, Str address, Str secure_url, Str *ret_url, Error *err);
void redirect_drain(Redirect *redirect, LoopFn *drained, void *context);
void redirect_destroy(Redirect *redirect); /* NULL is fine */
