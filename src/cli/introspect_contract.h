/* introspect_contract.h - a catalogue as a contract: SDL that `caisson check` accepts, with access closed. */
#pragma once
#include "base/buf.h"
#include "cli/introspect_names.h"

/* `service` names it; `store_url` is shown in the head. */
Code introspect_write_contract(Buf *out, const Catalog *catalog, Str service, Str store_url, Arena *arena, Error *err);
