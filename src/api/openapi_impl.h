/* openapi_impl.h - what the generator's parts share; not for others. Paths are written first; what they refer to is noted and written
 * behind them, so that no component stands in the document that nothing uses. */
#pragma once
#include "api/openapi.h"
#include "base/map.h"
#include "base/vec.h"
#include "codec/json_out.h"

/* The schemas that a type may have. */
typedef enum SchemaKind {
  SCHEMA_RESOURCE = 0, /* Product: as it is answered */
  SCHEMA_CREATE,       /* ProductCreate */
  SCHEMA_REPLACE,      /* ProductReplace */
  SCHEMA_UPDATE,       /* ProductUpdate: a merge patch */
  SCHEMA_LIST,         /* ProductList */
  SCHEMA_NESTED_LIST,  /* ProductNestedList */
  SCHEMA_CREATED,      /* ProductCreated: one, an array of them, or how many of a stream */
  SCHEMA_CREATE_INPUT, /* ProductCreateInput: one or an array of them */
  SCHEMA_WHERE,        /* ProductWhere: a row by its key or a unique group */
  SCHEMA_LINK,         /* ProductLink: create, connect or disconnect */
  SCHEMA_AGGREGATE,    /* ProductAggregate: groups */
  SCHEMA_ENUM,
  SCHEMA_EMBEDDED,       /* Address */
  SCHEMA_EMBEDDED_INPUT, /* AddressInput */
  SCHEMA_LINKS,          /* of a to-many field, in a change: ProductReviewsLinks */
  SCHEMA_LINKS_NEW,      /* in a create: ProductReviewsNewLinks */
  SCHEMA_LINKS_CREATE,   /* its rows, without the relation to the parent: ProductReviewsCreate */
  SCHEMA_LINKS_INPUT,    /* one or an array of those */
  SCHEMA_FILTER,         /* a field type's conditions: DecimalFilter */
  SCHEMA_PROBLEM,        /* these have no subject */
  SCHEMA_JSON_PATCH,
  SCHEMA_BATCH_REQUEST,
  SCHEMA_BATCH_ANSWER,
  SCHEMA_IMPORTED,
  SCHEMA_HEALTH
} SchemaKind;

typedef struct SchemaNeed {
  SchemaKind kind;
  const void *subject; /* Resource, EnumType, Embedded or Field */
  Str name;
} SchemaNeed;

typedef enum OpenapiError {
  ERROR_400 = 1 << 0,
  ERROR_401 = 1 << 1,
  ERROR_403 = 1 << 2,
  ERROR_404 = 1 << 3,
  ERROR_405 = 1 << 4,
  ERROR_406 = 1 << 5,
  ERROR_408 = 1 << 6,
  ERROR_409 = 1 << 7,
  ERROR_412 = 1 << 8,
  ERROR_413 = 1 << 9,
  ERROR_414 = 1 << 10,
  ERROR_415 = 1 << 11,
  ERROR_422 = 1 << 12,
  ERROR_428 = 1 << 13,
  ERROR_429 = 1 << 14,
  ERROR_431 = 1 << 15,
  ERROR_500 = 1 << 16,
  ERROR_503 = 1 << 17,
  ERROR_411 = 1 << 18
} OpenapiError;

enum {
  ERRORS_ALWAYS =
      ERROR_400 | ERROR_401 | ERROR_403 | ERROR_404 | ERROR_406 | ERROR_408 | ERROR_414 | ERROR_429 | ERROR_431 | ERROR_500 | ERROR_503,
  ERRORS_READ = ERRORS_ALWAYS | ERROR_413,
  ERRORS_DELETE = ERRORS_ALWAYS | ERROR_409 | ERROR_412 | ERROR_422, /* 422: an Idempotency-Key that was another request's */
  ERRORS_CREATE = ERRORS_ALWAYS | ERROR_409 | ERROR_411 | ERROR_413 | ERROR_415 | ERROR_422,
  ERRORS_UPDATE = ERRORS_CREATE | ERROR_412
};

typedef enum SharedParameter {
  PARAMETER_FILTER = 1 << 0,
  PARAMETER_LIMIT = 1 << 1,
  PARAMETER_AFTER = 1 << 2,
  PARAMETER_BEFORE = 1 << 3,
  PARAMETER_COUNT = 1 << 4,
  PARAMETER_IF_MATCH = 1 << 5,
  PARAMETER_IF_NONE_MATCH = 1 << 6,
  PARAMETER_PREFER = 1 << 7,
  PARAMETER_IDEMPOTENCY_KEY = 1 << 8,
  PARAMETER_HAVING = 1 << 9,
  PARAMETER_Q = 1 << 10,
  PARAMETER_DISTINCT = 1 << 11,
  PARAMETER_GROUP_LIMIT = 1 << 12,
  PARAMETER_POSITION = 1 << 13,
  PARAMETER_LAST_EVENT_ID = 1 << 14
} SharedParameter;

/* The refusals of an operation as they are written: few sets of them, and many operations. */
typedef struct ErrorsText {
  unsigned errors;
  Str json;
} ErrorsText;
enum { ERRORS_TEXTS_MAX = 16 };

typedef struct Openapi {
  const Contract *contract;
  const OpenapiOptions *options;
  Arena *arena;
  JsonOut json;
  Map needed;                      /* component name → SchemaNeed */
  VEC(const SchemaNeed *) schemas; /* in the order in which they were asked for */
  bool *has_filters;               /* by Resource.index: some list has its conditions as parameters */
  bool *has_fields;                /* by Resource.index: some operation has its `fields` */
  bool *has_aggregate;             /* by Resource.index: its groups can be asked for */
  ErrorsText errors_texts[ERRORS_TEXTS_MAX];
  size_t errors_text_count;
  unsigned errors;     /* OpenapiError bits that some operation refers to */
  unsigned parameters; /* SharedParameter bits, likewise */
  bool is_input;       /* what is being written is a body's, not an answer's */
  bool has_failed;     /* memory is out */
} Openapi;

/* openapi.c */
Str openapi_text(Openapi *api, const char *format, ...) PRINTF_LIKE(2, 3);
/* The two as one; most of a document is names, which formatting would take longer for than all else. */
Str openapi_join(Openapi *api, Str a, Str b);
/* {"$ref": "#/components/COMPONENTS/NAME.PART"}; GraphQL names and dots: nothing to escape. `part` with len 0: none. */
void openapi_write_ref(Openapi *api, Str components, Str name, Str part);
/* Notes the schema, so that it stands in the document; its name. */
Str openapi_need(Openapi *api, SchemaKind kind, const void *subject);
/* The same, and writes {"$ref": …} to it. */
void openapi_ref(Openapi *api, SchemaKind kind, const void *subject);
/* "product" → "Product". */
Str openapi_capital(Openapi *api, Str name);

/* openapi_schema.c */
void openapi_write_schema(Openapi *api, const SchemaNeed *need);
/* A field's value by itself: its type and constraints, as a whole schema. */
void openapi_field_schema(Openapi *api, const Field *field, bool is_nullable);
/* The same without the field's own constraints: what is computed of values need not keep them. */
void openapi_plain_schema(Openapi *api, const Field *field, bool is_nullable);
/* The members of a scalar's schema without braces: for parameters and filters. */
void openapi_scalar_members(Openapi *api, const Field *field, bool is_nullable);
/* True where a client may set the field in such a body. */
bool openapi_is_settable(const Field *field, SchemaKind kind);
/* A name for the type's conditions. */
Str openapi_filter_name(const Field *field);
/* "`eq`, `ne` …", in words. */
Str openapi_filter_operators(const Field *field);
/* True where a list has conditions on the field; not on one that is called as a list's own parameter. */
bool openapi_is_filterable(const Field *field);

/* openapi_path.c */
void openapi_write_paths(Openapi *api);
/* openapi_header.c: what an answer may carry beside its body. */
typedef enum AnswerHeader {
  HEADER_ETAG = 1 << 0,
  HEADER_LOCATION = 1 << 1,
  HEADER_LINK = 1 << 2,
  HEADER_CACHE_CONTROL = 1 << 3,
  HEADER_PREFERENCE_APPLIED = 1 << 4,
  HEADER_DEPRECATION = 1 << 5 /* and Sunset, where it is known */
} AnswerHeader;
/* The member "headers"; nothing for none. */
void openapi_write_headers(Openapi *api, unsigned headers);
/* openapi_parameter.c */
/* The schema of a list of words, separated by commas, each with `before` (a pattern too) in front; a string, since few clients write
 * lists without repeating the parameter's name. */
void openapi_comma_list(Openapi *api, Str before, const Buf *words);
void openapi_add_word(Buf *words, Str prefix, Str name);
void openapi_list_parameters(Openapi *api, const Resource *resource);
void openapi_aggregate_parameters(Openapi *api, const Resource *resource);
void openapi_watch_parameters(Openapi *api, const Resource *resource);
void openapi_item_parameters(Openapi *api, const Resource *resource);
void openapi_key_parameters(Openapi *api, const Resource *resource);
void openapi_shared_parameters(Openapi *api, unsigned parameters);
void openapi_write_parameters(Openapi *api); /* components.parameters */
/* openapi_error.c */
void openapi_error_responses(Openapi *api, unsigned errors);
void openapi_write_error_responses(Openapi *api); /* components.responses */
void openapi_problem_schema(Openapi *api);

/* openapi_nested.c */
bool openapi_has_links(const Field *field);
void openapi_where_schema(Openapi *api, const Resource *resource);
void openapi_link_schema(Openapi *api, const Resource *target);
void openapi_links_schema(Openapi *api, const Field *field, bool is_for_create);
void openapi_one_or_many(Openapi *api, SchemaKind kind, const void *subject, bool is_answer);
/* openapi_aggregate.c */
void openapi_write_aggregate_parameters(Openapi *api, const Resource *resource);
void openapi_aggregate_schema(Openapi *api, const Resource *resource);
/* openapi_service.c */
void openapi_write_service_paths(Openapi *api);
void openapi_write_service_tags(Openapi *api);
void openapi_batch_request_schema(Openapi *api);
void openapi_batch_answer_schema(Openapi *api);
void openapi_health_schema(Openapi *api);
void openapi_imported_schema(Openapi *api);

/* openapi_example.c: false where no value is known that surely validates. */
bool openapi_has_example(Openapi *api, const Resource *resource, SchemaKind kind);
void openapi_write_example(Openapi *api, const Resource *resource, SchemaKind kind);
