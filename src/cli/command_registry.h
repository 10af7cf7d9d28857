/* command_registry.h - the commands, in the order in which help tells them: the list in this folder's meson.build. */
#pragma once
#include "cli/command.h"

const Command *const *cli_commands(size_t *ret_count);
