/* value_json.h - a stored field's value as JSON (INTERFACE §2, "Values in JSON"). Any thread. */
#pragma once
#include "base/buf.h"
#include "contract/model.h"

/* Lists and embedded objects (VALUE_JSON) are written as they are. */
void value_write_json(const Field *field, const Value *value, Buf *out);
