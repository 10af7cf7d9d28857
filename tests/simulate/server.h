/* server.h - the program under test, as `caisson serve` runs it: started, stopped, killed and started again on the same disk. */
#pragma once
#include "schedule.h"

typedef struct ServerOptions {
  const char *contract; /* a file */
  const char *store;    /* a path; the file itself stays empty, for those who look whether it is there */
  const char *secret;
  const char *arguments[24]; /* further ones of `caisson serve`; up to a NULL */
} ServerOptions;

enum { SERVER_PORT = 8080 };

/* `changed` is woken whenever it listens or has ended. */
void server_start(const ServerOptions *options, Task *changed);
bool server_is_listening(void);
bool server_is_running(void);
/* How many times it was started. What was asked of an earlier life can't come true any more. */
unsigned server_life(void);
void server_stop(void);   /* SIGTERM */
void server_reload(void); /* SIGHUP */
void server_kill(bool power_lost);
void server_fail_allocation(size_t n); /* its n-th from now on */
/* _exit was called. */
void server_exited(Process *process, int status);
