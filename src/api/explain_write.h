/* explain_write.h - an Explanation as JSON, and as text for a terminal. */
#pragma once
#include "base/buf.h"
#include "query/explain.h"

void explain_write_json(Buf *out, const Explanation *explanation);
void explain_write_text(Buf *out, const Explanation *explanation);
