/* cache_control.h - Cache-Control (RFC 9111 §5.2) of what a resource says by @cache. */
#pragma once
#include "query/engine.h"

/* "public, max-age=60", or "private, …" where another caller might have got another answer: ptr NULL where the resource says nothing or
 * memory is out. `resource` is the one that the path names. */
Str cache_control(const CallGroup *group, const Resource *resource, Arena *arena);
/* The same of an answer made of several resources' rows: the least of its parts. ptr NULL where one of them says nothing. */
Str cache_control_least(const CallGroup *group, Arena *arena);
