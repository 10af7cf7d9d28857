/* sdl.h - the syntax tree of GraphQL's type system language (October 2021, §3), and its parser. It says what was written, not what it
 * means: contract/check.h gives the meaning. Texts borrow from the sources or live on the parser's arena. */
#pragma once
#include "base/arena.h"
#include "contract/lexer.h"

typedef enum SdlValueKind { SDL_NULL = 0, SDL_INT, SDL_FLOAT, SDL_STRING, SDL_BOOLEAN, SDL_ENUM, SDL_LIST, SDL_OBJECT } SdlValueKind;

typedef struct SdlValue SdlValue;
typedef struct SdlArgument SdlArgument;

struct SdlValue {
  SdlValueKind kind;
  Span span;
  Str text; /* a number or name as written; a string decoded; "true" or "false" */
  union {
    const SdlValue *items;      /* LIST */
    const SdlArgument *members; /* OBJECT */
  };
  size_t count;
};

/* An argument of a directive, or a member of an object value. */
struct SdlArgument {
  Str name;
  Span span;
  SdlValue value;
};

typedef struct SdlDirective {
  Str name;  /* without the @ */
  Span span; /* with it */
  const SdlArgument *arguments;
  size_t argument_count;
} SdlDirective;

typedef struct SdlDirectives {
  const SdlDirective *items;
  size_t count;
} SdlDirectives;

typedef struct SdlTypeRef {
  Str name;
  Span span;             /* the name's */
  uint32_t list_depth;   /* 0: not a list */
  bool is_required;      /* the outermost ! */
  bool is_item_required; /* the innermost !, when it is a list */
} SdlTypeRef;

typedef struct SdlField SdlField;
/* A field, an enum's value (no type), or a directive definition's argument. */
struct SdlField {
  Str name;
  Span span;
  Str description;
  SdlTypeRef type;
  SdlDirectives directives;
  Span arguments; /* source NULL: the field takes none */
  bool has_default;
};

typedef enum SdlKind {
  SDL_TYPE,
  SDL_ENUM_TYPE,
  SDL_INPUT,
  SDL_INTERFACE,
  SDL_UNION,
  SDL_SCALAR,
  SDL_SCHEMA,
  SDL_DIRECTIVE_DEFINITION
} SdlKind;

typedef struct SdlDefinition {
  SdlKind kind;
  bool is_extension;
  bool is_broken; /* something in it could not be read */
  Str name;       /* empty for a schema */
  Span span;      /* the name's; a schema's keyword */
  Str description;
  SdlDirectives directives;
  Span implements;        /* the first interface; source NULL: none */
  Span operations;        /* a schema's { … }; source NULL: none */
  const SdlField *fields; /* an enum's values, a directive definition's arguments */
  size_t field_count;
  bool is_repeatable;   /* a directive definition */
  const Str *locations; /* a directive definition's */
  size_t location_count;
} SdlDefinition;

typedef struct SdlDocument {
  SdlDefinition *items;
  size_t count;
  size_t cap;
  bool is_broken;
  bool has_lost_names; /* so that definitions may be missing: one's name, or the text around it, could not be read */
} SdlDocument;

/* Adds the source's definitions to *document; what can't be read is reported and skipped up to the next definition or field.
 * The tree is made on `arena`, decoded strings on `texts`. Only CODE_UNAVAILABLE (memory) fails. */
Code sdl_parse(const Source *source, Arena *arena, Arena *texts, Report *report, SdlDocument *document, Error *err);

const SdlDirective *sdl_directive(SdlDirectives directives, Str name);
const SdlArgument *sdl_argument(const SdlDirective *directive, Str name);
