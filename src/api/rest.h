/* rest.h - the REST face. */
#pragma once
#include "api/face.h"

extern const Face FACE_REST;
