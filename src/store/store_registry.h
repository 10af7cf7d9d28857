/* store_registry.h - the drivers that this program was built with: the list in this folder's meson.build. */
#pragma once
#include <stddef.h>

#include "store/store.h"

const StoreDriver *const *store_drivers(size_t *ret_count);
