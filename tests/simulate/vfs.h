/* vfs.h - SQLite's files on the simulation's disk. */
#pragma once

/* The one that SQLite uses from now on. */
void vfs_install(void);
