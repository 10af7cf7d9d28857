/* plural.h - English plurals and the spellings of names: OrderLine, orderLine, order_line, order-lines. Everything lives on the arena; ptr
 * is NULL when memory is out. Names are ASCII; other bytes are kept as they are. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* Of the name's last word, in its own case: OrderLine → OrderLines, Category → Categories, salesPerson → salesPeople, URL → URLs. */
Str name_plural(Str name, Arena *arena);
/* The way back, as well as English allows: categories → category, addresses → address, status → status. */
Str name_singular(Str name, Arena *arena);

/* Words end at a change from lower case or a digit to upper case, before the last capital of an acronym (URLItem → url, item), and at
 * anything that is no letter or digit. */
Str name_snake(Str name, Arena *arena);  /* url_item */
Str name_kebab(Str name, Arena *arena);  /* url-item */
Str name_camel(Str name, Arena *arena);  /* urlItem */
Str name_pascal(Str name, Arena *arena); /* UrlItem */
