/* version.c - one version's name: "v2" is named by v2 and by 2. Nothing is guessed: a path without a version needs a header. */
#include "server/version.h"

#include "api/header.h"

enum { VERSIONS_TEXT_MAX = 4096, NONE = -1 };

static bool is_named(const Contract *contract, Str wanted) {
  Str name = contract->service_version;
  if (str_equal_ignore_case(name, wanted)) return true;
  bool has_letter = name.len > 1 && (name.ptr[0] == 'v' || name.ptr[0] == 'V');
  return has_letter && str_equal_ignore_case(str_slice(name, 1, name.len), wanted);
}

static int find_named(const Generation *generation, Str wanted) {
  for (size_t i = 0; i < generation->version_count; i++) {
    if (is_named(generation->versions[i].contract, wanted)) return (int)i;
  }
  return NONE;
}

/* "/shop.v2.ProductService/GetProduct" */
static int find_by_face(const Generation *generation, Str path) {
  for (size_t i = 0; i < generation->version_count; i++) {
    const Api *api = generation->versions[i].api;
    for (size_t k = 0; k < api->face_count; k++) {
      if (api->faces[k]->is_of_contract != NULL && api->faces[k]->is_of_contract(api, path)) return (int)i;
    }
  }
  return NONE;
}

static int find_by_path(const Generation *generation, Str path) {
  for (size_t i = 0; i < generation->version_count; i++) {
    Str name = generation->versions[i].contract->service_version;
    bool is_at_start = path.len > name.len && path.ptr[0] == '/' && memcmp(path.ptr + 1, name.ptr, name.len) == 0;
    if (is_at_start && (path.len == name.len + 1 || path.ptr[name.len + 1] == '/')) return (int)i;
  }
  return find_by_face(generation, path);
}

/* ---- Refusals ---- */

static Str served_versions(const Request *request) {
  const Generation *generation = request->serving->generation;
  Buf out = buf_on(request->api.exchange->arena, VERSIONS_TEXT_MAX);
  buf_add(&out, STR("served are "));
  for (size_t i = 0; i < generation->version_count; i++) {
    if (i > 0) buf_add(&out, STR(", "));
    buf_add(&out, generation->versions[i].contract->service_version);
  }
  return buf_str(&out);
}

static void refuse(Request *request, Code code, Str detail) {
  if (request->version_problem == NULL)
    request->version_problem = problem_with_hint(request->api.exchange->arena, code, detail, served_versions(request));
}

/* ---- Headers ---- */

static int find_by_header(Request *request) {
  const Generation *generation = request->serving->generation;
  Str accepted = accept_version(request->accept), given = str_trim(request->api_version);
  int version = NONE, other = NONE;
  if (accepted.ptr != NULL) {
    version = find_named(generation, accepted);
    if (version == NONE) refuse(request, CODE_NOT_ACCEPTABLE, STR("Accept names a version that is not served"));
  }
  if (request->api_version.ptr != NULL) {
    other = find_named(generation, given);
    if (other == NONE) refuse(request, CODE_BAD_REQUEST, STR("API-Version names a version that is not served"));
  }
  if (version != NONE && other != NONE && version != other)
    refuse(request, CODE_BAD_REQUEST, STR("Accept and API-Version name different versions"));
  return version != NONE ? version : other;
}

static bool has_header(const Request *request) {
  return request->api_version.ptr != NULL || str_find_byte(request->accept, ';', 0) < request->accept.len;
}

/* ---- The choice ---- */

void version_choose(Request *request) {
  const Generation *generation = request->serving->generation;
  int by_path = find_by_path(generation, request->api.exchange->request.path);
  int by_header = has_header(request) ? find_by_header(request) : NONE;
  if (by_path != NONE && by_header != NONE && by_path != by_header)
    refuse(request, CODE_BAD_REQUEST, STR("The path is another version's than the one that the headers name"));
  request->is_version_by_header = by_path == NONE && by_header != NONE;
  request->version = by_path != NONE ? (size_t)by_path : by_header != NONE ? (size_t)by_header : generation->newest;
  request->api.api = generation->versions[request->version].api;
  request->api.engine = request->serving->engines[request->version];
}

bool version_complete_path(Request *request) {
  HttpRequest *http = &request->api.exchange->request;
  Str version = request->api.api->contract->service_version;
  if (!request->is_version_by_header || http->path.len == 0 || http->path.ptr[0] != '/') return true;
  Str path = arena_printf(request->api.exchange->arena, "/%.*s%.*s", STR_ARGS(version), STR_ARGS(http->path));
  if (path.ptr == NULL) return false;
  http->path = path;
  request->api.face = api_face(request->api.api, http);
  return true;
}
