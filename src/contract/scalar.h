/* scalar.h - the built-in scalar types by name. */
#pragma once
#include "contract/model.h"

/* False when it is none (enums and embedded types aren't). */
bool scalar_by_name(Str name, FieldType *ret);
Str scalar_name(FieldType type);
