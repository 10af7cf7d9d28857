/* face.h - what a face is: it decodes an HTTP exchange into Operations and encodes their Results. Adding one is one file and one name in
 * the build's list of faces. */
#pragma once
#include "http/exchange.h"
#include "query/engine.h"

/* One request under way through the step table (server/request.c). Lives in the exchange's arena. */
typedef struct ApiRequest {
  HttpExchange *exchange;
  const struct Api *api; /* what is served: contract, documents, options */
  const struct Face *face;
  Engine *engine;
  const Caller *caller;
  CallGroup group;        /* filled by decode */
  const Problem *problem; /* a step's refusal: encode_problem is called instead of encode */
  HttpResponse response;  /* filled by encode */
  Str request_id;
  int64_t now_us;
  int64_t expires_us; /* of the caller's token; 0: never */
  bool is_batch;      /* its calls are several requests' */
  bool is_answered;   /* decode has answered by itself (documents, OPTIONS): the steps end */
  void *face_state;   /* the face's own */
  /* Set by decode where the body or the answer is a stream: runs after authorization in the place of the steps behind it, and answers by
   * `respond`, or by `begin` and the exchange. */
  void (*stream)(struct ApiRequest *request);
  /* The server's: sends `response`, or its head with the body to follow, with the headers that every answer has. Once; a request with a
   * problem has `response` made by the face first. */
  void (*respond)(struct ApiRequest *request);
  void (*begin)(struct ApiRequest *request);
  /* The server's too: whether this Authorization is a good token's. */
  bool (*is_known)(struct ApiRequest *request, Str authorization);
  /* Whether the request comes from no page, from one of this server's own, or from one of --cors-origin. */
  bool (*is_of_friend)(struct ApiRequest *request);
} ApiRequest;

typedef struct Face {
  Str name;
  bool has_websocket; /* decode knows requests that ask for a WebSocket (http/websocket_handshake.h) */
  /* True where this face serves the request (by path, method or media type). Faces are asked in the order of the list. */
  bool (*accepts)(const struct Api *api, const HttpRequest *request);
  /* True where the request's body is to come in pieces (HTTP_BODY_STREAMED); decode is then called before it is there. NULL: never. */
  bool (*is_body_streamed)(const struct Api *api, const HttpRequest *request);
  /* How long a body that comes whole may be. NULL: as the server has it. */
  size_t (*body_bytes_max)(const struct Api *api, const HttpRequest *request);
  Code (*decode)(ApiRequest *request);         /* CODE_OK, or a code with request->problem set */
  void (*encode)(ApiRequest *request);         /* from group.calls[].result to request->response */
  void (*encode_problem)(ApiRequest *request); /* request->problem in the face's own form */
  /* The number of the method that the request calls, for metrics, below grpc->method_count or that itself: none; NULL: it is counted by its
   * resource. */
  size_t (*method)(const struct Api *api, const HttpRequest *request);
  /* What the protocol refuses by itself, in the face's own form, on the exchange's arena; the request may be under way. NULL: as a problem
   * document. */
  void (*refuse)(ApiRequest *request, const Problem *problem, HttpResponse *ret);
} Face;

/* What all faces of one contract share. */
typedef struct Api {
  const Contract *contract;
  EngineLimits limits;
  bool is_precondition_required; /* --require-if-match */
  const Face *const *faces;
  size_t face_count;
  const struct RestMap *rest;        /* api/rest_map.h */
  const struct Documents *documents; /* api/documents.h; NULL: not served */
  const struct Graphql *graphql;     /* api/graphql_request.h; NULL: not served */
  struct Grpc *grpc;                 /* api/grpc.h; NULL: not served */
  Arena *arena;                      /* the Api's own */
} Api;

/* Prepares `contract` (borrowed, as are the faces) for all faces; immutable afterwards, any thread. */
Code api_create(const Contract *contract, const EngineLimits *limits, const Face *const *faces, size_t face_count, Api **ret, Error *err);
void api_destroy(Api *api); /* NULL is fine */
/* The face that serves the request; NULL: none. */
const Face *api_face(const Api *api, const HttpRequest *request);
