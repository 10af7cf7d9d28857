/* graphql_ws.h - GraphQL over WebSocket: the subprotocol graphql-transport-ws. */
#pragma once
#include "api/face.h"

/* True where the request asks for a WebSocket: then *ret is what decode returns. */
bool graphql_ws_decode(ApiRequest *request, Code *ret);
