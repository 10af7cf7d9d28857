/* openapi_header.c - what an answer may carry beside its body. None is promised: each depends on the request, or on the resource. */
#include "api/openapi_impl.h"

static const struct {
  AnswerHeader bit;
  Str name;
  Str description;
} headers[] = {
    {HEADER_ETAG, STR_INIT("ETag"), STR_INIT("The representation's strong entity tag, for `If-Match` and `If-None-Match`.")},
    {HEADER_LOCATION, STR_INIT("Location"), STR_INIT("The resource's path.")},
    {HEADER_LINK, STR_INIT("Link"),
     STR_INIT("The next and the previous page (RFC 8288). A stream that is not whole has it as a trailer, and goes on there.")},
    {HEADER_CACHE_CONTROL, STR_INIT("Cache-Control"),
     STR_INIT("How long the answer may be kept, and whether for this caller alone (RFC 9111).")},
    {HEADER_PREFERENCE_APPLIED, STR_INIT("Preference-Applied"), STR_INIT("What of `Prefer` was followed (RFC 7240).")},
    {HEADER_DEPRECATION, STR_INIT("Deprecation"), STR_INIT("Something that was asked for or answered goes: since when (RFC 9745).")},
    {HEADER_DEPRECATION, STR_INIT("Sunset"), STR_INIT("When it goes, where that is known (RFC 8594).")},
};

void openapi_write_headers(Openapi *api, unsigned wanted) {
  JsonOut *json = &api->json;
  if (wanted == 0) return;
  json_out_member_open(json, STR("headers"), '{');
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    if ((wanted & headers[i].bit) == 0) continue;
    json_out_member_open(json, headers[i].name, '{');
    json_out_member_text(json, STR("description"), headers[i].description);
    json_out_member_raw(json, STR("schema"), STR("{\"type\":\"string\"}"));
    json_out_close(json, '}');
  }
  json_out_close(json, '}');
}
