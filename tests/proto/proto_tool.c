/* proto_tool.c - messages of a contract through the codec, for reference.py: commands come as lines on stdin, each answered by one on
 * stdout.
 *
 *   wire TYPE HEX            read and written again
 *   json TYPE HEX            as ProtoJSON
 *   unjson TYPE HEX          ProtoJSON (in hex) as a message
 *   input TYPE create HEX    a row's message as the engine's input; likewise `update`, with the mask's paths behind it
 *   row RESOURCE HEX         a row in JSON's form (in hex) as its sink writes it
 *
 * An answer is `= HEX`, or `! WHY`. */
#include <stdio.h>
#include <stdlib.h>

#include "api/proto_decode.h"
#include "api/proto_encode.h"
#include "api/proto_json.h"
#include "base/file.h"
#include "contract/input.h"
#include "contract/load.h"

enum { BYTES_MAX = 64 * 1024 * 1024 };

typedef struct Tool {
  Arena *arena; /* of one command */
  const ProtoSchema *schema;
  Buf out;
  Error err;
} Tool;

static Str unhex(Tool *tool, Str hex) {
  char *bytes = arena_alloc(tool->arena, hex.len / 2 + 1);
  for (size_t i = 0; i + 1 < hex.len; i += 2) {
    char pair[3] = {hex.ptr[i], hex.ptr[i + 1], 0};
    bytes[i / 2] = (char)strtoul(pair, NULL, 16);
  }
  return (Str){bytes, hex.len / 2};
}

static Str next_word(Str *rest) {
  Str word = STR("");
  (void)str_split_next(rest, ' ', &word);
  return word;
}

static Code read_node(Tool *tool, Str type, Str hex, ProtoNode **ret) {
  const ProtoMessage *message = proto_message(tool->schema, type);
  if (message == NULL) return error_set(&tool->err, CODE_NOT_FOUND, "no such type");
  return proto_read(message, unhex(tool, hex), tool->arena, ret, &tool->err);
}

static Code run_wire(Tool *tool, Str type, Str rest) {
  ProtoNode *node;
  TRY(read_node(tool, type, rest, &node));
  proto_write(node, &tool->out);
  return tool->out.failed;
}

static Code run_json(Tool *tool, Str type, Str rest) {
  ProtoNode *node;
  TRY(read_node(tool, type, rest, &node));
  return proto_json_write(node, &tool->out, &tool->err);
}

static Code run_unjson(Tool *tool, Str type, Str rest) {
  const ProtoMessage *message = proto_message(tool->schema, type);
  ProtoNode *node;
  if (message == NULL) return error_set(&tool->err, CODE_NOT_FOUND, "no such type");
  TRY(proto_json_read(message, unhex(tool, rest), false, tool->arena, &node, &tool->err));
  proto_write(node, &tool->out);
  return tool->out.failed;
}

static Code run_input(Tool *tool, Str type, Str rest) {
  Str kind = next_word(&rest), hex = next_word(&rest), path;
  ProtoDatum paths[64];
  size_t count = 0;
  while (count < 64 && str_split_next(&rest, ' ', &path)) paths[count++].text = path;
  ProtoNode *node;
  JsonValue json;
  TRY(read_node(tool, type, hex, &node));
  ProtoInputKind chosen = str_equal(kind, STR("create")) ? PROTO_INPUT_CREATE : PROTO_INPUT_UPDATE;
  TRY(proto_input(node, chosen, paths, count, tool->arena, &json, &tool->err));
  json_write(&tool->out, &json);
  return tool->out.failed;
}

static Code run_row(Tool *tool, Str name, Str rest) {
  const Resource *resource = contract_resource(tool->schema->contract, name);
  JsonValue json;
  if (resource == NULL) return error_set(&tool->err, CODE_NOT_FOUND, "no such resource");
  TRY(json_parse(unhex(tool, rest), JSON_DEPTH_DEFAULT, tool->arena, &json, &tool->err));
  const Selection *whole = tool->schema->resources[resource->index].whole;
  Value *values = ARENA_ARRAY(tool->arena, Value, whole->count + 1);
  for (size_t i = 0; i < whole->count; i++) {
    const JsonValue *member = json_get(&json, whole->items[i].name);
    InputMistakes mistakes = {0};
    if (member == NULL || member->type == JSON_NULL) continue;
    Code code = field_value_decode(whole->items[i].field, member, NULL, tool->arena, &values[i], &mistakes, &tool->err);
    if (code != CODE_OK)
      return error_set(&tool->err, code, "%.*s: %.*s", STR_ARGS(whole->items[i].name), STR_ARGS(mistakes.items[0].detail));
    /* As rows have it: by its name. */
    if (whole->items[i].field->type == TYPE_ENUM && values[i].type == VALUE_TEXT)
      values[i].text = enum_name_of(whole->items[i].field->enum_type, values[i].text);
  }
  ProtoSink sink;
  proto_sink_init(&sink, 0, tool->arena, BYTES_MAX);
  TRY(sink.base.row(&sink.base, whole, values, &tool->err));
  buf_add(&tool->out, buf_str(&sink.out.buf));
  return CODE_OK;
}

static const struct {
  const char *name;
  Code (*run)(Tool *tool, Str type, Str rest);
} commands[] = {{"wire", run_wire}, {"json", run_json}, {"unjson", run_unjson}, {"input", run_input}, {"row", run_row}};

static void answer(Tool *tool, Str line) {
  Str name = next_word(&line), type = next_word(&line);
  Code code = error_set(&tool->err, CODE_NOT_FOUND, "no such command");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (str_equal(name, str_of(commands[i].name))) code = commands[i].run(tool, type, line);
  if (code != CODE_OK) {
    printf("! %s\n", tool->err.text);
    return;
  }
  fputs("= ", stdout);
  for (size_t i = 0; i < tool->out.len; i++) printf("%02x", (uint8_t)tool->out.ptr[i]);
  putchar('\n');
}

static Contract *contract_of(const char *path, Arena *arena) {
  Contract *contract = NULL;
  DiagnosticList diagnostics = {0};
  Str text;
  Error err;
  if (file_read(str_of(path), BYTES_MAX, arena, &text, &err) != CODE_OK) return NULL;
  const ContractFile file = {str_of(path), text};
  return contract_load(&file, 1, arena, &contract, &diagnostics, &err) == CODE_OK ? contract : NULL;
}

int main(int argc, char **argv) {
  Arena *arena = arena_create(0);
  Contract *contract = argc == 2 ? contract_of(argv[1], arena) : NULL;
  ProtoSchema *schema = NULL;
  Error err;
  if (contract == NULL || proto_schema_create(contract, NULL, arena, &schema, &err) != CODE_OK) return 1;
  char *line = NULL;
  size_t cap = 0;
  for (ssize_t len; (len = getline(&line, &cap, stdin)) > 0;) {
    Arena *scratch = arena_create(0);
    Tool tool = {.arena = scratch, .schema = schema, .out = buf_on(scratch, BYTES_MAX)};
    answer(&tool, str_trim((Str){line, (size_t)len}));
    fflush(stdout);
    arena_destroy(scratch);
  }
  free(line);
  contract_destroy(contract);
  arena_destroy(arena);
  return 0;
}
