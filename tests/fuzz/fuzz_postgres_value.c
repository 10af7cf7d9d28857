/* fuzz_postgres_value.c - columns in PostgreSQL's binary form: whatever the bytes are, a value that is taken keeps what its type promises,
 * and its text is what the type's own reader takes back. The first byte chooses the column's type, the second the wanted one. */
#include <math.h>
#include <string.h>

#include "base/datetime.h"
#include "base/decimal.h"
#include "base/uuid.h"
#include "codec/json.h"
#include "property.h"
#include "store/postgres_value.h"

static const uint32_t oids[] = {PG_BOOL,   PG_BYTEA, PG_INT8, PG_INT2,      PG_INT4,        PG_TEXT,    PG_JSON,  PG_FLOAT4, PG_FLOAT8,
                                PG_BPCHAR, PG_DATE,  PG_UUID, PG_TIMESTAMP, PG_TIMESTAMPTZ, PG_NUMERIC, PG_JSONB, 1009};
static const ValueType types[] = {VALUE_BOOL,  VALUE_INT,       VALUE_FLOAT, VALUE_DECIMAL, VALUE_TEXT,
                                  VALUE_BYTES, VALUE_TIMESTAMP, VALUE_DATE,  VALUE_JSON};
static const FieldType item_types[] = {TYPE_STRING,  TYPE_INT,      TYPE_BIGINT, TYPE_DECIMAL,
                                       TYPE_BOOLEAN, TYPE_DATETIME, TYPE_UUID,   TYPE_BYTES};

/* Made of zeros and digits alone, so that the reference is the number's own text. */
static void check_decimal(Str text) {
  DecimalParts parts;
  PROPERTY(decimal_split(text, &parts));
  bool has_point = str_find_byte(text, '.', 0) < text.len;
  PROPERTY(!has_point || (text.ptr[text.len - 1] != '0' && text.ptr[text.len - 1] != '.'));
}

static void check_value(const Value *value, uint32_t oid, bool is_list, Arena *arena) {
  JsonValue json;
  switch (value->type) {
    case VALUE_FLOAT: PROPERTY(isfinite(value->number)); return;
    case VALUE_DECIMAL: check_decimal(value->text); return;
    case VALUE_TIMESTAMP: PROPERTY(timestamp_in_range(value->integer)); return;
    case VALUE_DATE: PROPERTY(date_in_range(value->integer)); return;
    case VALUE_TEXT: {
      char uuid[UUID_TEXT_LEN];
      if (oid == PG_UUID)
        PROPERTY(value->text.len == UUID_TEXT_LEN && uuid_parse(value->text, uuid) && memcmp(uuid, value->text.ptr, UUID_TEXT_LEN) == 0);
      return;
    }
    /* An array's items were written by us. Texts in them may be any bytes here, which a server's never are. */
    case VALUE_JSON:
      if (is_list && oid == 1009)
        PROPERTY(value->text.len >= 2 && value->text.ptr[0] == '[' && value->text.ptr[value->text.len - 1] == ']');
      if (is_list && oid == 1009 && json_parse(value->text, 4, arena, &json, NULL) == CODE_OK) PROPERTY(json.type == JSON_ARRAY);
      return;
    default: return;
  }
}

static void check_forms(Str sql) {
  PostgresForm forms[4];
  postgres_forms_read(sql, forms, 4);
  for (size_t i = 0; i < 4; i++) PROPERTY((unsigned)forms[i] <= POSTGRES_FORM_UUID_ARRAY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  Arena *arena = arena_create(0);
  if (arena == NULL) return 0;
  uint32_t oid = oids[data[0] % (sizeof oids / sizeof oids[0])];
  bool is_list = data[2] % 2 == 0;
  Field field = {.type = item_types[data[2] / 2 % (sizeof item_types / sizeof item_types[0])], .is_list = is_list, .scale = -1};
  StoreColumn shape = {.type = is_list ? VALUE_JSON : types[data[1] % (sizeof types / sizeof types[0])],
                       .is_foreign = data[1] >= 128,
                       .field = is_list ? &field : NULL};
  Str bytes = {(const char *)data + 3, size - 3};
  Value value;
  if (postgres_value_read(oid, bytes, &shape, arena, &value) == CODE_OK) {
    PROPERTY(value.type == shape.type);
    check_value(&value, oid, is_list, arena);
  }
  check_forms(bytes);
  arena_destroy(arena);
  return 0;
}
