/* version.h - which contract a request is for, where several are served over one store: its path says so (/v2/…), or where the path begins
 * with no version the request's Accept (application/json; version=2) or its API-Version. */
#pragma once
#include "server/request.h"

/* Sets the request's version, contract and engine. Headers that contradict the path or each other, or name what isn't served, leave
 * request->version_problem, which is told once the caller is known. */
void version_choose(Request *request);
/* A path without a version that neither a face nor a page serves is read as that of the version which the headers name. False when memory
 * is out, and the path is as it was. */
bool version_complete_path(Request *request) MUST_USE;
