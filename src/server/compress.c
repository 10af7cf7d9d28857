/* compress.c - see compress.h. Answers are made on the loop, so that the codings run at their fast levels. */
#include "server/compress.h"

#include "http/message.h"
#include "server/coded_stream.h"

enum { WEIGHT_ONE = 1000, WEIGHT_NOT_GIVEN = -1 };

/* RFC 9110 §12.4.2: 0 to 1 with up to three digits behind the point, in thousandths. What is none counts as 0: not wanted. */
static int weight_parse(Str text) {
  if (text.len == 0 || text.len > 5 || (text.len > 1 && text.ptr[1] != '.') || (text.ptr[0] != '0' && text.ptr[0] != '1')) return 0;
  int weight = (text.ptr[0] - '0') * WEIGHT_ONE;
  for (size_t i = 2, unit = 100; i < text.len; i++, unit /= 10) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return 0;
    weight += (text.ptr[i] - '0') * (int)unit;
  }
  return weight > WEIGHT_ONE ? 0 : weight;
}

/* "gzip;q=0.5" */
static int member_weight(Str member, Str *ret_name) {
  Str rest = member, part;
  int weight = WEIGHT_ONE;
  (void)str_split_next(&rest, ';', &part);
  *ret_name = str_trim(part);
  while (str_split_next(&rest, ';', &part)) {
    part = str_trim(part);
    if (part.len >= 2 && (part.ptr[0] == 'q' || part.ptr[0] == 'Q') && part.ptr[1] == '=')
      weight = weight_parse(str_slice(part, 2, part.len));
  }
  return weight;
}

static void read_weights(Str value, int weights[CODING_COUNT], int *any) {
  Str rest = value, member, name;
  while (rest.len > 0 && http_list_next(&rest, &member)) {
    int weight = member_weight(member, &name);
    if (str_equal(name, STR("*"))) *any = weight;
    Coding coding = content_coding_find(name);
    if (coding < CODING_COUNT) weights[coding] = weight;
  }
}

Coding compress_choose(const HttpRequest *request) {
  int weights[CODING_COUNT], any = 0;
  for (Coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) weights[coding] = WEIGHT_NOT_GIVEN;
  for (size_t i = 0; i < request->header_count; i++) /* RFC 9110 §5.3: several lines are one list */
    if (str_equal(request->headers[i].name, STR("accept-encoding"))) read_weights(request->headers[i].value, weights, &any);
  /* No coding is always acceptable, and the worst of what is where nothing is said of it. */
  Coding best = CODING_IDENTITY;
  int best_weight = weights[CODING_IDENTITY] > 0 ? weights[CODING_IDENTITY] : 1;
  for (Coding coding = CODING_IDENTITY + 1; coding < CODING_COUNT; coding++) {
    int weight = weights[coding] == WEIGHT_NOT_GIVEN ? any : weights[coding];
    if (weight < best_weight || (best != CODING_IDENTITY && weight == best_weight)) continue;
    best = coding;
    best_weight = weight;
  }
  return best;
}

static HttpHeader *find(HttpHeader *headers, size_t count, Str name) {
  for (size_t i = 0; i < count; i++)
    if (str_equal(headers[i].name, name)) return &headers[i];
  return NULL;
}

static bool is_compressible(Str type) {
  /* Their messages are compressed one by one. */
  if (str_starts_with(type, STR("application/grpc")) || str_starts_with(type, STR("application/connect+"))) return false;
  return str_equal(type, STR("application/proto")) || str_starts_with(type, STR("text/")) || str_contains(type, STR("json")) ||
         str_contains(type, STR("javascript")) || str_contains(type, STR("xml"));
}

/* "abc" → "abc-gzip", quotes included; as it is where memory is out, which only costs a cache its answer. */
static Str coded_tag(Str etag, Coding coding, Arena *arena) {
  if (etag.len < 2 || etag.ptr[etag.len - 1] != '"') return etag;
  Str made = arena_printf(arena, "%.*s-%.*s\"", (int)(etag.len - 1), etag.ptr, STR_ARGS(CONTENT_CODINGS[coding].name));
  return made.ptr == NULL ? etag : made;
}

/* RFC 9110 §15.4.5: a 304 carries the tag that its 200 would have had, which is the one that the client holds. */
static void name_held_tag(const HttpRequest *request, Arena *arena, HttpHeader *etag) {
  Str held = http_request_header(request, STR("if-none-match"));
  for (Coding coding = CODING_IDENTITY + 1; coding < CODING_COUNT; coding++) {
    Str tag = coded_tag(etag->value, coding, arena);
    if (!str_contains(held, tag)) continue;
    etag->value = tag;
    return;
  }
}

static Compressor *compressor_of(Coding coding) { return CONTENT_CODINGS[coding].compressor_create(CONTENT_CODINGS[coding].level); }

static bool compress(Coding coding, Str body, Arena *arena, Str *ret) {
  Buf out = buf_on(arena, body.len - 1);
  Code code = compress_whole(compressor_of(coding), body, &out, NULL);
  if (code == CODE_OK) *ret = buf_str(&out);
  return code == CODE_OK;
}

static const HttpHeader vary = {STR_INIT("vary"), STR_INIT("Accept-Encoding")};

/* Events are small and each is to arrive by itself: coding them would save little and hold up some. */
static bool is_coded_as_stream(Str type) { return is_compressible(type) && !str_starts_with(type, STR("text/event-stream")); }

size_t compress_stream(uint64_t bytes_min, HttpExchange *exchange, HttpHeader *headers, size_t count) {
  const HttpHeader *type = find(headers, count, STR("content-type"));
  bool is_coded = bytes_min > 0 && type != NULL && is_coded_as_stream(type->value) && !exchange->is_message;
  if (!is_coded || find(headers, count, STR("content-encoding")) != NULL) return count;
  headers[count++] = vary;
  Coding coding = compress_choose(&exchange->request);
  if (coding == CODING_IDENTITY) return count;
  Compressor *compressor = compressor_of(coding);
  if (compressor == NULL || !coded_stream_open(exchange, compressor)) return count;
  headers[count++] = (HttpHeader){STR("content-encoding"), CONTENT_CODINGS[coding].name};
  return count;
}

size_t compress_answer(uint64_t bytes_min, const HttpRequest *request, Arena *arena, HttpResponse *response, HttpHeader *headers,
                       size_t count) {
  bool is_not_modified = response->status == 304;
  if (bytes_min == 0 || (response->body.len < bytes_min && !is_not_modified)) return count;
  HttpHeader *etag = find(headers, count, STR("etag"));
  if (is_not_modified) {
    if (etag != NULL) name_held_tag(request, arena, etag);
    headers[count++] = vary;
    return count;
  }
  const HttpHeader *type = find(headers, count, STR("content-type"));
  if (type == NULL || !is_compressible(type->value) || find(headers, count, STR("content-encoding")) != NULL) return count;
  headers[count++] = vary;
  Coding coding = compress_choose(request);
  if (coding == CODING_IDENTITY || !compress(coding, response->body, arena, &response->body)) return count;
  headers[count++] = (HttpHeader){STR("content-encoding"), CONTENT_CODINGS[coding].name};
  if (etag != NULL) etag->value = coded_tag(etag->value, coding, arena);
  return count;
}
