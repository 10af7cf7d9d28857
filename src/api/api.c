/* api.c - what all faces of a contract share, made once. */
#include "api/face.h"
#include "api/rest_map.h"

Code api_create(const Contract *contract, const EngineLimits *limits, const Face *const *faces, size_t face_count, Api **ret, Error *err) {
  Arena *arena = arena_create(0);
  TRY_ALLOC(arena);
  Api *api = ARENA_NEW(arena, Api);
  RestMap *rest = NULL;
  void **prepared = (void **)arena_calloc(arena, face_count, sizeof *prepared);
  Code code = api == NULL || prepared == NULL ? error_no_memory(err) : rest_map_create(contract, arena, &rest, err);
  if (code != CODE_OK) {
    arena_destroy(arena);
    return code;
  }
  *api = (Api){.contract = contract,
               .limits = *limits,
               .faces = faces,
               .prepared = prepared,
               .face_count = face_count,
               .rest = rest,
               .arena = arena};
  *ret = api;
  return CODE_OK;
}

void api_destroy(Api *api) {
  if (api != NULL) arena_destroy(api->arena);
}

Code api_prepare(Api *api, const FaceOptions *options, Error *err) {
  for (size_t i = 0; i < api->face_count; i++) {
    if (api->faces[i]->prepare != NULL) TRY(api->faces[i]->prepare(api, options, &api->prepared[i], err));
  }
  return CODE_OK;
}

Code api_join(Api *const *apis, size_t count, Error *err) {
  for (size_t i = 0; count > 0 && i < apis[0]->face_count; i++) {
    const Face *face = apis[0]->faces[i];
    if (face->join != NULL) TRY(face->join(apis, count, err));
  }
  return CODE_OK;
}

const Face *api_face(const Api *api, const HttpRequest *request) {
  for (size_t i = 0; i < api->face_count; i++) {
    if (api->faces[i]->accepts(api, request)) return api->faces[i];
  }
  return NULL;
}
