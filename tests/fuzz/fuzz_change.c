/* fuzz_change.c - positions come from clients: one that is read is written as it was. Images come from a table that others can write to:
 * what is read of one is written and read again alike. The input's first byte chooses. */
#include "contract_text.h"
#include "property.h"
#include "query/change_image.h"
#include "query/change_position.h"

static const char contract_text[] =
    "extend schema @service(name: \"fuzz\")\n"
    "type Thing @resource @access(read: \"true\", write: \"true\") {\n"
    "  code: String! @id\n  part: Int! @id\n  flag: Boolean\n  big: BigInt\n  ratio: Float\n  price: Decimal\n  made: DateTime\n"
    "  day: Date\n  raw: Bytes\n  tags: [String!]\n  any: JSON\n}\n";

static void check_position(Str text) {
  ChangePosition position;
  char written[CHANGE_POSITION_BYTES_MAX];
  if (!change_position_parse(text, &position)) return;
  PROPERTY(position.from >= 0 && position.to >= position.from && position.seq >= 0);
  PROPERTY(str_equal(change_position_write(&position, written), text));
}

static Str image(const Resource *resource, const Value *row, Arena *arena) {
  Buf out = buf_on(arena, SIZE_MAX / 2);
  change_image_write(&out, resource, row);
  return buf_str(&out);
}

/* Keys that are taken off one by one are what the text holds, and as many as it was counted to have. */
static void check_keys(Str text) {
  Str rest = text, key;
  size_t count = 0;
  while (change_key_next(&rest, &key)) {
    PROPERTY(key.len >= 2 && key.ptr[0] == '[' && key.ptr[key.len - 1] == ']' && key.ptr + key.len == rest.ptr);
    count++;
  }
  PROPERTY(count == change_key_count(text));
}

static void check_image(Str text, const Resource *resource, Arena *arena) {
  const Value *row = NULL, *again = NULL, *key = NULL;
  check_keys(text);
  if (change_key_parse(text, resource, arena, &key, NULL) == CODE_OK) PROPERTY(key != NULL);
  if (change_image_parse(text, resource, arena, &row, NULL) != CODE_OK) return;
  Str first = image(resource, row, arena);
  PROPERTY(change_image_parse(first, resource, arena, &again, NULL) == CODE_OK);
  PROPERTY(str_equal(image(resource, again, arena), first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  Str rest = {(const char *)data + 1, size - 1};
  if (data[0] == 'p') {
    check_position(rest);
    return 0;
  }
  Arena *arena = arena_create(0);
  Contract *contract = contract_of_text(contract_text);
  check_image(rest, contract->resources[0], arena);
  contract_destroy(contract);
  arena_destroy(arena);
  return 0;
}
