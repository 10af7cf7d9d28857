/* graphql_ws.c - graphql-transport-ws: its messages become requests of this same face (http/inner_exchange.h), so that an operation over a
 * WebSocket is authenticated, authorized, bounded, timed and logged as one over HTTP is; its answers become the protocol's messages. */
#include "api/graphql_ws.h"

#include "api/graphql_request.h"
#include "api/problem_json.h"
#include "base/utf8.h"
#include "codec/json_out.h"
#include "http/inner_exchange.h"
#include "http/websocket_exchange.h"
#include "http/websocket_handshake.h"

enum { INNER_HEADERS_MAX = 4, MESSAGE_OVERHEAD_BYTES = 4096 };

/* The protocol's own codes. */
enum {
  WS_BAD_MESSAGE = 4400,
  WS_UNAUTHORIZED = 4401,
  WS_FORBIDDEN = 4403,
  WS_BAD_PROTOCOL = 4406,
  WS_INIT_TIMEOUT = 4408,
  WS_DUPLICATE = 4409,
  WS_SECOND_INIT = 4429,
};

static const Str WS_PROTOCOL = STR_INIT("graphql-transport-ws");

typedef struct GraphqlWs GraphqlWs;

/* On the arena of its own exchange. */
typedef struct WsOperation {
  GraphqlWs *session;
  HttpExchange *exchange;
  Str id;
  struct WsOperation *next, *previous;
  bool is_failed; /* an error was its last message */
} WsOperation;

/* On the arena of the WebSocket's exchange. */
struct GraphqlWs {
  ApiRequest *request;
  size_t operations_max, result_bytes_max; /* its own: it leaves the contract */
  WebSocketExchange *socket;               /* NULL: closed */
  LoopTimer *init_timer;                   /* NULL: the client has said connection_init in time */
  Str authorization;                       /* of the operations: what connection_init says, else the handshake's */
  WsOperation *operations;
  size_t operation_count;
  bool is_asked; /* connection_init has come … */
  bool is_ready; /* … and was acknowledged */
  bool is_draining;
};

static void close_with(GraphqlWs *session, uint16_t code, Str reason) { websocket_exchange_close(session->socket, code, reason); }

/* ---- Messages to the client ---- */

static Buf begin_message(const GraphqlWs *session, Str type, Str id) {
  size_t max = session->result_bytes_max + id.len * 6 + MESSAGE_OVERHEAD_BYTES;
  Buf out = buf_on_heap(max);
  buf_add_byte(&out, '{');
  if (id.len > 0) {
    buf_add(&out, STR("\"id\":"));
    json_write_string(&out, id);
    buf_add_byte(&out, ',');
  }
  buf_add(&out, STR("\"type\":\""));
  buf_add(&out, type);
  buf_add_byte(&out, '"');
  return out;
}

/* False: enough waits already. */
static bool send_message(GraphqlWs *session, Buf *out) {
  buf_add_byte(out, '}');
  bool has_room = true;
  if (out->failed != CODE_OK)
    close_with(session, WEBSOCKET_INTERNAL, STR("out of memory"));
  else
    has_room = websocket_exchange_send(session->socket, buf_str(out));
  buf_done(out);
  return has_room;
}

static bool send_payload(GraphqlWs *session, Str type, Str id, Str payload) {
  Buf out = begin_message(session, type, id);
  if (payload.len > 0) {
    buf_add(&out, STR(",\"payload\":"));
    buf_add(&out, payload);
  }
  return send_message(session, &out);
}

/* ---- Operations ---- */

static void unlink_operation(WsOperation *operation) {
  GraphqlWs *session = operation->session;
  if (operation->previous == NULL)
    session->operations = operation->next;
  else
    operation->previous->next = operation->next;
  if (operation->next != NULL) operation->next->previous = operation->previous;
  session->operation_count--;
}

static WsOperation *find_operation(GraphqlWs *session, Str id) {
  for (WsOperation *operation = session->operations; operation != NULL; operation = operation->next) {
    if (str_equal(operation->id, id)) return operation;
  }
  return NULL;
}

/* Requests under way are answered; what only waits for events would wait for ever. */
static void go_away(GraphqlWs *session) {
  for (const WsOperation *operation = session->operations; operation != NULL; operation = operation->next) {
    if (!operation->exchange->is_answered) return;
  }
  close_with(session, WEBSOCKET_GOING_AWAY, STR("the server is being stopped"));
}

static void end_operation(WsOperation *operation, Str last_type) {
  GraphqlWs *session = operation->session;
  unlink_operation(operation);
  if (last_type.len > 0) (void)send_payload(session, last_type, operation->id, (Str){NULL, 0});
  if (session->is_draining && session->socket != NULL) go_away(session);
}

/* What ran has `data`, what was refused has none: the protocol tells them apart. NULL: there is data. `arena` may be NULL, for want of
 * memory. */
static const JsonValue *refusal_of(Str body, Arena *arena) {
  if (str_starts_with(body, STR("{\"data\""))) return NULL;
  JsonValue *value = arena == NULL ? NULL : ARENA_NEW(arena, JsonValue);
  Error err;
  bool is_read = value != NULL && json_parse(body, JSON_DEPTH_DEFAULT, arena, value, &err) == CODE_OK;
  if (is_read && json_get(value, STR("data")) != NULL) return NULL;
  const JsonValue *errors = is_read ? json_get(value, STR("errors")) : NULL;
  static const JsonMember code[] = {{STR_INIT("code"), {.type = JSON_STRING, .text = STR_INIT("UNAVAILABLE")}}};
  static const JsonMember unknown[] = {{STR_INIT("message"), {.type = JSON_STRING, .text = STR_INIT("The operation failed")}},
                                       {STR_INIT("extensions"), {.type = JSON_OBJECT, .members = code, .count = 1}}};
  static const JsonValue item = {.type = JSON_OBJECT, .members = unknown, .count = 2};
  static const JsonValue list = {.type = JSON_ARRAY, .items = &item, .count = 1};
  return errors != NULL && errors->type == JSON_ARRAY ? errors : &list; /* else memory is out */
}

/* One result as next, or as the error that ends the operation. */
static bool send_result(WsOperation *operation, Str body) {
  GraphqlWs *session = operation->session;
  Arena *arena = arena_create(0);
  const JsonValue *errors = refusal_of(body, arena);
  bool has_room = true;
  if (errors == NULL) {
    has_room = send_payload(session, STR("next"), operation->id, body);
  } else {
    operation->is_failed = true;
    Buf out = begin_message(session, STR("error"), operation->id);
    buf_add(&out, STR(",\"payload\":"));
    json_write(&out, errors);
    has_room = send_message(session, &out);
  }
  arena_destroy(arena);
  return has_room;
}

static void on_respond(void *context, const HttpResponse *response) {
  WsOperation *operation = context;
  (void)send_result(operation, response->body);
  if (operation->session->socket == NULL) return; /* the send has closed it, and all operations with it */
  end_operation(operation, operation->is_failed ? (Str){NULL, 0} : STR("complete"));
}

static bool on_write(void *context, Str bytes) {
  WsOperation *operation = context;
  return operation->is_failed || send_result(operation, bytes);
}

static void on_end(void *context, bool is_whole) {
  WsOperation *operation = context;
  if (!is_whole && !operation->is_failed) {
    operation->is_failed = true;
    (void)send_payload(operation->session, STR("error"), operation->id, STR("[{\"message\":\"The operation was cut\"}]"));
    if (operation->session->socket == NULL) return;
  }
  end_operation(operation, operation->is_failed ? (Str){NULL, 0} : STR("complete"));
}

static const HttpInnerEvents operation_events = {.respond = on_respond, .write = on_write, .end = on_end};

/* ---- Messages of the client ---- */

/* A message under way: its exchange becomes the operation's where it is a subscribe. */
typedef struct WsMessage {
  HttpExchange *exchange;
  JsonValue json;
  const JsonValue *payload; /* NULL: none */
  bool is_started;
} WsMessage;

static Str text_member(const JsonValue *object, Str name) {
  const JsonValue *value = object == NULL ? NULL : json_get(object, name);
  return value != NULL && value->type == JSON_STRING ? value->text : (Str){NULL, 0};
}

/* {"Authorization": …} or {"headers": {"Authorization": …}}; names of headers have no case. */
static Str authorization_in(const JsonValue *payload) {
  if (payload == NULL || payload->type != JSON_OBJECT) return (Str){NULL, 0};
  for (size_t i = 0; i < payload->count; i++) {
    const JsonMember *member = &payload->members[i];
    if (member->value.type == JSON_STRING && str_equal_ignore_case(member->name, STR("authorization"))) return member->value.text;
    if (member->value.type == JSON_OBJECT && str_equal_ignore_case(member->name, STR("headers"))) return authorization_in(&member->value);
  }
  return (Str){NULL, 0};
}

static void on_connection_init(GraphqlWs *session, WsMessage *message) {
  ApiRequest *request = session->request;
  if (session->is_asked) {
    close_with(session, WS_SECOND_INIT, STR("Too many initialisation requests"));
    return;
  }
  session->is_asked = true;
  Str given = authorization_in(message->payload);
  if (given.ptr != NULL) {
    session->authorization = arena_str(request->exchange->arena, given);
    if (session->authorization.ptr == NULL) {
      close_with(session, WEBSOCKET_INTERNAL, STR("out of memory"));
      return;
    }
    if (!request->is_known(request, session->authorization)) {
      close_with(session, WS_FORBIDDEN, STR("Forbidden"));
      return;
    }
  }
  loop_timer_destroy(session->init_timer);
  session->init_timer = NULL;
  session->is_ready = true;
  (void)send_payload(session, STR("connection_ack"), (Str){NULL, 0}, (Str){NULL, 0});
}

static void on_ping(GraphqlWs *session, WsMessage *message) {
  Buf out = begin_message(session, STR("pong"), (Str){NULL, 0});
  if (message->payload != NULL) {
    buf_add(&out, STR(",\"payload\":"));
    json_write(&out, message->payload);
  }
  (void)send_message(session, &out);
}

static void on_pong(GraphqlWs *session, WsMessage *message) {
  (void)session;
  (void)message;
}

static void on_complete(GraphqlWs *session, WsMessage *message) {
  Str id = text_member(&message->json, STR("id"));
  if (id.len == 0) {
    close_with(session, WS_BAD_MESSAGE, STR("complete needs an \"id\""));
    return;
  }
  WsOperation *operation = find_operation(session, id);
  if (operation == NULL) return; /* it has ended meanwhile */
  HttpExchange *exchange = operation->exchange;
  end_operation(operation, (Str){NULL, 0});
  http_inner_cancel(exchange);
}

static void refuse_operation(GraphqlWs *session, Str id, Str payload) { (void)send_payload(session, STR("error"), id, payload); }

/* The payload is what a POST's body is; its text is the message's and goes with it. */
static bool fill_request(const GraphqlWs *session, const WsMessage *message) {
  HttpExchange *exchange = message->exchange;
  const HttpRequest *outer = &session->request->exchange->request;
  HttpHeader *headers = ARENA_ARRAY(exchange->arena, HttpHeader, INNER_HEADERS_MAX);
  Buf body = buf_on(exchange->arena, SIZE_MAX / 2);
  json_write(&body, message->payload);
  if (headers == NULL || body.failed != CODE_OK) return false;
  size_t count = 0;
  headers[count++] = (HttpHeader){STR("content-type"), STR("application/json")};
  headers[count++] = (HttpHeader){STR("accept"), STR("application/graphql-response+json, text/event-stream;q=0.1")};
  if (session->authorization.ptr != NULL) {
    headers[count] = (HttpHeader){STR("authorization"), arena_str(exchange->arena, session->authorization)};
    if (headers[count++].value.ptr == NULL) return false;
  }
  Str version = http_request_header(outer, STR("api-version"));
  if (version.ptr != NULL) {
    headers[count] = (HttpHeader){STR("api-version"), arena_str(exchange->arena, version)};
    if (headers[count++].value.ptr == NULL) return false;
  }
  HttpRequest *request = &exchange->request;
  request->method = HTTP_POST;
  request->method_text = STR("POST");
  request->target = request->path = STR("/graphql");
  request->headers = headers;
  request->header_count = count;
  request->body = buf_str(&body);
  return true;
}

static void start_operation(GraphqlWs *session, WsMessage *message, Str id) {
  HttpExchange *exchange = message->exchange;
  WsOperation *operation = ARENA_NEW(exchange->arena, WsOperation);
  Str own_id = operation == NULL ? (Str){NULL, 0} : arena_str(exchange->arena, id);
  if (own_id.ptr == NULL || !fill_request(session, message)) {
    refuse_operation(session, id, STR("[{\"message\":\"out of memory\",\"extensions\":{\"code\":\"UNAVAILABLE\"}}]"));
    return;
  }
  *operation = (WsOperation){.session = session, .exchange = exchange, .id = own_id, .next = session->operations};
  if (session->operations != NULL) session->operations->previous = operation;
  session->operations = operation;
  session->operation_count++;
  message->is_started = true;
  http_inner_start(exchange, &operation_events, operation);
}

static void on_subscribe(GraphqlWs *session, WsMessage *message) {
  Str id = text_member(&message->json, STR("id"));
  bool is_good = id.len > 0 && message->payload != NULL && message->payload->type == JSON_OBJECT;
  if (!session->is_ready) {
    close_with(session, WS_UNAUTHORIZED, STR("Unauthorized"));
  } else if (!is_good) {
    close_with(session, WS_BAD_MESSAGE, STR("subscribe needs an \"id\" and a \"payload\""));
  } else if (find_operation(session, id) != NULL) {
    Buf reason = buf_on_heap(MESSAGE_OVERHEAD_BYTES);
    buf_printf(&reason, "Subscriber for %.*s already exists", STR_ARGS(utf8_cut(id, WEBSOCKET_REASON_BYTES_MAX)));
    close_with(session, WS_DUPLICATE, buf_str(&reason));
    buf_done(&reason);
  } else if (session->is_draining) {
    refuse_operation(session, id, STR("[{\"message\":\"The server is being stopped\",\"extensions\":{\"code\":\"UNAVAILABLE\"}}]"));
  } else if (session->operation_count >= session->operations_max) {
    refuse_operation(session, id,
                     STR("[{\"message\":\"The connection has too many operations under way (--graphql-ws-operations-max)\","
                         "\"extensions\":{\"code\":\"RATE_LIMITED\"}}]"));
  } else {
    start_operation(session, message, id);
  }
}

static const struct {
  Str type;
  void (*run)(GraphqlWs *session, WsMessage *message);
} message_types[] = {
    {STR_INIT("connection_init"), on_connection_init},
    {STR_INIT("subscribe"), on_subscribe},
    {STR_INIT("complete"), on_complete},
    {STR_INIT("ping"), on_ping},
    {STR_INIT("pong"), on_pong},
};

static void take_message(GraphqlWs *session, WsMessage *message, Str text) {
  Error err;
  Code code = json_parse(text, JSON_DEPTH_DEFAULT, message->exchange->arena, &message->json, &err);
  if (code == CODE_UNAVAILABLE) {
    close_with(session, WEBSOCKET_INTERNAL, STR("out of memory"));
    return;
  }
  Str type = code == CODE_OK ? text_member(&message->json, STR("type")) : (Str){NULL, 0};
  const JsonValue *payload = type.ptr == NULL ? NULL : json_get(&message->json, STR("payload"));
  bool has_payload = payload != NULL && payload->type != JSON_NULL;
  bool is_good = type.ptr != NULL && (!has_payload || payload->type == JSON_OBJECT);
  if (has_payload) message->payload = payload;
  for (size_t i = 0; is_good && i < sizeof message_types / sizeof message_types[0]; i++) {
    if (!str_equal(type, message_types[i].type)) continue;
    message_types[i].run(session, message);
    return;
  }
  close_with(session, WS_BAD_MESSAGE, STR("Invalid message received"));
}

static void on_text(void *context, Str text) {
  GraphqlWs *session = context;
  WsMessage message = {.exchange = http_inner_create(session->request->exchange)};
  if (message.exchange == NULL) {
    close_with(session, WEBSOCKET_INTERNAL, STR("out of memory"));
    return;
  }
  take_message(session, &message, text);
  if (!message.is_started) http_inner_discard(message.exchange);
}

/* ---- The connection ---- */

static void on_writable(void *context) {
  GraphqlWs *session = context;
  for (WsOperation *operation = session->operations, *next; operation != NULL && session->socket != NULL; operation = next) {
    next = operation->next;
    http_inner_writable(operation->exchange);
    if (websocket_exchange_is_full(session->socket)) return;
  }
}

static void on_drain(void *context) {
  GraphqlWs *session = context;
  session->is_draining = true;
  go_away(session);
}

static void on_closed(void *context) {
  GraphqlWs *session = context;
  session->socket = NULL;
  loop_timer_destroy(session->init_timer);
  session->init_timer = NULL;
  while (session->operations != NULL) {
    WsOperation *operation = session->operations;
    unlink_operation(operation);
    http_inner_cancel(operation->exchange);
  }
}

static const WebSocketHandler session_handler = {.text = on_text, .writable = on_writable, .drain = on_drain, .closed = on_closed};

static void on_init_timeout(void *context) { close_with(context, WS_INIT_TIMEOUT, STR("Connection initialisation timeout")); }

static void begin_session(GraphqlWs *session, const GraphqlLimits *limits) {
  ApiRequest *request = session->request;
  WebSocketOptions options = {.message_bytes_max = limits->ws_message_bytes_max,
                              .queued_bytes_max = limits->ws_queued_bytes_max,
                              .control_frames_max = limits->ws_control_frames_max,
                              .ping_ms = limits->ws_ping_ms};
  session->socket = websocket_exchange_open(request->exchange, &options, &session_handler, session);
  if (session->socket == NULL) return;
  if (!websocket_offers(&request->exchange->request, WS_PROTOCOL)) {
    close_with(session, WS_BAD_PROTOCOL, STR("Subprotocol not acceptable"));
  } else if (loop_timer_create(request->exchange->loop, on_init_timeout, session, &session->init_timer, NULL) != CODE_OK) {
    session->init_timer = NULL;
    close_with(session, WEBSOCKET_INTERNAL, STR("out of memory"));
  } else {
    loop_timer_start(session->init_timer, limits->ws_init_timeout_ms, 0);
  }
}

static void open_session(ApiRequest *request) {
  const HttpRequest *http = &request->exchange->request;
  GraphqlWs *session = request->face_state;
  Str protocol = websocket_offers(http, WS_PROTOCOL) ? WS_PROTOCOL : (Str){NULL, 0};
  if (!websocket_accept(http, protocol, request->exchange->arena, &request->response)) {
    request->problem = problem_no_memory(request->exchange->arena);
    problem_respond(request->problem, 0, request->request_id, request->exchange->arena, &request->response);
    request->respond(request);
    return;
  }
  request->exchange->is_long = true;
  request->begin(request);
  const GraphqlLimits limits = graphql_of(request->api)->limits;
  request->leave_contract(request);
  begin_session(session, &limits);
}

/* RFC 6455 §4.4: which version would do. */
static Code refuse_version(ApiRequest *request, Str detail) {
  static const HttpHeader version = {STR_INIT("sec-websocket-version"), STR_INIT("13")};
  Arena *arena = request->exchange->arena;
  request->problem = problem_create(arena, CODE_BAD_REQUEST, detail);
  problem_respond(request->problem, 426, request->request_id, arena, &request->response);
  HttpHeader *headers = ARENA_ARRAY(arena, HttpHeader, request->response.header_count + 2);
  request->is_answered = true;
  if (headers == NULL) return CODE_OK;
  memcpy(headers, request->response.headers, request->response.header_count * sizeof *headers);
  headers[request->response.header_count] = version;
  headers[request->response.header_count + 1] = (HttpHeader){STR("upgrade"), STR("websocket")};
  request->response.headers = headers;
  request->response.header_count += request->exchange->request.version == 20 ? 1 : 2; /* HTTP/2 has no such field */
  return CODE_OK;
}

static Code refuse(ApiRequest *request, Code code, Str detail) {
  request->problem = problem_create(request->exchange->arena, code, detail);
  return code;
}

static Code decode(ApiRequest *request) {
  const HttpRequest *http = &request->exchange->request;
  Arena *arena = request->exchange->arena;
  Str detail;
  int status = websocket_check(http, &detail);
  if (status == 426) return refuse_version(request, detail);
  if (status != 0) return refuse(request, CODE_BAD_REQUEST, detail);
  /* A browser asks nobody before it opens a WebSocket to another host. */
  if (!request->is_of_friend(request)) return refuse(request, CODE_FORBIDDEN, STR("Pages of this origin may not call (--cors-origin)"));
  GraphqlWs *session = ARENA_NEW(arena, GraphqlWs);
  if (session == NULL) return refuse(request, CODE_UNAVAILABLE, STR("out of memory"));
  *session = (GraphqlWs){.request = request,
                         .operations_max = graphql_of(request->api)->limits.ws_operations_max,
                         .result_bytes_max = request->api->limits.result_bytes_max,
                         .authorization = http_request_header(http, STR("authorization"))};
  request->face_state = session;
  request->stream = open_session;
  return CODE_OK;
}

bool graphql_ws_decode(ApiRequest *request, Code *ret) {
  const HttpRequest *http = &request->exchange->request;
  if (!websocket_is_asked(http)) {
    if (http->protocol.ptr == NULL) return false;
    *ret = refuse(request, CODE_BAD_REQUEST, STR("The protocol here is websocket"));
    return true;
  }
  *ret = decode(request);
  return true;
}
