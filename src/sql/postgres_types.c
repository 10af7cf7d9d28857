/* postgres_types.c - see postgres_types.h. */
#include "sql/postgres_types.h"

#include <stddef.h>

/* A key field holds what the other side's key is, at the end of the chain. */
static const Field *origin_of(const Field *field) {
  while (field->is_relation_key && field->target_key != NULL && field->target_key != field) field = field->target_key;
  return field;
}

static bool is_uuid(const Field *field) {
  if (field->type == TYPE_UUID) return true;
  if (field->type != TYPE_ID) return false;
  const Field *origin = origin_of(field);
  Str given = postgres_given_type(origin);
  if (given.len > 0) return postgres_kind_of(given) == POSTGRES_UUID;
  return origin->is_server_made || origin->type == TYPE_UUID;
}

typedef struct OwnType {
  Str scalar, list;
} OwnType;

static OwnType own_type(const Field *field) {
  switch (field->type) {
    case TYPE_INT: return (OwnType){STR("integer"), STR("integer[]")};
    case TYPE_BIGINT: return (OwnType){STR("bigint"), STR("bigint[]")};
    case TYPE_FLOAT: return (OwnType){STR("double precision"), STR("double precision[]")};
    case TYPE_DECIMAL: return (OwnType){STR("numeric"), STR("numeric[]")};
    case TYPE_BOOLEAN: return (OwnType){STR("boolean"), STR("boolean[]")};
    case TYPE_DATETIME: return (OwnType){STR("timestamptz"), STR("timestamptz[]")};
    case TYPE_DATE: return (OwnType){STR("date"), STR("date[]")};
    /* Binary items, JSON and objects are no values of which SQL could ask something: their lists stay JSON. */
    case TYPE_BYTES: return (OwnType){STR("bytea"), STR("json")};
    case TYPE_JSON:
    case TYPE_EMBEDDED: return (OwnType){STR("json"), STR("json")};
    case TYPE_ID:
    case TYPE_UUID:
    case TYPE_STRING:
    case TYPE_EMAIL:
    case TYPE_URL:
    case TYPE_ENUM:
    case TYPE_COUNT: break;
  }
  return is_uuid(field) ? (OwnType){STR("uuid"), STR("uuid[]")} : (OwnType){STR("text"), STR("text[]")};
}

Str postgres_own_type(const Field *field) {
  OwnType type = own_type(field);
  return field->is_list ? type.list : type.scalar;
}

PostgresKind postgres_kind(const Field *field) {
  Str given = postgres_given_type(field);
  return postgres_kind_of(given.len > 0 ? given : postgres_own_type(field));
}

typedef struct KindName {
  Str name;
  PostgresKind kind;
} KindName;

static const KindName kind_names[] = {
    {STR_INIT("text"), POSTGRES_TEXT},
    {STR_INIT("varchar"), POSTGRES_TEXT},
    {STR_INIT("character varying"), POSTGRES_TEXT},
    {STR_INIT("name"), POSTGRES_TEXT},
    {STR_INIT("char"), POSTGRES_PADDED},
    {STR_INIT("character"), POSTGRES_PADDED},
    {STR_INIT("bpchar"), POSTGRES_PADDED},
    {STR_INIT("uuid"), POSTGRES_UUID},
    {STR_INIT("smallint"), POSTGRES_INTEGER},
    {STR_INIT("integer"), POSTGRES_INTEGER},
    {STR_INIT("bigint"), POSTGRES_INTEGER},
    {STR_INIT("int"), POSTGRES_INTEGER},
    {STR_INIT("int2"), POSTGRES_INTEGER},
    {STR_INIT("int4"), POSTGRES_INTEGER},
    {STR_INIT("int8"), POSTGRES_INTEGER},
    {STR_INIT("smallserial"), POSTGRES_INTEGER},
    {STR_INIT("serial"), POSTGRES_INTEGER},
    {STR_INIT("bigserial"), POSTGRES_INTEGER},
    {STR_INIT("numeric"), POSTGRES_NUMERIC},
    {STR_INIT("decimal"), POSTGRES_NUMERIC},
    {STR_INIT("real"), POSTGRES_REAL},
    {STR_INIT("float4"), POSTGRES_REAL},
    {STR_INIT("double precision"), POSTGRES_DOUBLE},
    {STR_INIT("float8"), POSTGRES_DOUBLE},
    {STR_INIT("boolean"), POSTGRES_BOOLEAN},
    {STR_INIT("bool"), POSTGRES_BOOLEAN},
    {STR_INIT("timestamptz"), POSTGRES_TIMESTAMPTZ},
    {STR_INIT("timestamp with time zone"), POSTGRES_TIMESTAMPTZ},
    {STR_INIT("timestamp"), POSTGRES_TIMESTAMP},
    {STR_INIT("timestamp without time zone"), POSTGRES_TIMESTAMP},
    {STR_INIT("date"), POSTGRES_DATE},
    {STR_INIT("json"), POSTGRES_JSON},
    {STR_INIT("jsonb"), POSTGRES_JSONB},
    {STR_INIT("bytea"), POSTGRES_BYTEA},
};

enum { TYPE_NAME_MAX = 64 };

/* Without what stands in parentheses, which may be in the midst: timestamp(3) with time zone. */
static Str without_modifier(Str type, char out[TYPE_NAME_MAX]) {
  size_t len = 0, depth = 0;
  for (size_t i = 0; i < type.len && len < TYPE_NAME_MAX; i++) {
    char byte = type.ptr[i];
    if (byte == '(') depth++;
    if (depth == 0 && !(byte == ' ' && len > 0 && out[len - 1] == ' ')) out[len++] = byte;
    if (byte == ')' && depth > 0) depth--;
  }
  return str_trim((Str){out, len});
}

PostgresKind postgres_kind_of(Str type) {
  char buffer[TYPE_NAME_MAX];
  Str name = without_modifier(str_trim(type), buffer);
  if (name.len > 0 && (name.ptr[0] == '_' || str_ends_with(name, STR("[]")))) return POSTGRES_ARRAY;
  if (str_starts_with(name, STR("pg_catalog."))) name = str_slice(name, STR("pg_catalog.").len, name.len);
  for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++) {
    if (str_equal_ignore_case(kind_names[i].name, name)) return kind_names[i].kind;
  }
  return POSTGRES_OTHER;
}

/* What others call what PostgreSQL calls otherwise: SQLite's customary names, and those of the databases that they came from. */
static const Str others_names[] = {
    STR_INIT("NVARCHAR"),
    STR_INIT("NVARCHAR2"),
    STR_INIT("VARCHAR2"),
    STR_INIT("VARYING CHARACTER"),
    STR_INIT("NATIVE CHARACTER"),
    STR_INIT("CLOB"),
    STR_INIT("STRING"),
    STR_INIT("TINYTEXT"),
    STR_INIT("MEDIUMTEXT"),
    STR_INIT("LONGTEXT"),
    STR_INIT("NTEXT"),
    STR_INIT("BLOB"),
    STR_INIT("LONGBLOB"),
    STR_INIT("VARBINARY"),
    STR_INIT("BINARY"),
    STR_INIT("DATETIME"),
    STR_INIT("DATETIME2"),
    STR_INIT("TINYINT"),
    STR_INIT("MEDIUMINT"),
    STR_INIT("UNSIGNED BIG INT"),
    STR_INIT("LONG"),
    STR_INIT("DOUBLE"),
    STR_INIT("NUMBER"),
    STR_INIT("AUTOINC"),
    STR_INIT("COUNTER"),
    STR_INIT("GUID"),
    STR_INIT("UNIQUEIDENTIFIER"),
};

Str postgres_given_type(const Field *field) {
  char buffer[TYPE_NAME_MAX];
  if (field->column_type.len == 0) return field->column_type;
  Str name = without_modifier(str_trim(field->column_type), buffer);
  for (size_t i = 0; i < sizeof others_names / sizeof *others_names; i++) {
    if (str_equal_ignore_case(others_names[i], name)) return (Str){NULL, 0};
  }
  return field->column_type;
}
