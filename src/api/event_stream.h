/* event_stream.h - an answer that is a stream of events: how it begins, or is refused before it has begun. */
#pragma once
#include "api/face.h"

/* The head of server-sent events (HTML Standard §9.2); what follows is written to the exchange. False: the exchange was given up meanwhile,
 * and what is written goes nowhere. */
bool event_stream_begin(ApiRequest *request);
/* Nothing has begun: the answer is the problem. */
void event_stream_refuse(ApiRequest *request, const Problem *problem);
