/* directive_registry.h - the directives of directive.h: the list in this folder's meson.build. */
#pragma once
#include "contract/directive.h"

const Directive *const *contract_directives(size_t *ret_count);
