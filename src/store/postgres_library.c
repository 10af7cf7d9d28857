/* postgres_library.c - libpq's functions by their own names, each going to the library that was loaded. One that isn't here is missed by
 * the linker: give it its line in the list. */
#include "store/postgres_library.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

/* What libpq has called its binary interface since 2006. */
static const char LIBRARY_NAME[] = "libpq.so.5";

/* FORWARD(what it returns, name, (parameters), (arguments)), as libpq-fe.h declares them: the compiler holds each to its declaration. */
#define FORWARD_EACH(FORWARD)                                                                                                              \
  FORWARD(int, PQbackendPID, (const PGconn *connection), (connection))                                                                     \
  FORWARD(int, PQcancel, (PGcancel * cancel, char *text, int size), (cancel, text, size))                                                  \
  FORWARD(void, PQclear, (PGresult * result), (result))                                                                                    \
  FORWARD(char *, PQcmdTuples, (PGresult * result), (result))                                                                              \
  FORWARD(PQconninfoOption *, PQconndefaults, (void), ())                                                                                  \
  FORWARD(PostgresPollingStatusType, PQconnectPoll, (PGconn * connection), (connection))                                                   \
  FORWARD(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expand),                            \
          (keywords, values, expand))                                                                                                      \
  FORWARD(PGconn *, PQconnectdbParams, (const char *const *keywords, const char *const *values, int expand), (keywords, values, expand))   \
  FORWARD(void, PQconninfoFree, (PQconninfoOption * options), (options))                                                                   \
  FORWARD(PQconninfoOption *, PQconninfoParse, (const char *text, char **message), (text, message))                                        \
  FORWARD(int, PQconsumeInput, (PGconn * connection), (connection))                                                                        \
  FORWARD(char *, PQdb, (const PGconn *connection), (connection))                                                                          \
  FORWARD(int, PQenterPipelineMode, (PGconn * connection), (connection))                                                                   \
  FORWARD(char *, PQerrorMessage, (const PGconn *connection), (connection))                                                                \
  FORWARD(PGresult *, PQexec, (PGconn * connection, const char *query), (connection, query))                                               \
  FORWARD(void, PQfinish, (PGconn * connection), (connection))                                                                             \
  FORWARD(int, PQflush, (PGconn * connection), (connection))                                                                               \
  FORWARD(void, PQfreeCancel, (PGcancel * cancel), (cancel))                                                                               \
  FORWARD(void, PQfreemem, (void *memory), (memory))                                                                                       \
  FORWARD(Oid, PQftype, (const PGresult *result, int field), (result, field))                                                              \
  FORWARD(PGcancel *, PQgetCancel, (PGconn * connection), (connection))                                                                    \
  FORWARD(PGresult *, PQgetResult, (PGconn * connection), (connection))                                                                    \
  FORWARD(int, PQgetisnull, (const PGresult *result, int row, int field), (result, row, field))                                            \
  FORWARD(int, PQgetlength, (const PGresult *result, int row, int field), (result, row, field))                                            \
  FORWARD(char *, PQgetvalue, (const PGresult *result, int row, int field), (result, row, field))                                          \
  FORWARD(int, PQisBusy, (PGconn * connection), (connection))                                                                              \
  FORWARD(int, PQnfields, (const PGresult *result), (result))                                                                              \
  FORWARD(PGnotify *, PQnotifies, (PGconn * connection), (connection))                                                                     \
  FORWARD(int, PQntuples, (const PGresult *result), (result))                                                                              \
  FORWARD(int, PQpipelineSync, (PGconn * connection), (connection))                                                                        \
  FORWARD(int, PQputCopyData, (PGconn * connection, const char *buffer, int length), (connection, buffer, length))                         \
  FORWARD(int, PQputCopyEnd, (PGconn * connection, const char *message), (connection, message))                                            \
  FORWARD(char *, PQresultErrorField, (const PGresult *result, int field), (result, field))                                                \
  FORWARD(ExecStatusType, PQresultStatus, (const PGresult *result), (result))                                                              \
  FORWARD(int, PQsendPrepare, (PGconn * connection, const char *name, const char *query, int count, const Oid *types),                     \
          (connection, name, query, count, types))                                                                                         \
  FORWARD(int, PQsendQueryParams,                                                                                                          \
          (PGconn * connection, const char *query, int count, const Oid *types, const char *const *values, const int *lengths,             \
           const int *formats, int result_format),                                                                                         \
          (connection, query, count, types, values, lengths, formats, result_format))                                                      \
  FORWARD(int, PQsendQueryPrepared,                                                                                                        \
          (PGconn * connection, const char *name, int count, const char *const *values, const int *lengths, const int *formats,            \
           int result_format),                                                                                                             \
          (connection, name, count, values, lengths, formats, result_format))                                                              \
  FORWARD(PQnoticeReceiver, PQsetNoticeReceiver, (PGconn * connection, PQnoticeReceiver receiver, void *context),                          \
          (connection, receiver, context))                                                                                                 \
  FORWARD(int, PQsetSingleRowMode, (PGconn * connection), (connection))                                                                    \
  FORWARD(int, PQsetnonblocking, (PGconn * connection, int is_on), (connection, is_on))                                                    \
  FORWARD(int, PQsocket, (const PGconn *connection), (connection))                                                                         \
  FORWARD(ConnStatusType, PQstatus, (const PGconn *connection), (connection))                                                              \
  FORWARD(PGTransactionStatusType, PQtransactionStatus, (const PGconn *connection), (connection))

#define MEMBER(returned, name, parameters, arguments) returned(*name) parameters;
/* Written once, by load_once, before anybody may call. */
static struct {
  FORWARD_EACH(MEMBER)
  const char *missing; /* what could not be found; NULL: all is there */
} library;

#define NAME(returned, name, parameters, arguments) {#name, offsetof(typeof(library), name)},
static const struct {
  const char *name;
  size_t offset;
} FUNCTIONS[] = {FORWARD_EACH(NAME)};

static void load_once(void) {
  void *handle = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
  library.missing = handle == NULL ? LIBRARY_NAME : NULL;
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS && library.missing == NULL; i++) {
    void *function = dlsym(handle, FUNCTIONS[i].name);
    if (function == NULL) library.missing = FUNCTIONS[i].name;
    memcpy((char *)&library + FUNCTIONS[i].offset, &function, sizeof function);
  }
}

Code postgres_library_load(Error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load_once);
  if (library.missing == NULL) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "%s can't be loaded, which PostgreSQL stores need; Debian's package is libpq5 (14 or newer)",
                   library.missing);
}

#define DEFINE(returned, name, parameters, arguments)                                                                                      \
  returned name parameters { return library.name arguments; }
FORWARD_EACH(DEFINE)
