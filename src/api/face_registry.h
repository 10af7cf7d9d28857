/* face_registry.h - the faces, in the order in which they are asked: the list in this folder's meson.build. */
#pragma once
#include "api/face.h"

const Face *const *api_faces(size_t *ret_count);
