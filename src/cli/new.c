/* new.c - caisson new [DIR]: a starter contract and its README. Nothing that is there is overwritten. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"

enum { NAME_LEN_MAX = 40 };

static const OptionTable table = {
    .command = "new",
    .arguments = "[DIR]",
    .positional_max = 1,
    .summary = "Makes a starter contract and its README in DIR (made where it is missing; this folder without one),\n"
               "ready for caisson serve. Files that are there are left alone: then nothing is made.",
};

/* The service's name stands for %.*s. */
static const char contract_text[] =
    "# Everybody may read the tasks; who has a token may add some; whose a task is may change it, and staff may remove it.\n"
    "# The rules and directives: caisson contract --prelude\n"
    "extend schema @service(name: \"%.*s\", version: \"v1\")\n"
    "\n"
    "enum TaskState { OPEN DONE }\n"
    "\n"
    "\"A list of tasks.\"\n"
    "type Project @resource @access(read: \"true\", write: \"'staff' in auth.roles\") {\n"
    "  id: ID!\n"
    "  name: String! @unique @length(min: 1, max: 100)\n"
    "  tasks: [Task!]!\n"
    "}\n"
    "\n"
    "\"Something to be done.\"\n"
    "type Task @resource\n"
    "  @access(read: \"true\", create: \"auth.id != null\", update: \"old.owner == auth.id\", delete: \"owner == auth.id || 'staff' in "
    "auth.roles\")\n"
    "  @index(fields: [\"project\", \"createdAt desc\"]) {\n"
    "  id: ID!\n"
    "  project: Project @relation(onDelete: CASCADE)\n"
    "  title: String! @length(min: 1, max: 200)\n"
    "  state: TaskState! @default(value: OPEN)\n"
    "  due: Date\n"
    "  owner: String! @default(expr: \"auth.id\") @readonly\n"
    "  createdAt: DateTime! @default(expr: \"now()\") @readonly\n"
    "}\n";

static const char readme_text[] =
    "# %.*s\n"
    "\n"
    "A backend from one contract, `%.*s.graphql`.\n"
    "\n"
    "```\n"
    "caisson check %.*s.graphql                # every mistake at once\n"
    "caisson serve %.*s.graphql                # data go to %.*s.db\n"
    "```\n"
    "\n"
    "In another terminal, in this folder:\n"
    "\n"
    "```\n"
    "TOKEN=$(caisson token --sub ada --role staff)\n"
    "curl -s http://127.0.0.1:8080/v1/projects -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d "
    "'{\"name\":\"Garden\"}'\n"
    "curl -s http://127.0.0.1:8080/v1/tasks -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{\"title\":\"Plant "
    "a tree\",\"due\":\"2030-04-01\"}'\n"
    "curl -s 'http://127.0.0.1:8080/v1/tasks?state=OPEN&sort=-createdAt&fields=title,due,project(name)'\n"
    "```\n"
    "\n"
    "Change the contract and start the server again: what can be added to the tables without loss is added.\n";

/* A service's name from the folder's: letters, digits and dashes, a letter first. */
static Str service_name(Str path, Arena *arena) {
  char *absolute = realpath(path.ptr, NULL);
  Str whole = str_of(absolute), base = whole;
  for (size_t i = 0; i < whole.len; i++)
    if (whole.ptr[i] == '/') base = str_slice(whole, i + 1, whole.len);
  char *name = arena_alloc(arena, NAME_LEN_MAX + 1);
  size_t len = 0;
  for (size_t i = 0; name != NULL && i < base.len && len < NAME_LEN_MAX; i++) {
    char c = base.ptr[i];
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    bool is_letter = c >= 'a' && c <= 'z', is_digit = c >= '0' && c <= '9';
    if (is_letter || (len > 0 && is_digit))
      name[len++] = c;
    else if (len > 0 && name[len - 1] != '-')
      name[len++] = '-';
  }
  while (len > 0 && name[len - 1] == '-') len--;
  free(absolute);
  return len == 0 ? STR("service") : (Str){name, len};
}

static Code refuse_existing(const char *path, Error *err) {
  if (access(path, F_OK) != 0) return CODE_OK;
  return error_set(err, CODE_CONFLICT, "%.160s is there already: nothing was made", path);
}

static Code write_starter(Cli *cli, Str folder, Str *ret_contract, Error *err) {
  Str name = service_name(folder, cli->arena);
  Str contract_path = arena_printf(cli->arena, "%.*s/%.*s.graphql", STR_ARGS(folder), STR_ARGS(name));
  Str readme_path = arena_printf(cli->arena, "%.*s/README.md", STR_ARGS(folder));
  Str contract = arena_printf(cli->arena, contract_text, STR_ARGS(name));
  Str readme = arena_printf(cli->arena, readme_text, STR_ARGS(name), STR_ARGS(name), STR_ARGS(name), STR_ARGS(name), STR_ARGS(name));
  if (contract_path.ptr == NULL || readme_path.ptr == NULL || contract.ptr == NULL || readme.ptr == NULL) return error_no_memory(err);
  TRY(refuse_existing(contract_path.ptr, err));
  TRY(refuse_existing(readme_path.ptr, err));
  TRY(file_write(contract_path, contract, FILE_MODE_SHARED, err));
  TRY(file_write(readme_path, readme, FILE_MODE_SHARED, err));
  *ret_contract = contract_path;
  return CODE_OK;
}

static Code make_folder(Str path, Error *err) {
  if (mkdir(path.ptr, 0777) == 0 || errno == EEXIST) return CODE_OK;
  return error_set(err, CODE_UNAVAILABLE, "can't make %.120s: %s", path.ptr, strerror(errno));
}

static ExitStatus command_new(Cli *cli) {
  ExitStatus status = EXIT_DONE;
  OptionList positional;
  if (!cli_parse(cli, &table, NULL, &positional, &status)) return status;
  Str folder = positional.count > 0 ? positional.items[0] : STR("."), contract = {NULL, 0};
  Error err = {0};
  if (make_folder(folder, &err) != CODE_OK || write_starter(cli, folder, &contract, &err) != CODE_OK) return cli_fail(cli, &err);
  Buf text = buf_on(cli->arena, 4096);
  buf_printf(&text, "made %.*s\nnext: caisson serve %.*s\n", STR_ARGS(contract), STR_ARGS(contract));
  return cli_print(&text);
}

const Command COMMAND_NEW = {.options = &table, .run = command_new, .summary = "[DIR]: a starter contract and its README, ready to serve"};
