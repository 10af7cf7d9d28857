/* introspect_contract.h - a catalogue as a contract: SDL that `caisson check` accepts, with access closed. */
#pragma once
#include "base/buf.h"
#include "cli/introspect_names.h"

/* `service` names it; `store_url` is shown in the head. `has_checks`: constraints that can be told as rules are; else they are comments. */
Code introspect_write_contract(Buf *out, const Catalog *catalog, Str service, Str store_url, bool has_checks, Arena *arena, Error *err);
