/* postgres_regex.h - a regular expression in PostgreSQL's words: the advanced ones of its manual, §9.7.3. For the operator ~ under the
 * collation "C", whose letters are those of \b. */
#pragma once
#include "base/buf.h"
#include "contract/regex_syntax.h"

void postgres_regex_write(Buf *out, const RegexNode *node);
