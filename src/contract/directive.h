/* directive.h - a directive whose whole meaning stands in one file, directive_NAME.c: its definition, how it is read into the model, which
 * values it refuses, how it is told to clients, whom a change of it breaks. What the rest of the program asks is asked of the table, so
 * that adding one is that file and one name in this folder's meson.build.
 *
 * A directive keeps what it has read as data of its own on the field or type (`ret_data`), or, where other modules go by it, in members of
 * the model. A directive that changes what the engine or a face does can't be told here: it is defined in prelude.c, read by a pass of its
 * own, and acted on where it has its effect. */
#pragma once
#include "codec/json_out.h"
#include "contract/check.h"
#include "contract/diff_impl.h"
#include "contract/input_scalar.h"

#define DIRECTIVE_TYPE(type) (1u << (type))

struct Directive {
  Str name;
  Str definition; /* in SDL, with a newline at its end: a part of the prelude */
  /* On which fields it makes sense, besides `is_on_lists`: on those of these types, and on lists of them. */
  uint32_t types;
  bool is_on_lists; /* on a list of whatever */
  bool is_anywhere; /* on every field, relations too */
  /* What stands at a field, whose type is fit; reports what is wrong. *ret_data NULL: nothing is to be kept of it. NULL: it stands on no
   * field. */
  Code (*read_field)(Checker *checker, const CheckedField *checked, const SdlDirective *sdl, const void **ret_data, Error *err);
  Code (*read_type)(Checker *checker, const CheckedType *checked, const SdlDirective *sdl, const void **ret_data, Error *err);
  /* A relation's key field holds what `origin`, the other side's key, holds: it takes over what is asked of that. NULL: it need not. */
  void (*inherit)(Field *key, const Field *origin);
  /* Of one scalar (an item, where the field is a list) that is to be written: hands on what it breaks. NULL: nothing can. */
  Code (*check)(const Field *field, const void *data, const Value *value, Arena *arena, Error *err, InputFaultFn *broken, void *context);
  /* Sentences for people who read the API's description, each with a space before it. NULL: the faces tell it by the model's members. */
  void (*describe)(const Field *field, const void *data, Buf *out);
  /* The keywords of JSON Schema that say it, as members. NULL: there are none, or likewise. */
  void (*write_schema)(const Field *field, const void *data, JsonOut *out);
  /* What a subgraph's schema says of it, with a space before it. NULL: nothing. */
  void (*write_subgraph)(const void *data, Buf *out);
  /* What a change breaks; both fields are of one type. NULL: nobody. */
  void (*compare)(Differ *differ, const Field *old, const Field *new, Str subject, DiffPlaces places);
};

/* directive_length.c: @length of what has `length` `unit`s ("character", "item", "byte"). */
Code directive_length_check(const Field *field, size_t length, const char *unit, Arena *arena, Error *err, InputFaultFn *broken,
                            void *context);
