/* pages.h - what is served besides the faces: probes and metrics for operators, and the way to the documentation. */
#pragma once
#include "server/request.h"

/* True where the path is one of these; then request->api.response is the answer. */
bool page_answer(Request *request);
