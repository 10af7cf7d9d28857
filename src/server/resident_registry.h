/* resident_registry.h - the residents: the list in this folder's meson.build. */
#pragma once
#include "server/resident.h"

const Resident *const *server_residents(size_t *ret_count);
