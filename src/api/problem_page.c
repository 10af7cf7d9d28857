/* problem_page.c - every Code explained: what it means, what to do, what it looks like. One table, two forms. */
#include "api/problem_page.h"

#include "codec/json_out.h"
#include "query/problem.h"

typedef struct Explanation {
  Str meaning;
  Str advice;
  Str detail; /* of the example */
  Str more;   /* further members of the example, as JSON behind a comma; len 0: none */
} Explanation;

static const Explanation explanations[CODE_COUNT] = {
    [CODE_BAD_REQUEST] = {STR_INIT("The request's syntax, its path's key or one of its parameters can't be read: JSON that is malformed, a "
                                   "parameter or a field that does not exist, a filter with a mistake, a cursor that is not one."),
                          STR_INIT(
                              "Read the detail, which names what is wrong and where, and the hint, which often names what was meant. The "
                              "same request will fail again until it is changed."),
                          STR_INIT("There is no field or parameter \"titel\""), STR_INIT(",\"hint\":\"did you mean title?\"")},
    [CODE_UNAUTHENTICATED] = {STR_INIT(
                                  "The request carries no token and what it asks for needs one; or the token is expired, not yet valid, "
                                  "meant for another service, or signed with another key."),
                              STR_INIT(
                                  "Send a good token in the header Authorization: Bearer TOKEN. The answer's WWW-Authenticate header says "
                                  "what was wrong with the one that was sent."),
                              STR_INIT("The token has expired"), STR_INIT("")},
    [CODE_FORBIDDEN] =
        {STR_INIT("The token is good, but an access rule of the contract does not let its owner do this. Which rule it was stands "
                  "in rule, as type and action."),
         STR_INIT("Ask with a token that has what the rule wants, such as another role. Asking again with the same one changes "
                  "nothing, unless the row or the contract changes."),
         STR_INIT("You may not update this"), STR_INIT(",\"rule\":\"Product.update\"")},
    [CODE_NOT_FOUND] =
        {STR_INIT("There is nothing at this path, or there is a row that the caller may not see: the two are told in the same way, "
                  "so that nobody learns what is hidden."),
         STR_INIT("Look at the path and the key. If the row should be there, try a token that may see it."),
         STR_INIT("There is no such resource"), STR_INIT("")},
    [CODE_METHOD_NOT_ALLOWED] = {STR_INIT(
                                     "The path exists, but not with this method: a list can't be deleted, a table without a key can't be "
                                     "written to."),
                                 STR_INIT("The answer's Allow header lists the methods that the path has."),
                                 STR_INIT("This resource does not have the method PUT"), STR_INIT("")},
    [CODE_NOT_ACCEPTABLE] = {STR_INIT("The Accept header asks for media types of which none is served here."),
                             STR_INIT("Ask for application/json, or leave the header away."),
                             STR_INIT("None of the media types in Accept is served"), STR_INIT("")},
    [CODE_CONFLICT] = {STR_INIT(
                           "The write does not agree with what is stored: a value that must be unique is taken, other rows still refer to "
                           "what would be deleted, or somebody else changed the same at the same time."),
                       STR_INIT(
                           "Where errors has NOT_UNIQUE, choose another value for the field at its pointer. Where rows still refer to it, "
                           "delete or change those first. Where it was a concurrent change, read the row again and repeat the write."),
                       STR_INIT("sku is not unique"),
                       STR_INIT(",\"errors\":[{\"pointer\":\"/sku\",\"code\":\"NOT_UNIQUE\",\"detail\":\"is taken already\"}]")},
    [CODE_PRECONDITION_FAILED] =
        {STR_INIT("If-Match or If-None-Match asked for a state that the resource is not in: most often somebody else "
                  "changed it since it was read."),
         STR_INIT("Read the resource again, decide whether the change still makes sense, and repeat it with the new ETag."),
         STR_INIT("The resource has another entity tag"), STR_INIT("")},
    [CODE_PRECONDITION_REQUIRED] = {STR_INIT(
                                        "This server takes changes only together with the state that they are made for, so that nobody "
                                        "overwrites what they have not seen."),
                                    STR_INIT("Read the resource and send its ETag in If-Match."), STR_INIT("If-Match is needed here"),
                                    STR_INIT("")},
    [CODE_TOO_LARGE] =
        {STR_INIT("A limit of the server is exceeded: the body (413), the address (414), the headers (431), or the answer that "
                  "would have to be given."),
         STR_INIT("Send less, or ask for less: smaller pages, fewer fields, fewer operations in one batch. Who runs the server can "
                  "raise the limit by its option."),
         STR_INIT("The body is longer than 1048576 bytes (--body-max)"), STR_INIT("")},
    [CODE_UNSUPPORTED_MEDIA_TYPE] =
        {STR_INIT("The body's Content-Type is missing, or not one that is understood at this path."),
         STR_INIT("Send application/json; for PATCH also application/merge-patch+json or application/json-patch+json."),
         STR_INIT("text/plain is not understood here"), STR_INIT("")},
    [CODE_VALIDATION_FAILED] =
        {STR_INIT("The body is well-formed, but what it says is not valid. Every mistake is in errors at once: pointer says "
                  "where in the body, code what kind of mistake it is, detail what is wanted."),
         STR_INIT("Mend what errors lists; the codes are explained below."), STR_INIT("2 fields are not valid"),
         STR_INIT(",\"errors\":[{\"pointer\":\"/price\",\"code\":\"RANGE\",\"detail\":\"must be at least 0\"},"
                  "{\"pointer\":\"/name\",\"code\":\"REQUIRED\",\"detail\":\"a value is needed\"}]")},
    [CODE_RATE_LIMITED] = {STR_INIT("More requests have come than are allowed in this time."),
                           STR_INIT("Wait as many seconds as the answer's Retry-After header says, then go on more slowly."),
                           STR_INIT("Too many requests"), STR_INIT("")},
    [CODE_TIMEOUT] = {STR_INIT(
                          "The request took longer than the server lets one take: it came too slowly (408), or its statement ran too long "
                          "(503). Nothing was changed."),
                      STR_INIT(
                          "Ask for less at once, or narrow the filter to fields that have an index. It may also help to come again later."),
                      STR_INIT("The statement took longer than 5 s"), STR_INIT("")},
    [CODE_UNAVAILABLE] =
        {STR_INIT("The server can't do this at the moment: it is overloaded, it is being stopped, its database can't be reached, "
                  "or its disk is full."),
         STR_INIT("Come again after as many seconds as the answer's Retry-After header says. If it stays, tell whoever runs the "
                  "server; /readyz says which part is missing."),
         STR_INIT("Too many requests are under way"), STR_INIT("")},
    [CODE_INTERNAL] = {STR_INIT("The server failed in a way that it should not. It is not the request's fault."),
                       STR_INIT("Tell whoever runs the server the requestId: it stands beside the reason in the server's log."),
                       STR_INIT("The server failed"), STR_INIT("")},
};

static const Str mistake_meanings[MISTAKE_COUNT] = {
    [MISTAKE_REQUIRED] = STR_INIT("A value is needed, and it is missing or null."),
    [MISTAKE_TYPE] =
        STR_INIT("The value is of another type, or not of the form that its type has: a malformed date, e-mail address or UUID, 1.5 "
                 "for an integer."),
    [MISTAKE_RANGE] = STR_INIT("The number or time is too small or too large, or has more digits than fit."),
    [MISTAKE_LENGTH] = STR_INIT("The text, the list or the bytes are too short or too long."),
    [MISTAKE_PATTERN] = STR_INIT("The text does not match the field's pattern."),
    [MISTAKE_ENUM] = STR_INIT("The value is none of those that the field can have."),
    [MISTAKE_UNKNOWN_FIELD] = STR_INIT("There is no such field."),
    [MISTAKE_READ_ONLY] = STR_INIT("Only the server sets this field."),
    [MISTAKE_IMMUTABLE] = STR_INIT("The field is set on create and not changed afterwards."),
    [MISTAKE_NOT_UNIQUE] = STR_INIT("Another row has this value already."),
    [MISTAKE_REFERENCE] = STR_INIT("It refers to a row that does not exist, or that the caller may not see."),
    [MISTAKE_CHECK] = STR_INIT("The row as a whole breaks a rule of its type; detail tells which."),
};

static const Explanation *explanation_of(const ErrorForm *form) {
  for (int code = CODE_BAD_REQUEST; code < CODE_COUNT; code++) {
    if (error_form((Code)code) == form) return &explanations[code];
  }
  return &explanations[CODE_INTERNAL];
}

static void write_example(const ErrorForm *form, const Explanation *explanation, Buf *out) {
  JsonOut json = {.buf = out};
  json_out_open(&json, '{');
  json_out_member_text(&json, STR("type"), form->type);
  json_out_member_text(&json, STR("title"), form->title);
  json_out_member_int(&json, STR("status"), form->http_status);
  json_out_member_text(&json, STR("code"), form->name);
  json_out_member_text(&json, STR("detail"), explanation->detail);
  buf_add(out, explanation->more);
  json_out_member_text(&json, STR("requestId"), STR("01890a5d-ac96-774b-bcce-b302099a8057"));
  json_out_close(&json, '}');
}

/* ---- For a person ---- */

static void add_html(Buf *out, Str text) {
  for (size_t i = 0; i < text.len; i++) {
    switch (text.ptr[i]) {
      case '&': buf_add(out, STR("&amp;")); break;
      case '<': buf_add(out, STR("&lt;")); break;
      case '>': buf_add(out, STR("&gt;")); break;
      case '"': buf_add(out, STR("&quot;")); break;
      default: buf_add_byte(out, text.ptr[i]);
    }
  }
}

static void add_element(Buf *out, const char *tag, Str text) {
  buf_printf(out, "<%s>", tag);
  add_html(out, text);
  buf_printf(out, "</%s>\n", tag);
}

/* `up` leads from the page to the server's root. */
static void open_page(Buf *out, Str title, const char *up) {
  buf_add(out, STR("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light "
                   "dark\">\n"));
  add_element(out, "title", title);
  buf_printf(out,
             "<link rel=\"icon\" href=\"%sdocs/icon.svg\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"%sdocs/caisson.css\">\n"
             "<script src=\"%sdocs/theme.js\"></script>\n</head>\n<body>\n<header class=\"bar\"><a class=\"bar-name\" href=\"%sdocs\">API "
             "reference</a><nav><a href=\"%sproblems\">Problems</a><button type=\"button\" id=\"theme\">Theme</button></nav></header>\n"
             "<main class=\"problem\">\n",
             up, up, up, up, up);
}

static void close_page(Buf *out) { buf_add(out, STR("</main>\n</body>\n</html>\n")); }

/* One member a line. */
static void add_example_html(Buf *out, const ErrorForm *form, const Explanation *explanation) {
  Buf text = buf_on_heap(8192);
  write_example(form, explanation, &text);
  if (text.failed != CODE_OK) out->failed = text.failed;
  Str json = buf_str(&text);
  buf_add(out, STR("<pre><code>"));
  bool is_quoted = false;
  int depth = 0;
  for (size_t i = 0; i < json.len; i++) {
    char byte = json.ptr[i];
    if (byte == '"' && json.ptr[i == 0 ? 0 : i - 1] != '\\') is_quoted = !is_quoted;
    if (!is_quoted) depth += (byte == '{' || byte == '[') - (byte == '}' || byte == ']');
    if (depth == 0) buf_add_byte(out, '\n');
    add_html(out, (Str){&byte, 1});
    if (!is_quoted && byte == ':') buf_add_byte(out, ' ');
    bool is_line_end = !is_quoted && depth == 1 && (byte == ',' || byte == '{');
    if (is_line_end) buf_add(out, STR("\n  "));
    if (!is_quoted && depth > 2 && byte == ',') buf_add_byte(out, ' ');
    if (!is_quoted && depth == 2 && byte == ',') buf_add(out, STR("\n             "));
  }
  buf_add(out, STR("\n</code></pre>\n"));
  buf_done(&text);
}

static void list_html(Buf *out) {
  open_page(out, STR("Problems"), "");
  buf_add(
      out,
      STR("<h1>Problems</h1>\n<p>Whatever is refused is answered with a problem document (RFC 9457): <code>application/problem+json</code> "
          "with a <code>code</code> to decide by. These are the codes.</p>\n<dl>\n"));
  for (int code = CODE_BAD_REQUEST; code < CODE_COUNT; code++) {
    const ErrorForm *form = error_form((Code)code);
    buf_printf(out, "<dt><a href=\"%.*s\">", (int)form->type.len - 1, form->type.ptr + 1);
    add_html(out, form->name);
    buf_printf(out, "</a> · %d</dt>\n<dd>", form->http_status);
    add_html(out, form->title);
    buf_add(out, STR(".</dd>\n"));
  }
  buf_add(out, STR("</dl>\n"));
  close_page(out);
}

void problem_page_html(const ErrorForm *form, Buf *out) {
  if (form == NULL) {
    list_html(out);
    return;
  }
  const Explanation *explanation = explanation_of(form);
  open_page(out, form->title, "../");
  buf_printf(out, "<p class=\"status\">%d · <code>%.*s</code></p>\n", form->http_status, STR_ARGS(form->name));
  add_element(out, "h1", form->title);
  add_element(out, "h2", STR("What it means"));
  add_element(out, "p", explanation->meaning);
  add_element(out, "h2", STR("What to do"));
  add_element(out, "p", explanation->advice);
  if (form == error_form(CODE_VALIDATION_FAILED)) {
    add_element(out, "h2", STR("Codes in errors"));
    buf_add(out, STR("<dl>\n"));
    for (int code = 0; code < MISTAKE_COUNT; code++) {
      buf_printf(out, "<dt><code>%.*s</code></dt>\n", STR_ARGS(mistake_code_name((MistakeCode)code)));
      add_element(out, "dd", mistake_meanings[code]);
    }
    buf_add(out, STR("</dl>\n"));
  }
  add_element(out, "h2", STR("An example"));
  add_example_html(out, form, explanation);
  close_page(out);
}

/* ---- For a program ---- */

static void write_form(JsonOut *json, const ErrorForm *form) {
  const Explanation *explanation = explanation_of(form);
  json_out_open(json, '{');
  json_out_member_text(json, STR("type"), form->type);
  json_out_member_text(json, STR("title"), form->title);
  json_out_member_int(json, STR("status"), form->http_status);
  json_out_member_text(json, STR("code"), form->name);
  json_out_member_text(json, STR("meaning"), explanation->meaning);
  json_out_member_text(json, STR("advice"), explanation->advice);
  json_out_key(json, STR("example"));
  write_example(form, explanation, json->buf);
  json->needs_comma = true;
  json_out_close(json, '}');
}

void problem_page_json(const ErrorForm *form, Buf *out) {
  JsonOut json = {.buf = out};
  if (form != NULL) {
    write_form(&json, form);
    return;
  }
  json_out_open(&json, '{');
  json_out_member_open(&json, STR("items"), '[');
  for (int code = CODE_BAD_REQUEST; code < CODE_COUNT; code++) write_form(&json, error_form((Code)code));
  json_out_close(&json, ']');
  json_out_close(&json, '}');
}
