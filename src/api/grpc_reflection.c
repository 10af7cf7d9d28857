/* grpc_reflection.c - grpc.reflection v1 and v1alpha, which differ in their names alone: a client asks for files by name or by what is in
 * them, and gets descriptors with everything that they import. The contract is served in all versions; a question is put to each. */
#include "api/grpc_status.h"
#include "api/grpc_stream.h"
#include "api/proto_descriptor.h"
#include "codec/protobuf.h"

/* ServerReflectionResponse */
enum { ANSWER_VALID_HOST = 1, ANSWER_ORIGINAL_REQUEST = 2, ANSWER_FILES = 4, ANSWER_EXTENSIONS = 5, ANSWER_SERVICES = 6, ANSWER_ERROR = 7 };
enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, FILES_MAX = 64 };

typedef struct FileSet {
  const ProtoFile *files[FILES_MAX];
  size_t count;
} FileSet;

/* ---- Files ---- */

/* The file itself first, then what it imports. */
static void collect(FileSet *set, const ProtoFile *file) {
  for (size_t i = 0; i < set->count; i++) {
    if (set->files[i] == file) return;
  }
  if (set->count == FILES_MAX) return;
  set->files[set->count++] = file;
  for (size_t i = 0; i < file->import_count; i++) collect(set, file->imports[i]);
}

static void write_files(const ProtoFile *file, Buf *out) {
  FileSet set = {.count = 0};
  collect(&set, file);
  size_t answer = protobuf_begin(out, ANSWER_FILES);
  for (size_t i = 0; i < set.count; i++) {
    size_t at = protobuf_begin(out, 1);
    proto_descriptor_write_file(set.files[i], out);
    protobuf_end(out, at);
  }
  protobuf_end(out, answer);
}

typedef const ProtoFile *FindFile(const ProtoSchema *schema, Str name);

static const ProtoFile *find(const Grpc *grpc, FindFile *find_in, Str name) {
  const ProtoFile *file = NULL;
  for (size_t i = 0; i < grpc->all_count && file == NULL; i++) file = find_in(grpc->all[i]->schema, name);
  return file;
}

/* ---- Answers ---- */

static void write_error(GrpcCode code, Str text, Buf *out) {
  size_t at = protobuf_begin(out, ANSWER_ERROR);
  protobuf_add_uint(out, 1, (uint64_t)code);
  protobuf_add_bytes(out, 2, text);
  protobuf_end(out, at);
}

static void write_file_or_error(const ProtoFile *file, Str error, Buf *out) {
  if (file != NULL)
    write_files(file, out);
  else
    write_error(GRPC_CODE_NOT_FOUND, error, out);
}

/* What all versions share, health and reflection, is named once. */
static void write_services(const Grpc *grpc, Buf *out) {
  size_t answer = protobuf_begin(out, ANSWER_SERVICES);
  for (size_t i = 0; i < grpc->all_count; i++) {
    const ProtoSchema *schema = grpc->all[i]->schema;
    for (size_t k = 0; k < schema->file_count; k++) {
      const ProtoFile *file = schema->files[k];
      if (i > 0 && file != schema->file) continue;
      for (size_t s = 0; s < file->service_count; s++) {
        size_t at = protobuf_begin(out, 1);
        protobuf_add_bytes(out, 1, file->services[s]->full_name);
        protobuf_end(out, at);
      }
    }
  }
  protobuf_end(out, answer);
}

/* No file here declares extensions: a type that is known has none. */
static void write_extensions(const Grpc *grpc, Str type, Buf *out) {
  bool is_known = false;
  for (size_t i = 0; i < grpc->all_count && !is_known; i++) is_known = proto_message(grpc->all[i]->schema, type) != NULL;
  if (!is_known) {
    write_error(GRPC_CODE_NOT_FOUND, STR("There is no such type here"), out);
    return;
  }
  size_t at = protobuf_begin(out, ANSWER_EXTENSIONS);
  protobuf_add_bytes(out, 1, type);
  protobuf_end(out, at);
}

static void write_answer(const Grpc *grpc, const ProtoNode *message, Buf *out) {
  if (proto_get(message, STR("file_by_filename")) != NULL) {
    const ProtoFile *file = find(grpc, proto_file_named, proto_text(message, STR("file_by_filename")));
    write_file_or_error(file, STR("There is no such file here"), out);
  } else if (proto_get(message, STR("file_containing_symbol")) != NULL) {
    const ProtoFile *file = find(grpc, proto_file_of_symbol, proto_text(message, STR("file_containing_symbol")));
    write_file_or_error(file, STR("There is no such symbol here"), out);
  } else if (proto_get(message, STR("file_containing_extension")) != NULL) {
    write_error(GRPC_CODE_NOT_FOUND, STR("There are no extensions here"), out);
  } else if (proto_get(message, STR("all_extension_numbers_of_type")) != NULL) {
    write_extensions(grpc, proto_text(message, STR("all_extension_numbers_of_type")), out);
  } else if (proto_get(message, STR("list_services")) != NULL) {
    write_services(grpc, out);
  } else {
    write_error(GRPC_CODE_INVALID_ARGUMENT, STR("The request asks for nothing that is known here"), out);
  }
}

static void on_message(GrpcStream *stream, const ProtoNode *message) {
  Buf out = buf_on(stream->arena, ANSWER_BYTES_MAX);
  Str host = proto_text(message, STR("host"));
  if (host.len > 0) protobuf_add_bytes(&out, ANSWER_VALID_HOST, host);
  size_t original = protobuf_begin(&out, ANSWER_ORIGINAL_REQUEST);
  proto_write(message, &out);
  protobuf_end(&out, original);
  write_answer(stream->state->grpc, message, &out);
  if (out.failed == CODE_OK)
    (void)grpc_stream_send(stream, buf_str(&out));
  else
    grpc_stream_end(stream, problem_no_memory(stream->request->exchange->arena));
}

static const GrpcStreamHandler handler = {.message = on_message};

static Code info(ApiRequest *request, GrpcState *state) {
  request->exchange->is_long = true; /* it lasts as long as its client likes */
  return grpc_stream_prepare(request, state, &handler, NULL, NULL);
}

const GrpcOwnMethod GRPC_REFLECTION_METHODS[] = {{STR_INIT("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), info},
                                                 {STR_INIT("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"), info}};
const size_t GRPC_REFLECTION_METHOD_COUNT = sizeof GRPC_REFLECTION_METHODS / sizeof *GRPC_REFLECTION_METHODS;
