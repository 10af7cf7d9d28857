/* http2_head.c - nghttp2 has seen to it that pseudo-fields are there, each once and first, and that names and values are well-formed. */
#include "http/http2_head.h"

#include "http/message.h"
#include "http/target.h"

enum {
  FIELD_OVERHEAD_BYTES = 32, /* RFC 9113 §6.5.2 */
  FIELDS_FIRST = 16,
  TOO_LARGE_FACTOR = 8 /* beyond so many times the limit nobody is answered any more */
};

static bool count_bytes(Http2Fields *fields, const Http2Limits *limits, Str name, Str value) {
  fields->bytes += name.len + value.len + FIELD_OVERHEAD_BYTES;
  fields->is_too_large = fields->is_too_large || fields->bytes > limits->header_bytes_max;
  return fields->bytes <= TOO_LARGE_FACTOR * limits->header_bytes_max;
}

bool http2_fields_skip(Http2Fields *fields, const Http2Limits *limits, Str name, Str value) {
  return count_bytes(fields, limits, name, value);
}

static Str copy(Http2Fields *fields, Str text) {
  Str ret = arena_str(fields->arena, text);
  if (ret.ptr == NULL) fields->is_out_of_memory = true;
  return ret;
}

static void add_pseudo(Http2Fields *fields, const Http2Limits *limits, Str name, Str value) {
  if (str_equal(name, STR(":method"))) {
    fields->method = copy(fields, value);
  } else if (str_equal(name, STR(":path"))) {
    fields->is_path_too_long = value.len > limits->uri_bytes_max;
    fields->path = copy(fields, str_slice(value, 0, limits->uri_bytes_max));
  } else if (str_equal(name, STR(":authority"))) {
    fields->authority = copy(fields, value);
  } else if (str_equal(name, STR(":protocol"))) {
    fields->protocol = copy(fields, value);
  }
}

bool http2_fields_add(Http2Fields *fields, const Http2Limits *limits, Str name, Str value) {
  if (name.len > 0 && name.ptr[0] == ':') {
    /* The target has a limit of its own. */
    if (value.len > TOO_LARGE_FACTOR * (limits->header_bytes_max + limits->uri_bytes_max)) return false;
    add_pseudo(fields, limits, name, value);
    return true;
  }
  if (!count_bytes(fields, limits, name, value)) return false;
  if (fields->is_too_large || fields->is_out_of_memory) return true;
  if (fields->count == fields->cap) {
    size_t cap = fields->cap == 0 ? FIELDS_FIRST : fields->cap * 2;
    HttpHeader *headers = arena_grow(fields->arena, fields->headers, fields->cap * sizeof *headers, cap * sizeof *headers);
    if (headers == NULL) {
      fields->is_out_of_memory = true;
      return true;
    }
    fields->headers = headers;
    fields->cap = cap;
  }
  fields->headers[fields->count++] = (HttpHeader){copy(fields, name), copy(fields, str_trim(value))};
  return true;
}

static void refuse(Http2Head *head, int status, Str detail) {
  if (head->refused_status != 0) return;
  head->refused_status = status;
  head->refused_detail = detail;
}

static bool parse_length(Str text, uint64_t *ret) {
  int64_t length;
  if (!str_parse_int64(text, &length) || length < 0) return false;
  *ret = (uint64_t)length;
  return true;
}

uint8_t http2_urgency_of(Str priority, uint8_t otherwise) {
  uint8_t ret = otherwise;
  for (size_t at = 0; at < priority.len;) {
    size_t end = str_find_byte(priority, ',', at);
    Str member = str_trim(str_slice(priority, at, end));
    /* A parameter of the member is nobody's business. */
    Str value = str_slice(member, 0, str_find_byte(member, ';', 0));
    if (value.len == 3 && str_starts_with(value, STR("u=")) && value.ptr[2] >= '0' && value.ptr[2] <= '7')
      ret = (uint8_t)(value.ptr[2] - '0');
    at = end + 1;
  }
  return ret;
}

static void note_header(Http2Head *head, const HttpHeader *header) {
  if (str_equal(header->name, STR("content-length"))) {
    head->has_length = true;
    if (!parse_length(header->value, &head->body_bytes)) refuse(head, 400, STR("Content-Length is malformed"));
  } else if (str_equal(header->name, STR("expect"))) {
    if (str_equal_ignore_case(header->value, STR("100-continue")))
      head->expects_continue = true;
    else
      head->expects_unknown = true;
  } else if (str_equal(header->name, STR("priority"))) {
    head->urgency = http2_urgency_of(header->value, head->urgency);
  } else if (str_equal(header->name, STR("host"))) {
    /* RFC 9113 §8.3.1: a Host that says something else than :authority. */
    if (head->request.authority.ptr == NULL)
      head->request.authority = header->value;
    else if (!str_equal_ignore_case(head->request.authority, header->value))
      refuse(head, 400, STR("Host and :authority differ"));
  }
}

static void read_request(const Http2Fields *fields, Http2Head *head) {
  HttpRequest *request = &head->request;
  /* RFC 8441 §4: a GET that is to become something else; which protocols there are, the handler knows. */
  bool is_extended = fields->protocol.ptr != NULL && str_equal(request->method_text, STR("CONNECT"));
  if (is_extended) {
    request->method = HTTP_GET;
    request->protocol = fields->protocol;
  }
  if (fields->is_path_too_long) {
    refuse(head, 414, STR("The request target is too long (--uri-max)"));
  } else if (request->method == HTTP_UNKNOWN || (!is_extended && str_equal(request->method_text, STR("CONNECT")))) {
    refuse(head, 501, STR("The method is not known"));
  } else if (request->target.len == 0 || (request->target.ptr[0] != '/' && !str_equal(request->target, STR("*"))) ||
             !http_target_parse(request)) {
    refuse(head, 400, STR("The request target is malformed"));
  }
  for (size_t i = 0; i < request->header_count; i++) note_header(head, &request->headers[i]);
  if (!http_authority_is_valid(request->authority)) refuse(head, 400, STR("The authority is malformed"));
}

void http2_fields_finish(const Http2Fields *fields, bool has_body, Http2Head *ret) {
  *ret = (Http2Head){.request = {.method = http_method_of(fields->method),
                                 .method_text = fields->method,
                                 .target = fields->path,
                                 .authority = fields->authority,
                                 .headers = fields->headers,
                                 .header_count = fields->count,
                                 .version = 20},
                     .head_bytes = fields->bytes + fields->path.len,
                     .has_body = has_body,
                     .urgency = HTTP2_URGENCY_DEFAULT};
  if (fields->is_out_of_memory) {
    refuse(ret, 503, STR("The server is out of memory"));
  } else if (fields->is_too_large) {
    refuse(ret, 431, STR("The header section is too large (--header-max)"));
  } else {
    read_request(fields, ret);
  }
}
