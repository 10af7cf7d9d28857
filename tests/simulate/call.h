/* call.h - what clients ask for, whatever the face, and what the model says of the answer. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "http_client.h"
#include "model.h"

typedef enum CallKind {
  CALL_CREATE = 0, /* a group, whole */
  CALL_UPDATE,
  CALL_DELETE,
  CALL_GET,        /* a row of a group */
  CALL_LIST_GROUP, /* its rows */
  CALL_LIST        /* all rows that the caller may see */
} CallKind;

typedef struct Face Face;

typedef struct Call {
  CallKind kind;
  Group *group; /* NULL: CALL_LIST */
  size_t row;
  int caller;
  int64_t number; /* that is written */
  int64_t begun_us;
  const Face *face;
  bool may_lack_id; /* memory may be out: then an answer goes without the headers that all have */
  char request_id[32];
} Call;

typedef enum CallOutcome {
  CALL_DONE = 0,
  CALL_ABSENT,  /* there is no such row, or none that the caller may see */
  CALL_REFUSED, /* it may not be done, and was not */
  CALL_FAILED   /* perhaps it was done */
} CallOutcome;

typedef struct SeenRow {
  Str name, group;
  int64_t number, copy;
} SeenRow;

typedef struct CallAnswer {
  CallOutcome outcome;
  SeenRow *rows;
  size_t count;
  bool is_whole; /* of a list: there are no more */
} CallAnswer;

struct Face {
  const char *name;
  bool needs_http2;
  bool (*can)(const Call *call); /* NULL: all there are */
  /* Everything but who asks. */
  void (*write)(const Call *call, Arena *arena, HttpRequest *ret);
  /* False: nobody can have expected it. */
  bool (*read)(const HttpAnswer *answer, const Call *call, Arena *arena, CallAnswer *ret);
};

extern const Face face_rest, face_graphql, face_grpc;

bool call_is_write(const Call *call);
/* To the model: a write has begun, if the caller may. */
void call_begin(Call *call);
void call_write(const Call *call, Str token, Arena *arena, HttpRequest *ret);
/* It was answered so: whatever must not be is a violation. */
void call_settle(const Model *model, const Call *call, const HttpAnswer *answer, Arena *arena);
/* The connection ended before. */
void call_unanswered(const Call *call);
const char *call_name(const Call *call);
