/* problem_page.h - what a problem's `type` leads to: the same explanation as a page for a person and as JSON. Pure; any thread. */
#pragma once
#include "api/error_map.h"
#include "base/buf.h"

/* `form` NULL: the list of all. */
void problem_page_html(const ErrorForm *form, Buf *out);
void problem_page_json(const ErrorForm *form, Buf *out);
