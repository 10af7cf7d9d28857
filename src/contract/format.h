/* format.h - the text formats of scalars that need more than a look: numbers, e-mail addresses and URLs. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

/* RFC 8259 §6. */
bool number_is_well_formed(Str text);
/* Of a well-formed number: nothing but zeros stands behind the point once the exponent is worked in (5, 5.0, 1.5e1). */
bool number_is_integral(Str text);
/* HTML's "valid e-mail address", at most 254 bytes, 64 before the @. */
bool email_is_valid(Str text);
/* scheme://host…, RFC 3986's characters; characters beyond ASCII are let through, as browsers do. */
bool url_is_valid(Str text);
