/* face.h - what a face is: it decodes an HTTP exchange into Operations and encodes their Results. Adding one is one file and one name in
 * this folder's meson.build. */
#pragma once
#include "http/exchange.h"
#include "query/engine.h"

typedef struct Api Api;

/* One request under way through the step table (server/request.c). Lives in the exchange's arena. */
typedef struct ApiRequest {
  HttpExchange *exchange;
  const Api *api; /* what is served: contract, documents, options */
  const struct Face *face;
  Engine *engine;
  const Caller *caller;
  CallGroup group;        /* filled by decode; its arena is the exchange's */
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
  /* The server's too: what is left of the answer needs nothing of the contract, which a later one may replace meanwhile; `api` and `engine`
   * are NULL from now on. For answers that go on for as long as their client likes. */
  void (*leave_contract)(struct ApiRequest *request);
  /* The server's too: whether this Authorization is a good token's. */
  bool (*is_known)(struct ApiRequest *request, Str authorization);
  /* Whether the request comes from no page, from one of this server's own, or from one of --cors-origin. */
  bool (*is_of_friend)(struct ApiRequest *request);
} ApiRequest;

/* What the server's options are to the faces. */
typedef struct FaceOptions {
  Str contract_path;                            /* beside it may lie the numbers of its protocol buffers; len 0: it has none */
  const struct GraphqlLimits *graphql;          /* api/graphql_run.h */
  const struct GraphqlTrusted *graphql_trusted; /* the only documents that are executed; NULL: whatever is asked */
  size_t graphql_trusted_count;
  struct GraphqlStreams *graphql_streams; /* api/graphql_streams.h; outlives the faces. NULL: none are served */
  const struct GrpcLimits *grpc;          /* api/grpc.h */
} FaceOptions;

typedef struct Face {
  Str name;
  bool has_websocket;          /* decode knows requests that ask for a WebSocket (http/websocket_handshake.h) */
  bool has_status_in_trailers; /* an HTTP status of 200 says nothing of how it went */
  /* What the face needs of a contract, made once, on api->arena: api_prepared has it from then on. NULL: nothing. */
  Code (*prepare)(const Api *api, const FaceOptions *options, void **ret, Error *err);
  /* The contracts that are served together, all of them prepared. NULL: each stands for itself. */
  Code (*join)(Api *const *apis, size_t count, Error *err);
  /* True where this face serves the request (by path, method or media type). Faces are asked in the order of the list. */
  bool (*accepts)(const Api *api, const HttpRequest *request);
  /* True where the path names a contract by other means than its version's name at the beginning. NULL: never. */
  bool (*is_of_contract)(const Api *api, Str path);
  /* Asked when the head is there. True where the request's body is to come in pieces (HTTP_BODY_STREAMED), or isn't to be waited for
   * because the head alone is refused; decode is then called before it is there. May leave in face_state what decode would find again.
   * NULL: never. */
  bool (*is_body_streamed)(ApiRequest *request);
  /* How long a body that comes whole may be; of any request where it is NULL. NULL: as the server has it. */
  size_t (*body_bytes_max)(const Api *api, const HttpRequest *request);
  Str body_option;                             /* what bounds it: "--grpc-message-max" */
  Code (*decode)(ApiRequest *request);         /* CODE_OK, or a code with request->problem set */
  void (*encode)(ApiRequest *request);         /* from group.calls[].result to request->response */
  void (*encode_problem)(ApiRequest *request); /* request->problem in the face's own form */
  /* For metrics. How many methods it has, and their names where `ret` isn't NULL; which of them the request calls: their count is none.
   * Both NULL: requests are counted by their resource. */
  size_t (*methods)(const Api *api, Str *ret);
  size_t (*method)(const Api *api, const HttpRequest *request);
  /* What the protocol refuses by itself, in the face's own form, on the exchange's arena; the request may be under way. NULL: as a problem
   * document. */
  void (*refuse)(ApiRequest *request, const Problem *problem, HttpResponse *ret);
} Face;

/* What all faces of one contract share. */
struct Api {
  const Contract *contract;
  EngineLimits limits;
  bool is_precondition_required; /* --require-if-match */
  const Face *const *faces;
  void **prepared; /* by the faces, in their order: api_prepared */
  size_t face_count;
  const struct RestMap *rest;        /* api/rest_map.h */
  const struct Documents *documents; /* api/documents.h; NULL: not served */
  Arena *arena;                      /* the Api's own */
};

/* For `contract` (borrowed, as are the faces); immutable once it is prepared and joined, any thread. */
Code api_create(const Contract *contract, const EngineLimits *limits, const Face *const *faces, size_t face_count, Api **ret, Error *err);
void api_destroy(Api *api); /* NULL is fine */
/* All faces prepare what they need. */
Code api_prepare(Api *api, const FaceOptions *options, Error *err);
/* Contracts that are served together, all prepared and with the same faces. Before the first request. */
Code api_join(Api *const *apis, size_t count, Error *err);
/* What the face has prepared; NULL: nothing. */
static inline void *api_prepared(const Api *api, const Face *face) {
  for (size_t i = 0; i < api->face_count; i++) {
    if (api->faces[i] == face) return api->prepared[i];
  }
  return NULL;
}
/* The face that serves the request; NULL: none. */
const Face *api_face(const Api *api, const HttpRequest *request);
