/* server.h - the whole server in this process with one loop: options, HTTP, faces, engine, store. Its threads are known, and an allocation
 * of one of them can be made to fail. Calls are the test's own thread's; nothing here may be called while a request is under way, except
 * server_fired. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef enum ServerThread {
  SERVER_LOOP = 0,
  SERVER_STORE,  /* writers, readers: what the store has begun since the start */
  SERVER_SIGNAL, /* reads contracts again */
  SERVER_THREAD_COUNT
} ServerThread;

/* What is served: the contract's text stands in a file of its own, which SIGHUP reads again. `store` NULL: a file of SQLite. `tls_folder`
 * NULL: cleartext; else it has cert.pem and key.pem. */
typedef struct ServerSetup {
  const char *contract;
  const char *store;
  const char *tls_folder;
  bool keeps_no_plans; /* what is asked is compiled each time */
} ServerSetup;

/* Starts it. The store has no rows. */
void server_open(const ServerSetup *setup);
/* SIGTERM, and waits for its end: every request was answered, or the test fails. */
void server_close(void);
/* Makes it and takes it apart again without serving; `fail_after` as in memory_fail_after. CODE_OK: it was made. */
Code server_make(const ServerSetup *setup, size_t fail_after, bool *ret_has_fired, Error *err);
/* A connection to it: a socket. */
int server_connect(void);
/* The nth next allocation of the thread fails (of each of the store's); 0: none does. */
void server_fail(ServerThread thread, size_t n);
/* The allocation has failed. */
bool server_fired(ServerThread thread);
/* Another text of the contract's, with this remark about Product. */
void server_remark(unsigned number);
/* SIGHUP, and waits until it has read its contract again or has said why not. False: that was not within the bound. */
bool server_reload(bool *ret_is_read, char *why, size_t why_size);
/* A new token each time, which no cache holds. */
Str server_token(Arena *arena);
