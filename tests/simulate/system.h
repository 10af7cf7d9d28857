/* system.h - the system that the program under test believes in (threads.c and system.c replace the C library's functions). */
#pragma once
#include <stdint.h>

/* The wall clock. */
int64_t system_wall_us(void);
