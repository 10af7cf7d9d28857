/* rest_deprecation.h - what an answer says of the deprecated things that it holds or that its request named: Deprecation (RFC 9745), Sunset
 * (RFC 8594) and Link. */
#pragma once
#include "api/face.h"

/* Where it is false no request needs to be looked at. */
bool contract_has_deprecated(const Contract *contract);
/* Adds the headers to request->response, whose face_state is a RestState. False when memory is out. */
bool rest_add_deprecation(ApiRequest *request);
