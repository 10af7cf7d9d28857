/* documents.c - documents and their entity tags. Each is whole in memory, so that reading one costs no work but its sending. */
#include "api/documents.h"

#include "api/header.h"
#include "api/openapi.h"
#include "api/problem_json.h"
#include "api/problem_page.h"
#include "api/web.h"
#include "codec/gzip.h"
#include "codec/hash.h"
#include "http/message.h"
#include "query/etag.h"

enum { DOCUMENT_BYTES_MAX = 256 * 1024 * 1024, DOCUMENT_HEADERS_MAX = 12, WEB_FILE_BYTES_MAX = 16 * 1024 * 1024 };

typedef struct Document {
  Str type;
  Str body;
  Str etag; /* with its quotes */
} Document;

struct Documents {
  Document openapi;
};

static Code document_create(Arena *arena, Str type, Str body, Document *ret, Error *err) {
  Str tag = arena_printf(arena, "\"%016llx\"", (unsigned long long)hash64(body));
  TRY_ALLOC(tag.ptr);
  *ret = (Document){type, body, tag};
  return CODE_OK;
}

static Code openapi_create(const Api *api, Document *ret, Error *err) {
  const OpenapiOptions options = {.limits = &api->limits, .is_precondition_required = api->is_precondition_required};
  Str text;
  Arena *scratch = arena_create(0);
  TRY_ALLOC(scratch);
  Buf out = buf_on_heap(DOCUMENT_BYTES_MAX);
  Code code = openapi_write(api->contract, &options, scratch, &out, err);
  text = code == CODE_OK ? arena_str(api->arena, buf_str(&out)) : (Str){0};
  buf_done(&out);
  arena_destroy(scratch);
  if (code != CODE_OK) return code;
  TRY_ALLOC(text.ptr);
  return document_create(api->arena, STR("application/json"), text, ret, err);
}

Code documents_create(const Api *api, const Documents **ret, Error *err) {
  Documents *documents = ARENA_NEW(api->arena, Documents);
  TRY_ALLOC(documents);
  TRY(openapi_create(api, &documents->openapi, err));
  *ret = documents;
  return CODE_OK;
}

/* ---- Answering ---- */

/* RFC 9110 §13.1.2: weak comparison, "*" matches what is there, and a tag of a coded answer stands for the plain one. */
static bool is_unchanged(const HttpRequest *request, Arena *arena, Str etag) {
  ApiHeaders headers;
  Precondition given;
  if (!api_headers_read(request, arena, &headers) || headers.if_none_match.ptr == NULL) return false;
  if (etag_list_parse(headers.if_none_match, true, arena, &given, NULL) != CODE_OK) return false;
  Str bare = str_slice(etag, 1, etag.len - 1);
  for (size_t i = 0; i < given.etag_count; i++) {
    if (str_equal(given.etags[i], bare)) return true;
  }
  return given.is_any;
}

typedef struct Answer {
  HttpHeader headers[DOCUMENT_HEADERS_MAX];
  size_t header_count;
  HttpResponse response;
} Answer;

static void add_header(Answer *answer, Str name, Str value) {
  if (answer->header_count < DOCUMENT_HEADERS_MAX) answer->headers[answer->header_count++] = (HttpHeader){name, value};
}

/* Nothing is loaded from elsewhere, nothing inline is run, and nobody frames it. The reference sets styles by script, which this allows,
 * and sends requests to this server only. */
static void add_page_headers(Answer *answer) {
  add_header(
      answer, STR("content-security-policy"),
      STR("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src "
          "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"));
  add_header(answer, STR("x-content-type-options"), STR("nosniff"));
  add_header(answer, STR("referrer-policy"), STR("no-referrer"));
  add_header(answer, STR("cross-origin-opener-policy"), STR("same-origin"));
}

static void finish(Answer *answer, int status, Str body, HttpResponse *ret) {
  *ret = (HttpResponse){.status = status, .headers = answer->headers, .header_count = answer->header_count, .body = body};
}

static Str header_of(const HttpRequest *request, Str name) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (str_equal(request->headers[i].name, name)) return request->headers[i].value;
  }
  return (Str){0};
}

/* RFC 9110 §12.5.3: named, and not with a weight of nothing. */
static bool accepts_gzip(const HttpRequest *request) {
  Str rest = header_of(request, STR("accept-encoding")), member;
  while (rest.ptr != NULL && http_list_next(&rest, &member)) {
    size_t semicolon = str_find_byte(member, ';', 0);
    Str coding = str_trim(str_slice(member, 0, semicolon)), weight = str_trim(str_slice(member, semicolon, member.len));
    if (!str_equal_ignore_case(coding, STR("gzip"))) continue;
    return !str_contains(weight, STR("q=0")) || str_contains(weight, STR("q=0."));
  }
  return false;
}

static void respond_file(WebFile file, const HttpRequest *request, Arena *arena, Answer *answer, HttpResponse *ret) {
  bool is_gzip = accepts_gzip(request);
  Buf plain = buf_on(arena, WEB_FILE_BYTES_MAX);
  Str body = file.gzip;
  add_header(answer, STR("etag"), file.etag);
  add_header(answer, STR("cache-control"), STR("no-cache"));
  add_header(answer, STR("vary"), STR("accept-encoding"));
  add_page_headers(answer);
  if (is_unchanged(request, arena, file.etag)) {
    finish(answer, 304, (Str){0}, ret);
    return;
  }
  add_header(answer, STR("content-type"), file.type);
  if (is_gzip) {
    add_header(answer, STR("content-encoding"), STR("gzip"));
  } else {
    if (gzip_decompress(file.gzip, &plain, NULL) != CODE_OK) {
      problem_respond(problem_no_memory(arena), 0, (Str){0}, arena, ret);
      return;
    }
    body = buf_str(&plain);
  }
  finish(answer, 200, body, ret);
}

static void respond_openapi(const Document *document, const HttpRequest *request, Arena *arena, Answer *answer, HttpResponse *ret) {
  bool is_same = is_unchanged(request, arena, document->etag);
  add_header(answer, STR("etag"), document->etag);
  add_header(answer, STR("cache-control"), STR("no-cache"));
  if (!is_same) add_header(answer, STR("content-type"), document->type);
  finish(answer, is_same ? 304 : 200, is_same ? (Str){0} : document->body, ret);
}

/* A person's browser asks for HTML; who asks for neither gets the page too. */
static void respond_problem(Str slug, const HttpRequest *request, Arena *arena, Answer *answer, HttpResponse *ret) {
  const ErrorForm *form = slug.len > 0 ? error_form_by_slug(slug) : NULL;
  if (slug.len > 0 && form == NULL) {
    const Problem *problem = problem_with_hint(arena, CODE_NOT_FOUND, STR("There is no such problem"), STR("/problems lists them"));
    problem_respond(problem, 0, (Str){0}, arena, ret);
    return;
  }
  Str accept = header_of(request, STR("accept"));
  bool is_html = accept_weight(accept, STR("text/html")) >= accept_weight(accept, STR("application/json"));
  Buf out = buf_on(arena, WEB_FILE_BYTES_MAX);
  if (is_html)
    problem_page_html(form, &out);
  else
    problem_page_json(form, &out);
  if (out.failed != CODE_OK) {
    problem_respond(problem_no_memory(arena), 0, (Str){0}, arena, ret);
    return;
  }
  add_header(answer, STR("content-type"), is_html ? STR("text/html; charset=utf-8") : STR("application/json"));
  add_header(answer, STR("vary"), STR("accept"));
  add_page_headers(answer);
  finish(answer, 200, buf_str(&out), ret);
}

/* ---- Which it is ---- */

static const Str OPENAPI_PATH = STR_INIT("/openapi.json");
static const Str OPENAPI_NAME = STR_INIT("openapi.json");
static const Str PROBLEMS_PATH = STR_INIT("/problems");

static const Str GRAPHQL_PATH = STR_INIT("/graphql");

static bool find_file(Str path, size_t *ret) {
  if (!str_starts_with(path, STR("/docs")) && !str_equal(path, GRAPHQL_PATH)) return false;
  for (size_t i = 0; i < WEB_FILE_COUNT; i++) {
    if (!str_equal(path, web_file(i).path)) continue;
    *ret = i;
    return true;
  }
  return false;
}

static bool is_problem(Str path) {
  return str_starts_with(path, PROBLEMS_PATH) && (path.len == PROBLEMS_PATH.len || path.ptr[PROBLEMS_PATH.len] == '/');
}

bool documents_is_of_version(Str path, Str prefix) {
  return path.len == prefix.len + OPENAPI_NAME.len && str_ends_with(path, OPENAPI_NAME) && str_starts_with(path, prefix);
}

bool documents_have(Str path) {
  size_t index;
  if (str_equal(path, GRAPHQL_PATH)) return false; /* the face's own */
  return str_equal(path, OPENAPI_PATH) || is_problem(path) || find_file(path, &index);
}

void documents_respond_graphiql(const HttpRequest *request, Arena *arena, HttpResponse *ret) {
  size_t index = 0;
  Answer *answer = ARENA_NEW(arena, Answer);
  if (answer == NULL || !find_file(GRAPHQL_PATH, &index)) {
    problem_respond(problem_no_memory(arena), 0, (Str){0}, arena, ret);
    return;
  }
  add_header(answer, STR("vary"), STR("accept"));
  respond_file(web_file(index), request, arena, answer, ret);
}

void documents_respond(const Documents *documents, const HttpRequest *request, Arena *arena, HttpResponse *ret) {
  size_t index = 0;
  Answer *answer = ARENA_NEW(arena, Answer);
  if (answer == NULL)
    problem_respond(problem_no_memory(arena), 0, (Str){0}, arena, ret);
  else if (is_problem(request->path))
    respond_problem(str_slice(request->path, PROBLEMS_PATH.len + 1, request->path.len), request, arena, answer, ret);
  else if (find_file(request->path, &index))
    respond_file(web_file(index), request, arena, answer, ret);
  else
    respond_openapi(&documents->openapi, request, arena, answer, ret);
}
