/* web.h - the files for browsers that are built into the program (web/), each gzipped. Constant; any thread. */
#pragma once
#include "base/str.h"

typedef struct WebFile {
  Str path; /* "/docs" */
  Str type;
  Str gzip; /* the whole file, gzipped */
  Str etag; /* with its quotes; made when the program was built */
} WebFile;

enum { WEB_ETAG_BYTES = 18 };

extern const size_t WEB_FILE_COUNT;
/* `index` below WEB_FILE_COUNT. */
WebFile web_file(size_t index);
