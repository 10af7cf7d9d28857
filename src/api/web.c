/* web.c - the table of files for browsers. scripts/embed.mjs makes their symbols. */
#include "api/web.h"

#include <assert.h>

#define EMBEDDED(name) extern const char web_##name[], web_##name##_end[], web_##name##_etag[]
EMBEDDED(docs_html);
EMBEDDED(docs_js);
EMBEDDED(graphiql_html);
EMBEDDED(graphiql_js);
EMBEDDED(graphiql_css);
EMBEDDED(theme_js);
EMBEDDED(caisson_css);
EMBEDDED(icon_svg);
EMBEDDED(swagger_ui_css);
EMBEDDED(swagger_ui_bundle_js);

#define FILE_AT(path_text, type_text, name)                                                                                                \
  { STR_INIT(path_text), STR_INIT(type_text), web_##name, web_##name##_end, web_##name##_etag }
#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE "text/css; charset=utf-8"

static const struct {
  Str path, type;
  const char *begin, *end, *etag;
} files[] = {
    FILE_AT("/docs", "text/html; charset=utf-8", docs_html),
    FILE_AT("/docs/docs.js", SCRIPT, docs_js),
    FILE_AT("/graphql", "text/html; charset=utf-8", graphiql_html),
    FILE_AT("/docs/graphiql.js", SCRIPT, graphiql_js),
    FILE_AT("/docs/graphiql.css", STYLE, graphiql_css),
    FILE_AT("/docs/theme.js", SCRIPT, theme_js),
    FILE_AT("/docs/caisson.css", STYLE, caisson_css),
    FILE_AT("/docs/icon.svg", "image/svg+xml", icon_svg),
    FILE_AT("/docs/swagger-ui.css", STYLE, swagger_ui_css),
    FILE_AT("/docs/swagger-ui-bundle.js", SCRIPT, swagger_ui_bundle_js),
};
const size_t WEB_FILE_COUNT = sizeof files / sizeof *files;

WebFile web_file(size_t index) {
  assert(index < WEB_FILE_COUNT);
  return (WebFile){files[index].path,
                   files[index].type,
                   {files[index].begin, (size_t)(files[index].end - files[index].begin)},
                   {files[index].etag, WEB_ETAG_BYTES}};
}
