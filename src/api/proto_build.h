/* proto_build.h - what the files that make a ProtoSchema share; not for others. Types are named while they are made, so that one can refer
 * to another that comes later, and resolved at the end. Lacking memory is sticky. */
#pragma once
#include "api/proto_lock.h"
#include "api/proto_schema.h"
#include "base/vec.h"

typedef struct ProtoFieldDraft {
  ProtoField field;
  Str type_name; /* of a message or an enum, in full; len 0: a scalar */
} ProtoFieldDraft;

typedef struct ProtoMessageDraft {
  ProtoMessage message; /* first: a ProtoMessage * is its draft */
  VEC(ProtoFieldDraft) fields;
  VEC(Str) oneofs;
  VEC(const ProtoMessage *) messages;
  VEC(const ProtoEnum *) enums;
  Map names; /* taken ones, without case and underscores */
  uint32_t next_number;
} ProtoMessageDraft;

typedef struct ProtoEnumDraft {
  ProtoEnum type; /* first */
  VEC(ProtoEnumValue) values;
  uint32_t next_number;
} ProtoEnumDraft;

typedef struct ProtoMethodDraft {
  ProtoMethod method;
  Str request, response; /* full names */
} ProtoMethodDraft;

typedef struct ProtoServiceDraft {
  ProtoService service; /* first */
  VEC(ProtoMethodDraft) methods;
} ProtoServiceDraft;

typedef struct ProtoFileDraft {
  ProtoFile file; /* first */
  VEC(const ProtoFile *) imports;
  VEC(const ProtoService *) services;
  VEC(const ProtoMessage *) messages;
  VEC(const ProtoEnum *) enums;
  VEC(ProtoFileOption) options;
} ProtoFileDraft;

typedef struct ProtoBuilder {
  Arena *arena;
  const Contract *contract;
  const ProtoLock *lock; /* NULL: none */
  ProtoSchema *schema;
  VEC(const ProtoFile *) files;
  VEC(const ProtoMessage *) all; /* every message, nested ones too */
  ProtoFileDraft *own;           /* the contract's file */
  Str *row_names;                /* by Resource.index: row messages' names */
  Str *embedded_names;           /* as contract->embeddeds */
  Str *enum_names;               /* as contract->enums */
  Map symbols, values;           /* names of the own file's types and services, and of its enums' values, that are taken */
  bool has_unlocked;             /* a number was given that the lock does not have */
  bool has_no_memory;            /* sticky */
  Code failed;                   /* sticky: what the lock refuses; err says it */
  Error *err;
  ProtoField no_field; /* given out when memory is out */
  ProtoMethod no_method;
} ProtoBuilder;

/* printf into the schema's arena; "" where memory is out. */
#define proto_text_of(builder, ...) proto_kept((builder), arena_printf((builder)->arena, __VA_ARGS__))
/* `made`, or "" where it is no string because memory is out. */
Str proto_kept(ProtoBuilder *builder, Str made);

/* ---- proto_build.c ---- */

/* Each returns an object, some spare one where memory is out. */
ProtoFileDraft *proto_build_file(ProtoBuilder *builder, Str name, Str package);
void proto_build_option(ProtoBuilder *builder, ProtoFileDraft *file, uint32_t number, Str text);
/* `parent` NULL: at the file's top. */
ProtoMessageDraft *proto_build_message(ProtoBuilder *builder, ProtoFileDraft *file, ProtoMessageDraft *parent, Str name);
ProtoEnumDraft *proto_build_enum(ProtoBuilder *builder, ProtoFileDraft *file, ProtoMessageDraft *parent, Str name);
void proto_build_value(ProtoBuilder *builder, ProtoEnumDraft *type, ProtoEnumValue value);
/* `type` as a .proto has it: "string", "optional int64", "repeated shop.v1.Product", "map google.protobuf.Value" (of string keys); messages
 * and enums by their full names. A number of 0 is the next one. The last of a field's kind is valid until the next is added. */
ProtoField *proto_build_field(ProtoBuilder *builder, ProtoMessageDraft *message, Str type, Str name, uint32_t number);
/* In JSON the field has the contract's name. One that begins with "_" keeps what protoc makes of it: a `_name` is the oneof of an optional
 * `name`. */
void proto_build_json_name(ProtoField *field, Str name);
int proto_build_oneof(ProtoBuilder *builder, ProtoMessageDraft *message, Str name);
ProtoServiceDraft *proto_build_service(ProtoBuilder *builder, ProtoFileDraft *file, Str name);
ProtoMethod *proto_build_method(ProtoBuilder *builder, ProtoServiceDraft *service, Str name, Str request, Str response);
/* Resolves every name and fills the schema. */
Code proto_build_finish(ProtoBuilder *builder, Error *err);

/* ---- proto_names.c ---- */

Str proto_type_name(ProtoBuilder *builder, Str name);  /* Product, as a message is named */
Str proto_json_name(ProtoBuilder *builder, Str name);  /* what protoc makes of created_at */
Str proto_upper_name(ProtoBuilder *builder, Str name); /* IN_PROGRESS */
/* `name` in snake case, or with a number behind it where the message has such a one. */
Str proto_member_name(ProtoBuilder *builder, ProtoMessageDraft *message, Str name);
/* `name`, or where it is taken, `fallback`, or that with a number behind it; which is taken then. */
Str proto_symbol(ProtoBuilder *builder, Map *taken, Str name, Str fallback);
Str proto_full_name(ProtoBuilder *builder, Str name); /* in the contract's package */

/* ---- proto_wellknown.c, proto_rows.c, proto_numbers.c, proto_service.c ---- */

void proto_build_wellknown(ProtoBuilder *builder);
void proto_build_protocols(ProtoBuilder *builder); /* health, reflection, errors */
void proto_build_rows(ProtoBuilder *builder);      /* enums, embedded types, rows */
void proto_build_services(ProtoBuilder *builder);
/* Its fields' numbers are the lock's: to be said before there are any. */
void proto_build_lock_message(ProtoBuilder *builder, ProtoMessageDraft *message);
/* A field of a locked message: its number is the lock's, or the next after all that the lock has. `renamed_from` is its former name in the
 * .proto; len 0: none. */
ProtoField *proto_build_locked(ProtoBuilder *builder, ProtoMessageDraft *message, Str type, Str name, Str renamed_from);
/* What the lock has and the contract no more is reserved. */
void proto_build_reserved(ProtoBuilder *builder, ProtoMessageDraft *message);
/* The same for an enum's value. */
void proto_build_locked_value(ProtoBuilder *builder, ProtoEnumDraft *type, ProtoEnumValue value);
void proto_build_reserved_values(ProtoBuilder *builder, ProtoEnumDraft *type);
/* A stored field's type: "google.protobuf.Timestamp", "repeated string". */
Str proto_stored_type(ProtoBuilder *builder, const Field *field);
