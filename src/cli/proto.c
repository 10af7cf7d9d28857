/* proto.c - caisson proto CONTRACT: the .proto file, its descriptors, and the lock that keeps numbers. */
#include "api/proto_descriptor.h"
#include "api/proto_lock.h"
#include "api/proto_print.h"
#include "base/file.h"
#include "cli/command.h"
#include "contract/load.h"

enum { DOCUMENT_BYTES_MAX = 256 * 1024 * 1024 };

typedef struct ProtoOptions {
  bool is_lock;
  bool is_descriptor;
} ProtoOptions;

static const OptionSpec options[] = {
    {"lock", OPTION_FLAG, offsetof(ProtoOptions, is_lock), NULL, NULL, "write the numbers to the lock file beside the contract"},
    {"descriptor", OPTION_FLAG, offsetof(ProtoOptions, is_descriptor), NULL, NULL,
     "print a binary FileDescriptorSet with all imports instead"},
};

static const OptionTable table = {
    .command = "proto",
    .arguments = "CONTRACT [options]",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .positional_min = 1,
    .positional_max = 1,
    .summary = "Prints the Protocol Buffers file of a contract: the services that the server has for gRPC.",
    .footer = "Numbers follow the contract's order until --lock has written them down (shop.graphql:\n"
              "shop.lock.json). From then on none is moved or given again: what is removed is reserved, and a\n"
              "field whose type changes is refused.",
};

static ExitStatus write_lock(Cli *cli, Str path, const ProtoSchema *schema, const ProtoLock *old) {
  Error err;
  Str text;
  Buf out = buf_on(cli->arena, PROTO_LOCK_BYTES_MAX);
  if (proto_lock_write(schema, old, cli->arena, &out, &err) != CODE_OK || buf_finish(&out, &text, &err) != CODE_OK)
    return cli_fail(cli, &err);
  if (file_write(path, text, FILE_MODE_SHARED, &err) == CODE_OK) return EXIT_DONE;
  Error named;
  (void)error_set(&named, err.code, "%.*s can't be written: %s", STR_ARGS(path), err.text);
  (void)cli_fail(cli, &named);
  return EXIT_OUTSIDE;
}

static ExitStatus print(Cli *cli, Str contract_path, const Contract *contract, const ProtoOptions *chosen) {
  Error err;
  ProtoLock *lock = NULL;
  ProtoSchema *schema = NULL;
  Str path = proto_lock_path(contract_path, cli->arena);
  if (path.ptr == NULL) return (void)error_no_memory(&err), cli_fail(cli, &err);
  if (proto_lock_load(path, cli->arena, &lock, &err) != CODE_OK) return cli_fail(cli, &err);
  if (proto_schema_create(contract, lock, cli->arena, &schema, &err) != CODE_OK) return cli_fail(cli, &err);
  if (chosen->is_lock) {
    ExitStatus status = write_lock(cli, path, schema, lock);
    if (status != EXIT_DONE) return status;
    /* What is printed says that its numbers stay. */
    if (proto_lock_load(path, cli->arena, &lock, &err) != CODE_OK) return cli_fail(cli, &err);
    if (proto_schema_create(contract, lock, cli->arena, &schema, &err) != CODE_OK) return cli_fail(cli, &err);
  } else if (lock != NULL && !schema->is_locked) {
    cli_warn(cli, "%.*s lacks some of the contract's fields: caisson proto --lock writes their numbers down", STR_ARGS(path));
  }
  Buf out = buf_on(cli->arena, DOCUMENT_BYTES_MAX);
  if (chosen->is_descriptor)
    proto_descriptor_write_set(schema, &out);
  else
    proto_print(schema, &out);
  return cli_print(&out);
}

static ExitStatus command_proto(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  ProtoOptions chosen = {0};
  OptionList positional;
  if (!cli_parse(cli, &table, &chosen, &positional, &status)) return status;
  Contract *contract = NULL;
  status = cli_load_contract(cli, positional.items[0], &contract);
  if (status != EXIT_DONE) return status;
  status = print(cli, positional.items[0], contract, &chosen);
  contract_destroy(contract);
  return status;
}

const Command COMMAND_PROTO = {.options = &table, .run = command_proto, .summary = "CONTRACT: its Protocol Buffers file, on stdout"};
