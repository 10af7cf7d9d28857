/* http2_upgrade.c - the fields of the upgrade. */
#include "http/http2_upgrade.h"

#include "codec/base64.h"
#include "http/message.h"

enum { SETTING_BYTES = 6, SETTINGS_MAX = 32 }; /* RFC 7540 §6.5.1; and nghttp2 takes no more */

bool http2_upgrade_is_asked(const Http1Head *head, Arena *arena, Str *ret_settings) {
  const HttpRequest *request = &head->request;
  const Str settings = STR("http2-settings");
  if (!head->wants_upgrade || head->has_body || !http_request_lists(request, STR("upgrade"), STR("h2c"))) return false;
  /* RFC 7540 §3.2.1: exactly one, and named by Connection, so that no intermediary passes it on. */
  if (http_request_count(request, settings) != 1 || !http_request_lists(request, STR("connection"), settings)) return false;
  if (!base64url_parse(http_request_header(request, settings), arena, ret_settings)) return false;
  return ret_settings->len % SETTING_BYTES == 0 && ret_settings->len / SETTING_BYTES <= SETTINGS_MAX;
}

Http2Head http2_upgrade_head(const Http1Head *head) {
  Http2Head ret = {
      .request = head->request, .head_bytes = head->head_bytes, .expects_unknown = head->expects_unknown, .urgency = HTTP2_URGENCY_DEFAULT};
  ret.request.version = 20;
  return ret;
}
