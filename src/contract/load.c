/* load.c - contract_load: the sources are copied to the contract's arena, which the model borrows from; parsed; checked. The syntax tree
 * and the mistakes are the caller's arena's. */
#include "contract/load.h"

#include "base/utf8.h"
#include "contract/check.h"

void contract_destroy(Contract *contract) {
  if (contract != NULL) arena_destroy(contract->arena);
}

static Code load_source(const ContractFile *file, uint32_t index, Arena *arena, Source *ret, Error *err) {
  *ret = (Source){.name = arena_str(arena, file->name),
                  .text = arena_str(arena, file->text),
                  .original = file->text,
                  .original_name = file->name,
                  .index = index};
  return ret->name.ptr == NULL || ret->text.ptr == NULL ? error_no_memory(err) : CODE_OK;
}

/* False when the text can't be read at all: too large, not UTF-8, or with NUL. */
static bool source_is_text(const Source *source, size_t bytes_before, Report *report) {
  Span start = {.source = source, .line = 1, .column = 1};
  if (source->text.len > CONTRACT_BYTES_MAX - bytes_before) {
    report_add(report, start, (Str){0}, "a contract has at most %d MiB", CONTRACT_BYTES_MAX / 1024 / 1024);
    return false;
  }
  size_t nul = str_find_byte(source->text, '\0', 0), at = 0;
  while (at < nul) {
    size_t before = at;
    if (utf8_next(source->text, &at) != UINT32_MAX) continue;
    report_add(report, span_at(start, (uint32_t)before, (uint32_t)before + 1), STR("save the file as UTF-8"),
               "the text is not valid UTF-8 here (byte 0x%02X)", (unsigned char)source->text.ptr[before]);
    return false;
  }
  if (nul == source->text.len) return true;
  report_add(report, span_at(start, (uint32_t)nul, (uint32_t)nul + 1), (Str){0}, "a NUL character can't stand in a contract");
  return false;
}

static Code load_prelude(Arena *scratch, Report *report, SdlDocument *prelude, Error *err) {
  Source *source = ARENA_NEW(scratch, Source);
  Str text = contract_prelude(scratch);
  TRY_ALLOC(source);
  TRY_ALLOC(text.ptr);
  *source = (Source){.name = STR("prelude"), .text = text, .original = text, .original_name = STR("prelude")};
  return sdl_parse(source, scratch, scratch, report, prelude, err);
}

/* Parses and checks into `contract`, whose arena is there. */
static Code load_into(Contract *contract, const ContractFile *files, size_t file_count, Arena *scratch, Report *report, Error *err) {
  SdlDocument prelude = {0}, document = {0};
  Source *sources = ARENA_ARRAY(contract->arena, Source, file_count + 1);
  TRY_ALLOC(sources);
  TRY(load_prelude(scratch, report, &prelude, err));
  size_t bytes = 0;
  for (size_t i = 0; i < file_count; i++) {
    TRY(load_source(&files[i], (uint32_t)i, contract->arena, &sources[i], err));
    if (source_is_text(&sources[i], bytes, report))
      TRY(sdl_parse(&sources[i], scratch, contract->arena, report, &document, err));
    else
      document.is_broken = document.has_lost_names = true;
    bytes += sources[i].text.len <= CONTRACT_BYTES_MAX - bytes ? sources[i].text.len : 0;
  }
  if (file_count == 0)
    sources[0] = (Source){.name = STR("contract"), .original_name = STR("contract"), .text = STR(""), .original = STR("")};
  Checker checker = {.arena = contract->arena,
                     .scratch = scratch,
                     .report = report,
                     .prelude = &prelude,
                     .document = &document,
                     .first_source = &sources[0],
                     .contract = contract,
                     .type_by_name = map_on(scratch),
                     .unknown_names = map_on(scratch),
                     .is_partial = document.is_broken};
  TRY(check_contract(&checker, err));
  return report->has_no_memory ? error_no_memory(err) : CODE_OK;
}

Code contract_load(const ContractFile *files, size_t file_count, Arena *arena, Contract **ret, DiagnosticList *diagnostics, Error *err) {
  Arena *own = arena_create(0);
  TRY_ALLOC(own);
  Contract *contract = ARENA_NEW(own, Contract);
  Report report = {.arena = arena, .list = diagnostics};
  *diagnostics = (DiagnosticList){0};
  Code code = CODE_UNAVAILABLE;
  if (contract == NULL) {
    error_no_memory(err);
  } else {
    contract->arena = own;
    code = load_into(contract, files, file_count, arena, &report, err);
  }
  if (code == CODE_OK && diagnostics->count > 0) {
    code = error_set(err, CODE_VALIDATION_FAILED, "the contract has %zu mistake%s", diagnostics->count, diagnostics->count == 1 ? "" : "s");
  }
  if (code == CODE_OK)
    *ret = contract;
  else
    arena_destroy(own);
  return code;
}
