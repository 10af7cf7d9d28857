/* fuzz_request.c - bytes as choices, from which a few requests to REST, GraphQL and gRPC are made by the contract (request/); sent over one
 * connection to the whole server in this process. Whatever they are: each is answered, or the connection ends; nothing fails inside; JSON
 * that comes back is JSON; and nothing is told that nobody may know. FUZZ_SHOW=1 prints what an input stands for. */
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "property.h"
#include "request/requests.h"
#include "request/server.h"

enum { REQUESTS_MAX = 3, REQUEST_BYTES_MAX = 4 * 1024 * 1024, INPUT_BYTES_MAX = 4096, SHOWN_BYTES_MAX = 16384 };

typedef struct Answer {
  int status;
  Str type, head, body;
} Answer;

static void show(Str asked, Str answered) {
  (void)fputs("---- asked ----\n", stderr);
  if (asked.len > 0) (void)fwrite(asked.ptr, 1, asked.len, stderr);
  (void)fputs("\n---- answered ----\n", stderr);
  if (answered.len > 0) (void)fwrite(answered.ptr, 1, answered.len < SHOWN_BYTES_MAX ? answered.len : SHOWN_BYTES_MAX, stderr);
  (void)fputc('\n', stderr);
}

static void fail(const char *why, Str asked, Str answered) {
  fprintf(stderr, "%s\n", why);
  show(asked, answered);
  abort();
}
#define HOLDS(holds, asked, answered)                                                                                                      \
  do {                                                                                                                                     \
    if (!(holds)) fail("does not hold: " #holds, asked, answered);                                                                         \
  } while (0)

/* ---- answers ---- */

static Str header_of(Str head, const char *name) {
  Str rest = head, line;
  while (str_split_next(&rest, '\n', &line)) {
    size_t colon = str_find_byte(line, ':', 0);
    if (str_equal_ignore_case(str_slice(line, 0, colon), str_of(name))) return str_trim(str_slice(line, colon + 1, line.len));
  }
  return (Str){0};
}

static size_t find(Str text, const char *part) {
  const char *at = text.ptr == NULL ? NULL : memmem(text.ptr, text.len, part, strlen(part));
  return at == NULL ? text.len : (size_t)(at - text.ptr);
}

/* False where the chunks don't end. */
static bool read_chunks(Str *rest, Arena *arena, Str *ret) {
  Buf body = buf_on(arena, (size_t)16 * 1024 * 1024);
  for (;;) {
    size_t line = find(*rest, "\r\n");
    if (line == rest->len) return false;
    char digits[20] = "";
    memcpy(digits, rest->ptr, line < sizeof digits - 1 ? line : sizeof digits - 1);
    size_t len = strtoul(digits, NULL, 16);
    *rest = str_slice(*rest, line + 2, rest->len);
    if (len == 0) {
      size_t end = str_starts_with(*rest, STR("\r\n")) ? 0 : find(*rest, "\r\n\r\n") + 2; /* trailers */
      if (end + 2 > rest->len) return false;
      *rest = str_slice(*rest, end + 2, rest->len);
      *ret = buf_str(&body);
      return true;
    }
    if (len + 2 > rest->len) return false;
    buf_add(&body, str_slice(*rest, 0, len));
    *rest = str_slice(*rest, len + 2, rest->len);
  }
}

/* The next one; false where there is none, or it is cut. */
static bool read_answer(Str *rest, bool is_head, Arena *arena, Answer *ret) {
  size_t end = find(*rest, "\r\n\r\n");
  if (end == rest->len) return false;
  *ret = (Answer){.head = str_slice(*rest, 0, end)};
  ret->status = ret->head.len > 12 ? (int)strtol(ret->head.ptr + 9, NULL, 10) : 0;
  ret->type = header_of(ret->head, "content-type");
  *rest = str_slice(*rest, end + 4, rest->len);
  if (ret->status == 100) return read_answer(rest, is_head, arena, ret);
  if (is_head || ret->status == 204 || ret->status == 304) return true;
  if (str_equal(header_of(ret->head, "transfer-encoding"), STR("chunked"))) return read_chunks(rest, arena, &ret->body);
  Str length = header_of(ret->head, "content-length");
  int64_t len = (int64_t)rest->len;
  if (length.len > 0 && (!str_parse_int64(length, &len) || (uint64_t)len > rest->len)) return false;
  ret->body = str_slice(*rest, 0, (size_t)len);
  *rest = str_slice(*rest, (size_t)len, rest->len);
  return true;
}

/* ---- what must hold ---- */

static void check_json(const Answer *answer, Str asked, Arena *arena) {
  JsonValue json;
  HOLDS(json_parse(answer->body, JSON_DEPTH_DEFAULT * 2, arena, &json, NULL) == CODE_OK, asked, answer->body);
  if (!str_starts_with(answer->type, STR("application/problem+json"))) return;
  const JsonValue *code = json_get(&json, STR("code")), *status = json_get(&json, STR("status"));
  HOLDS(code != NULL && code->type == JSON_STRING && status != NULL && status->type == JSON_NUMBER, asked, answer->body);
}

/* Errors in bodies whose status says nothing of them: GraphQL's, gRPC's trailers, Connect's. */
static void check_inside(const Answer *answer, Str asked) {
  static const char *const bad[] = {"\"code\":\"INTERNAL\"", "\"code\":\"internal\"", "\"code\":\"unknown\"", "grpc-status: 13",
                                    "grpc-status: 2\r",      "grpc-status:13",        "grpc-status:2\r"};
  /* gRPC wants INTERNAL for this mistake of a client's. */
  static const char compressed[] = "says that it is compressed";
  if (find(answer->body, compressed) < answer->body.len || find(answer->head, compressed) < answer->head.len) return;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    HOLDS(find(answer->body, bad[i]) == answer->body.len, asked, answer->body);
    HOLDS(find(answer->head, bad[i]) == answer->head.len, asked, answer->head);
  }
}

/* Which shows what a refusal looks like. */
static bool is_document(const Answer *answer) { return str_starts_with(answer->body, STR("{\"openapi\"")); }

static void check_answer(const Answer *answer, Str asked, Arena *arena) {
  bool is_coded = header_of(answer->head, "content-encoding").len > 0;
  HOLDS(answer->status >= 200 && answer->status < 600 && answer->status != 500, asked, answer->body);
  if (is_coded) return;
  if (!is_document(answer)) check_inside(answer, asked);
  bool is_json = str_starts_with(answer->type, STR("application/json")) || str_starts_with(answer->type, STR("application/problem+json")) ||
                 str_starts_with(answer->type, STR("application/graphql-response+json"));
  if (is_json && answer->body.len > 0) check_json(answer, asked, arena);
}

static bool is_written(Str head) { return head.len > 9 && head.ptr[9] == '2'; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bool is_dirty;
  if (size > INPUT_BYTES_MAX) return -1;
  (void)request_server();
  if (is_dirty) request_server_reset();
  is_dirty = false;
  Arena *arena = arena_create(0);
  Choices choices = {data, data + size};
  Buf asked = buf_on(arena, REQUEST_BYTES_MAX);
  RequestKind kinds[REQUESTS_MAX];
  size_t count = 1 + choose(&choices, REQUESTS_MAX);
  bool is_endless = false;
  for (size_t i = 0; i < count; i++) {
    static RequestKind (*const writers[])(Choices *, bool, Arena *, Buf *) = {write_rest, write_graphql, write_grpc};
    kinds[i] = CHOOSE(&choices, writers)(&choices, i + 1 == count, arena, &asked);
    is_endless = is_endless || kinds[i].is_endless;
  }
  if (asked.failed == CODE_OK) {
    bool is_silent, is_shown = getenv("FUZZ_SHOW") != NULL;
    Str bytes = buf_str(&asked);
    if (is_shown) show(bytes, (Str){0}); /* it may crash on it */
    Str rest = request_server_ask(bytes, is_endless, arena, &is_silent), all = rest;
    if (is_shown) show((Str){0}, all);
    HOLDS(!is_silent, bytes, all);
    HOLDS(find(all, HUSH) == all.len && find(all, PRIVATE) == all.len, bytes, all);
    Answer answer;
    for (size_t i = 0; i < count && read_answer(&rest, kinds[i].is_head, arena, &answer); i++) {
      check_answer(&answer, bytes, arena);
      is_dirty = is_dirty || is_written(answer.head);
    }
    HOLDS(is_endless || all.len > 0, bytes, all);
    is_dirty = is_dirty || is_endless;
  }
  arena_destroy(arena);
  return 0;
}
