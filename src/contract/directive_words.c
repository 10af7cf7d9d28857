/* directive_words.c - see directive_words.h. */
#include "contract/directive_words.h"

#include "contract/directive.h"

void directives_describe(const Field *field, Buf *out) {
  for (const DirectiveData *of = field->directives; of != NULL; of = of->next) {
    if (of->directive->describe != NULL) of->directive->describe(field, of->data, out);
  }
}

void directives_write_schema(const Field *field, JsonOut *out) {
  for (const DirectiveData *of = field->directives; of != NULL; of = of->next) {
    if (of->directive->write_schema != NULL) of->directive->write_schema(field, of->data, out);
  }
}

bool directives_are_plain(const Field *field) {
  for (const DirectiveData *of = field->directives; of != NULL; of = of->next) {
    if (of->directive->describe != NULL || of->directive->write_schema != NULL) return false;
  }
  return true;
}

void directives_write_subgraph(const DirectiveData *directives, Buf *out) {
  for (const DirectiveData *of = directives; of != NULL; of = of->next) {
    if (of->directive->write_subgraph != NULL) of->directive->write_subgraph(of->data, out);
  }
}
