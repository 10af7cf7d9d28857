/* directive_words.h - how the directives of directive.h are told to clients, beside what a face tells by the model's members. */
#pragma once
#include "codec/json_out.h"
#include "contract/model.h"

/* Sentences, each with a space before it. */
void directives_describe(const Field *field, Buf *out);
/* Members of a JSON Schema. */
void directives_write_schema(const Field *field, JsonOut *out);
/* True where nothing else is told, so that the model's members say which values are taken. */
bool directives_are_plain(const Field *field);
/* On a type: directive_data says whether. */
extern const Directive DIRECTIVE_INTERFACE_OBJECT, DIRECTIVE_SHAREABLE;
/* As a subgraph's schema has them, each with a space before it: of a field or a type. */
void directives_write_subgraph(const DirectiveData *directives, Buf *out);
