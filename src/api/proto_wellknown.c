/* proto_wellknown.c - the files of others that ours import or that are served beside ours: google/protobuf, gRPC's health and reflection,
 * and the types of rich errors. Numbers, names and options are theirs. */
#include "api/proto_build.h"

/* FileOptions' numbers (google/protobuf/descriptor.proto). */
enum {
  OPTION_JAVA_PACKAGE = 1,
  OPTION_JAVA_OUTER_CLASSNAME = 8,
  OPTION_JAVA_MULTIPLE_FILES = 10,
  OPTION_GO_PACKAGE = 11,
  OPTION_CC_ENABLE_ARENAS = 31,
  OPTION_OBJC_CLASS_PREFIX = 36,
  OPTION_CSHARP_NAMESPACE = 37
};

static ProtoField *field(ProtoBuilder *builder, ProtoMessageDraft *message, const char *type, const char *name) {
  return proto_build_field(builder, message, str_of(type), str_of(name), 0);
}

static ProtoMessageDraft *message(ProtoBuilder *builder, ProtoFileDraft *file, const char *name) {
  return proto_build_message(builder, file, NULL, str_of(name));
}

static void value(ProtoBuilder *builder, ProtoEnumDraft *type, const char *name, int32_t number) {
  proto_build_value(builder, type, (ProtoEnumValue){.name = str_of(name), .number = number});
}

/* ---- google/protobuf ---- */

static ProtoFileDraft *google_file(ProtoBuilder *builder, const char *name, const char *class_name, const char *go_package,
                                   bool has_arenas) {
  ProtoFileDraft *file = proto_build_file(builder, str_of(name), STR("google.protobuf"));
  proto_build_option(builder, file, OPTION_JAVA_PACKAGE, STR("com.google.protobuf"));
  proto_build_option(builder, file, OPTION_JAVA_OUTER_CLASSNAME, str_of(class_name));
  proto_build_option(builder, file, OPTION_JAVA_MULTIPLE_FILES, (Str){0});
  proto_build_option(builder, file, OPTION_GO_PACKAGE, str_of(go_package));
  if (has_arenas) proto_build_option(builder, file, OPTION_CC_ENABLE_ARENAS, (Str){0});
  proto_build_option(builder, file, OPTION_OBJC_CLASS_PREFIX, STR("GPB"));
  proto_build_option(builder, file, OPTION_CSHARP_NAMESPACE, STR("Google.Protobuf.WellKnownTypes"));
  return file;
}

static void build_struct(ProtoBuilder *builder) {
  ProtoFileDraft *file =
      google_file(builder, "google/protobuf/struct.proto", "StructProto", "google.golang.org/protobuf/types/known/structpb", true);
  ProtoMessageDraft *object = message(builder, file, "Struct"), *any = message(builder, file, "Value"),
                    *list = message(builder, file, "ListValue");
  ProtoEnumDraft *null = proto_build_enum(builder, file, NULL, STR("NullValue"));
  if (object == NULL || any == NULL || list == NULL || null == NULL) return;
  value(builder, null, "NULL_VALUE", 0);
  object->message.well_known = PROTO_STRUCT;
  field(builder, object, "map google.protobuf.Value", "fields");
  any->message.well_known = PROTO_VALUE;
  int kind = proto_build_oneof(builder, any, STR("kind"));
  static const char *const kinds[][2] = {{"google.protobuf.NullValue", "null_value"},
                                         {"double", "number_value"},
                                         {"string", "string_value"},
                                         {"bool", "bool_value"},
                                         {"google.protobuf.Struct", "struct_value"},
                                         {"google.protobuf.ListValue", "list_value"}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) field(builder, any, kinds[i][0], kinds[i][1])->oneof = kind;
  list->message.well_known = PROTO_LIST_VALUE;
  field(builder, list, "repeated google.protobuf.Value", "values");
}

static void build_times(ProtoBuilder *builder) {
  static const struct {
    const char *file, *class_name, *go_package, *name;
    ProtoWellKnown well_known;
  } times[] = {
      {"google/protobuf/timestamp.proto", "TimestampProto", "google.golang.org/protobuf/types/known/timestamppb", "Timestamp",
       PROTO_TIMESTAMP},
      {"google/protobuf/duration.proto", "DurationProto", "google.golang.org/protobuf/types/known/durationpb", "Duration", PROTO_DURATION},
  };
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    ProtoFileDraft *file = google_file(builder, times[i].file, times[i].class_name, times[i].go_package, true);
    ProtoMessageDraft *time = message(builder, file, times[i].name);
    field(builder, time, "int64", "seconds");
    field(builder, time, "int32", "nanos");
    if (time != NULL) time->message.well_known = times[i].well_known;
  }
}

void proto_build_wellknown(ProtoBuilder *builder) {
  ProtoFileDraft *file =
      google_file(builder, "google/protobuf/any.proto", "AnyProto", "google.golang.org/protobuf/types/known/anypb", false);
  ProtoMessageDraft *any = message(builder, file, "Any");
  field(builder, any, "string", "type_url");
  field(builder, any, "bytes", "value");
  if (any != NULL) any->message.well_known = PROTO_ANY;
  file = google_file(builder, "google/protobuf/empty.proto", "EmptyProto", "google.golang.org/protobuf/types/known/emptypb", true);
  (void)message(builder, file, "Empty");
  file = google_file(builder, "google/protobuf/field_mask.proto", "FieldMaskProto", "google.golang.org/protobuf/types/known/fieldmaskpb",
                     true);
  ProtoMessageDraft *mask = message(builder, file, "FieldMask");
  field(builder, mask, "repeated string", "paths");
  if (mask != NULL) mask->message.well_known = PROTO_FIELD_MASK;
  build_struct(builder);
  build_times(builder);
}

/* ---- gRPC's health and reflection ---- */

static void stream(ProtoMethod *method, bool is_client, bool is_server) {
  method->role = PROTO_OWN;
  method->is_client_streaming = is_client;
  method->is_server_streaming = is_server;
}

static void build_health(ProtoBuilder *builder) {
  ProtoFileDraft *file = proto_build_file(builder, STR("grpc/health/v1/health.proto"), STR("grpc.health.v1"));
  proto_build_option(builder, file, OPTION_JAVA_PACKAGE, STR("io.grpc.health.v1"));
  proto_build_option(builder, file, OPTION_JAVA_OUTER_CLASSNAME, STR("HealthProto"));
  proto_build_option(builder, file, OPTION_JAVA_MULTIPLE_FILES, (Str){0});
  proto_build_option(builder, file, OPTION_GO_PACKAGE, STR("google.golang.org/grpc/health/grpc_health_v1"));
  proto_build_option(builder, file, OPTION_OBJC_CLASS_PREFIX, STR("GrpcHealthV1"));
  proto_build_option(builder, file, OPTION_CSHARP_NAMESPACE, STR("Grpc.Health.V1"));
  field(builder, message(builder, file, "HealthCheckRequest"), "string", "service");
  ProtoMessageDraft *answer = message(builder, file, "HealthCheckResponse");
  ProtoEnumDraft *status = proto_build_enum(builder, file, answer, STR("ServingStatus"));
  static const char *const statuses[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
  for (int32_t i = 0; i < 4; i++) value(builder, status, statuses[i], i);
  field(builder, answer, "grpc.health.v1.HealthCheckResponse.ServingStatus", "status");
  ProtoServiceDraft *service = proto_build_service(builder, file, STR("Health"));
  static const Str request = STR_INIT("grpc.health.v1.HealthCheckRequest"), response = STR_INIT("grpc.health.v1.HealthCheckResponse");
  stream(proto_build_method(builder, service, STR("Check"), request, response), false, false);
  stream(proto_build_method(builder, service, STR("Watch"), request, response), false, true);
}

static void build_reflection_answers(ProtoBuilder *builder, ProtoFileDraft *file, const char *package) {
  field(builder, message(builder, file, "FileDescriptorResponse"), "repeated bytes", "file_descriptor_proto");
  ProtoMessageDraft *numbers = message(builder, file, "ExtensionNumberResponse");
  field(builder, numbers, "string", "base_type_name");
  field(builder, numbers, "repeated int32", "extension_number");
  Str service = proto_text_of(builder, "repeated %s.ServiceResponse", package);
  (void)proto_build_field(builder, message(builder, file, "ListServiceResponse"), service, STR("service"), 1);
  field(builder, message(builder, file, "ServiceResponse"), "string", "name");
  ProtoMessageDraft *error = message(builder, file, "ErrorResponse");
  field(builder, error, "int32", "error_code");
  field(builder, error, "string", "error_message");
}

/* v1 and v1alpha differ in their package alone. */
static void build_reflection(ProtoBuilder *builder, const char *name, const char *package, bool is_alpha) {
  ProtoFileDraft *file = proto_build_file(builder, str_of(name), str_of(package));
  if (!is_alpha) {
    proto_build_option(builder, file, OPTION_JAVA_PACKAGE, STR("io.grpc.reflection.v1"));
    proto_build_option(builder, file, OPTION_JAVA_OUTER_CLASSNAME, STR("ServerReflectionProto"));
    proto_build_option(builder, file, OPTION_JAVA_MULTIPLE_FILES, (Str){0});
    proto_build_option(builder, file, OPTION_GO_PACKAGE, STR("google.golang.org/grpc/reflection/grpc_reflection_v1"));
  }
  ProtoMessageDraft *request = message(builder, file, "ServerReflectionRequest");
  field(builder, request, "string", "host");
  int oneof = proto_build_oneof(builder, request, STR("message_request"));
  proto_build_field(builder, request, STR("string"), STR("file_by_filename"), 3)->oneof = oneof; /* there is no 2 */
  proto_build_field(builder, request, STR("string"), STR("file_containing_symbol"), 4)->oneof = oneof;
  Str extension = proto_text_of(builder, "%s.ExtensionRequest", package);
  proto_build_field(builder, request, extension, STR("file_containing_extension"), 5)->oneof = oneof;
  field(builder, request, "string", "all_extension_numbers_of_type")->oneof = oneof;
  field(builder, request, "string", "list_services")->oneof = oneof;
  ProtoMessageDraft *asked = message(builder, file, "ExtensionRequest");
  field(builder, asked, "string", "containing_type");
  field(builder, asked, "int32", "extension_number");
  ProtoMessageDraft *response = message(builder, file, "ServerReflectionResponse");
  field(builder, response, "string", "valid_host");
  Str own = proto_text_of(builder, "%s.ServerReflectionRequest", package);
  (void)proto_build_field(builder, response, own, STR("original_request"), 0);
  oneof = proto_build_oneof(builder, response, STR("message_response"));
  static const char *const answers[][2] = {{"FileDescriptorResponse", "file_descriptor_response"},
                                           {"ExtensionNumberResponse", "all_extension_numbers_response"},
                                           {"ListServiceResponse", "list_services_response"},
                                           {"ErrorResponse", "error_response"}};
  for (uint32_t i = 0; i < 4; i++) {
    Str type = proto_text_of(builder, "%s.%s", package, answers[i][0]);
    proto_build_field(builder, response, type, str_of(answers[i][1]), 4 + i)->oneof = oneof;
  }
  build_reflection_answers(builder, file, package);
  ProtoServiceDraft *service = proto_build_service(builder, file, STR("ServerReflection"));
  stream(proto_build_method(builder, service, STR("ServerReflectionInfo"), own,
                            proto_text_of(builder, "%s.ServerReflectionResponse", package)),
         true, true);
}

/* ---- rich errors (google/rpc) ---- */

static void build_errors(ProtoBuilder *builder) {
  ProtoFileDraft *file = proto_build_file(builder, STR("google/rpc/status.proto"), STR("google.rpc"));
  ProtoMessageDraft *status = message(builder, file, "Status");
  field(builder, status, "int32", "code");
  field(builder, status, "string", "message");
  field(builder, status, "repeated google.protobuf.Any", "details");
  file = proto_build_file(builder, STR("google/rpc/error_details.proto"), STR("google.rpc"));
  ProtoMessageDraft *info = message(builder, file, "ErrorInfo");
  field(builder, info, "string", "reason");
  field(builder, info, "string", "domain");
  field(builder, info, "map string", "metadata");
  field(builder, message(builder, file, "RetryInfo"), "google.protobuf.Duration", "retry_delay");
  ProtoMessageDraft *asked = message(builder, file, "RequestInfo");
  field(builder, asked, "string", "request_id");
  field(builder, asked, "string", "serving_data");
  ProtoMessageDraft *request = message(builder, file, "BadRequest");
  ProtoMessageDraft *violation = proto_build_message(builder, file, request, STR("FieldViolation"));
  field(builder, violation, "string", "field");
  field(builder, violation, "string", "description");
  field(builder, violation, "string", "reason");
  field(builder, request, "repeated google.rpc.BadRequest.FieldViolation", "field_violations");
}

void proto_build_protocols(ProtoBuilder *builder) {
  build_errors(builder);
  build_health(builder);
  build_reflection(builder, "grpc/reflection/v1/reflection.proto", "grpc.reflection.v1", false);
  build_reflection(builder, "grpc/reflection/v1alpha/reflection.proto", "grpc.reflection.v1alpha", true);
}
