/* proto_schema.h - a contract as Protocol Buffers (INTERFACE §5): packages, services, methods, messages, fields with their numbers. One
 * table, for `caisson proto`, descriptors, reflection, and for reading and writing messages without generated code. Immutable once made;
 * any thread.
 *
 * Numbers come from the contract's lock where there is one, else they follow the contract's order. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "contract/model.h"

typedef struct ProtoMessage ProtoMessage;
typedef struct ProtoEnum ProtoEnum;
typedef struct ProtoFile ProtoFile;
typedef struct ProtoService ProtoService;
typedef struct ProtoLock ProtoLock; /* api/proto_lock.h */

/* FieldDescriptorProto.Type's numbers. */
typedef enum ProtoType {
  PROTO_DOUBLE = 1,
  PROTO_INT64 = 3,
  PROTO_INT32 = 5,
  PROTO_BOOL = 8,
  PROTO_STRING = 9,
  PROTO_MESSAGE = 11,
  PROTO_BYTES = 12,
  PROTO_ENUM = 14
} ProtoType;

/* Messages that ProtoJSON writes in a form of their own. */
typedef enum ProtoWellKnown {
  PROTO_ORDINARY = 0,
  PROTO_TIMESTAMP,
  PROTO_DURATION,
  PROTO_FIELD_MASK,
  PROTO_VALUE,
  PROTO_STRUCT,
  PROTO_LIST_VALUE,
  PROTO_ANY
} ProtoWellKnown;

enum { PROTO_NO_ONEOF = -1, PROTO_TAG_MAX = 5 };

typedef struct ProtoField {
  Str name;           /* created_at */
  Str json_name;      /* createdAt: the contract's name */
  bool has_json_name; /* json_name is not what the name would give, so that it is declared */
  uint32_t number;
  ProtoType type;
  const ProtoMessage *message; /* PROTO_MESSAGE: and of a map, its entry */
  const ProtoEnum *enum_type;  /* PROTO_ENUM */
  bool is_repeated;            /* maps too */
  bool is_map;                 /* message is the entry: key = 1, value = 2 */
  bool is_optional;            /* declared so: absent and zero differ */
  bool is_deprecated;
  bool is_input_only;  /* @hidden: never in an answer */
  bool is_output_only; /* a relation: set by its key fields */
  int oneof;           /* in the message's oneofs; PROTO_NO_ONEOF */
  Str description;     /* its comment */
  const Field *field;  /* of the contract; NULL: the protocol's own (`read_mask` …) */
} ProtoField;

struct ProtoMessage {
  Str name;      /* Product; AggregateProductsResponse.Group is Group */
  Str full_name; /* shop.v1.Product */
  Str description;
  const ProtoFile *file;
  const ProtoMessage *parent; /* NULL: at the file's top */
  ProtoWellKnown well_known;
  bool is_map_entry;
  bool is_deprecated;
  bool is_locked;           /* what it has is the contract's, and its numbers the lock's */
  const ProtoField *fields; /* as they are declared */
  size_t field_count;
  const ProtoField *const *by_number; /* field_count of them */
  const Str *oneofs;
  size_t oneof_count;
  const ProtoMessage *const *messages; /* nested */
  size_t message_count;
  const ProtoEnum *const *enums; /* nested */
  size_t enum_count;
  const uint32_t *reserved_numbers; /* in order */
  size_t reserved_number_count;
  const Str *reserved_names;
  size_t reserved_name_count;
  Map by_name;              /* Str → const ProtoField *: by name and by JSON name */
  const Resource *resource; /* a row's message */
  const Embedded *embedded;
};

typedef struct ProtoEnumValue {
  Str name; /* STATUS_OPEN */
  int32_t number;
  Str description;
  bool is_deprecated;
  const EnumValue *value; /* of the contract; NULL: the protocol's own (…_UNSPECIFIED) */
} ProtoEnumValue;

struct ProtoEnum {
  Str name;
  Str full_name;
  Str description;
  const ProtoFile *file;
  const ProtoMessage *parent;   /* NULL: at the file's top */
  const ProtoEnumValue *values; /* as they are declared; the first is 0 */
  size_t value_count;
  const uint32_t *reserved_numbers;
  size_t reserved_number_count;
  const Str *reserved_names;
  size_t reserved_name_count;
  const EnumType *source; /* NULL: the protocol's own */
};

typedef enum ProtoRole {
  PROTO_GET = 0,
  PROTO_LIST,
  PROTO_CREATE,
  PROTO_UPDATE,
  PROTO_DELETE,
  PROTO_BATCH_CREATE,
  PROTO_AGGREGATE,
  PROTO_WATCH,
  PROTO_EXPORT, /* a list of any length: server streaming */
  PROTO_IMPORT, /* rows as they come: client streaming */
  PROTO_SYNC,   /* writes up, results and changes down */
  PROTO_OWN     /* of health and reflection: known by its path */
} ProtoRole;

typedef struct ProtoMethod {
  Str name; /* GetProduct */
  Str path; /* /shop.v1.ProductService/GetProduct */
  Str description;
  ProtoRole role;
  const ProtoService *service;
  const ProtoMessage *request;
  const ProtoMessage *response;
  bool is_client_streaming;
  bool is_server_streaming;
  bool is_read;             /* without side effects: Connect may GET it, a client may send it twice */
  const Resource *resource; /* NULL: PROTO_OWN */
} ProtoMethod;

struct ProtoService {
  Str name;
  Str full_name; /* shop.v1.ProductService: what health and reflection name */
  Str description;
  const ProtoFile *file;
  bool is_deprecated;
  const ProtoMethod *methods;
  size_t method_count;
  const Resource *resource; /* NULL: health, reflection */
};

/* One .proto file. */
struct ProtoFile {
  Str name; /* shop/v1/shop.proto */
  Str package;
  const ProtoFile *const *imports; /* by name; only what is used */
  size_t import_count;
  const ProtoService *const *services;
  size_t service_count;
  const ProtoMessage *const *messages;
  size_t message_count;
  const ProtoEnum *const *enums;
  size_t enum_count;
  const struct ProtoFileOption *options;
  size_t option_count;
};

/* `option NAME = VALUE`, as FileOptions numbers them. */
typedef struct ProtoFileOption {
  uint32_t number;
  Str text; /* a string's value; ptr NULL: it is a bool that is true */
} ProtoFileOption;

/* What the messages of a resource are, by Resource.index. */
typedef struct ProtoResource {
  const Resource *resource;
  const ProtoService *service;
  const ProtoMessage *row;             /* Product */
  const ProtoField *const *row_fields; /* by Field.index; NULL: a hidden relation */
  struct Selection *whole;             /* every stored field that is not hidden; each item's `face` is its ProtoField */
  const ProtoMethod *const *methods;   /* by ProtoRole, up to PROTO_SYNC; NULL: not offered */
} ProtoResource;

typedef struct ProtoSchema {
  const Contract *contract;
  const ProtoFile *file;         /* the contract's */
  const ProtoFile *const *files; /* every file: the contract's, what it imports, health, reflection; a file after those it imports */
  size_t file_count;
  const ProtoResource *resources; /* by Resource.index */
  Map methods;                    /* path → const ProtoMethod * */
  Map messages;                   /* full name → const ProtoMessage * */
  Map enums;                      /* full name → const ProtoEnum * */
  Map services;                   /* full name → const ProtoService * */
  bool is_locked;                 /* every number stands in the lock */
} ProtoSchema;

/* `lock` NULL: numbers follow the contract's order. CODE_BAD_REQUEST where the contract asks of a locked number what it may not be: err
 * says what, and what to do. Both are borrowed. */
Code proto_schema_create(const Contract *contract, const ProtoLock *lock, Arena *arena, ProtoSchema **ret, Error *err);

/* NULL: none. */
static inline const ProtoMethod *proto_method(const ProtoSchema *schema, Str path) {
  return (const ProtoMethod *)map_get(&schema->methods, path);
}
static inline const ProtoMessage *proto_message(const ProtoSchema *schema, Str full_name) {
  return (const ProtoMessage *)map_get(&schema->messages, full_name);
}
/* By either name. */
static inline const ProtoField *proto_field(const ProtoMessage *message, Str name) {
  return (const ProtoField *)map_get(&message->by_name, name);
}
/* The first field of that type: a request's or an answer's row or rows. */
const ProtoField *proto_field_typed(const ProtoMessage *message, const ProtoMessage *type);
const ProtoField *proto_field_numbered(const ProtoMessage *message, uint32_t number);
const ProtoEnumValue *proto_enum_value(const ProtoEnum *type, Str name);
const ProtoEnumValue *proto_enum_numbered(const ProtoEnum *type, int32_t number);
