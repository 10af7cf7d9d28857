/* header.h - one header field of a message. */
#pragma once
#include "base/str.h"

typedef struct HttpHeader {
  Str name;  /* lower case */
  Str value; /* without surrounding white space */
} HttpHeader;
