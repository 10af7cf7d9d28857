/* script_registry.h - the kinds of databases for which migrations are written: the list in this folder's meson.build. */
#pragma once
#include "migrate/script.h"

const ScriptDialect *const *script_dialects(size_t *ret_count);
