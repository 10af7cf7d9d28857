#include "codec/csv.h"

void csv_reader_init(CsvReader *reader, Arena *arena, size_t record_bytes_max, size_t cells_max) {
  *reader = (CsvReader){.arena = arena, .text = buf_on(arena, record_bytes_max), .cells_max = cells_max, .line = 1, .record_line = 1};
}

/* ---- The record at hand ---- */

static void begin_record(CsvReader *reader) {
  buf_clear(&reader->text);
  reader->ends.count = 0;
  reader->state = CSV_CELL_BEGIN;
  reader->is_quoted = reader->is_complete = false;
  reader->record_line = reader->line;
}

static Code end_cell(CsvReader *reader, Error *err) {
  if (reader->ends.count >= reader->cells_max)
    return error_set(err, CODE_TOO_LARGE, "line %llu: a record has at most %zu cells", (unsigned long long)reader->record_line,
                     reader->cells_max);
  if (!VEC_PUSH(reader->arena, &reader->ends, ((CsvEnd){reader->text.len, reader->is_quoted}))) return error_no_memory(err);
  reader->state = CSV_CELL_BEGIN;
  reader->is_quoted = false;
  return CODE_OK;
}

static bool is_blank(const CsvReader *reader) { return reader->ends.count == 0 && reader->text.len == 0 && !reader->is_quoted; }

static Code end_record(CsvReader *reader, bool *ret_has_record, Error *err) {
  if (is_blank(reader)) {
    begin_record(reader);
    return CODE_OK;
  }
  TRY(end_cell(reader, err));
  reader->is_complete = *ret_has_record = true;
  return CODE_OK;
}

static Code check_text(const CsvReader *reader, Error *err) {
  if (reader->text.failed == CODE_OK) return CODE_OK;
  if (reader->text.failed != CODE_TOO_LARGE) return error_no_memory(err);
  return error_set(err, CODE_TOO_LARGE, "line %llu: a record has at most %zu bytes", (unsigned long long)reader->record_line,
                   reader->text.max);
}

static Code stray_quote(const CsvReader *reader, Error *err) {
  return error_set(err, CODE_BAD_REQUEST, "line %llu: a quote must open and close its cell; inside it is written twice",
                   (unsigned long long)reader->line);
}

/* ---- Bytes ---- */

/* As many as need no look: up to the next byte that means something in this state. */
static void take_run(CsvReader *reader, Str *bytes) {
  size_t n = 0;
  if (reader->state == CSV_QUOTED) {
    while (n < bytes->len && bytes->ptr[n] != '"') reader->line += bytes->ptr[n++] == '\n';
  } else {
    while (n < bytes->len && bytes->ptr[n] != ',' && bytes->ptr[n] != '\n' && bytes->ptr[n] != '"') n++;
    if (n > 0) reader->state = CSV_PLAIN;
  }
  buf_add(&reader->text, str_slice(*bytes, 0, n));
  *bytes = str_slice(*bytes, n, bytes->len);
}

/* The CR of a CRLF was taken for text: only at its very end, and never a quoted cell's. */
static void drop_line_end(CsvReader *reader) {
  size_t begin = reader->ends.count == 0 ? 0 : reader->ends.items[reader->ends.count - 1].end;
  bool has_cr = !reader->is_quoted && reader->text.len > begin && reader->text.ptr[reader->text.len - 1] == '\r';
  if (has_cr) reader->text.len--;
}

static Code take_mark(CsvReader *reader, char byte, bool *ret_has_record, Error *err) {
  if (byte == ',') return end_cell(reader, err);
  if (byte == '\n') {
    reader->line++;
    drop_line_end(reader);
    return end_record(reader, ret_has_record, err);
  }
  if (reader->state != CSV_CELL_BEGIN) return stray_quote(reader, err);
  reader->state = CSV_QUOTED;
  reader->is_quoted = true;
  return CODE_OK;
}

/* Behind a quote inside a quoted cell: another one is a quote, all else must end the cell. */
static Code take_after_quote(CsvReader *reader, Str *bytes, bool *ret_has_record, Error *err) {
  char byte = bytes->ptr[0];
  *bytes = str_slice(*bytes, 1, bytes->len);
  bool is_behind_cr = reader->state == CSV_CR_BEHIND_QUOTED;
  if (byte == '"' && !is_behind_cr) {
    buf_add_byte(&reader->text, '"');
    reader->state = CSV_QUOTED;
    return CODE_OK;
  }
  if (byte == '\r' && !is_behind_cr) {
    reader->state = CSV_CR_BEHIND_QUOTED;
    return CODE_OK;
  }
  if (byte == '\n' || (byte == ',' && !is_behind_cr)) return take_mark(reader, byte, ret_has_record, err);
  return stray_quote(reader, err);
}

/* EF BB BF at the very start says that what follows is UTF-8, which it is anyhow. */
static const char byte_order_mark[] = "\xef\xbb\xbf";
enum { BYTE_ORDER_MARK_LEN = 3 };

static void begin_text(CsvReader *reader) {
  bool is_mark = reader->bom_bytes == BYTE_ORDER_MARK_LEN;
  if (!reader->is_begun && !is_mark && reader->bom_bytes > 0) {
    buf_add(&reader->text, (Str){byte_order_mark, reader->bom_bytes});
    reader->state = CSV_PLAIN;
  }
  reader->is_begun = true;
}

static void skip_mark(CsvReader *reader, Str *bytes) {
  while (!reader->is_begun && bytes->len > 0) {
    if (reader->bom_bytes == BYTE_ORDER_MARK_LEN || bytes->ptr[0] != byte_order_mark[reader->bom_bytes]) {
      begin_text(reader);
    } else {
      reader->bom_bytes++;
      *bytes = str_slice(*bytes, 1, bytes->len);
    }
  }
}

Code csv_read(CsvReader *reader, Str *bytes, bool *ret_has_record, Error *err) {
  *ret_has_record = false;
  if (reader->is_complete) begin_record(reader);
  skip_mark(reader, bytes);
  while (bytes->len > 0 && !*ret_has_record) {
    if (reader->state >= CSV_QUOTE_IN_QUOTED) {
      TRY(take_after_quote(reader, bytes, ret_has_record, err));
      continue;
    }
    take_run(reader, bytes);
    TRY(check_text(reader, err));
    if (bytes->len == 0) break;
    char byte = bytes->ptr[0];
    *bytes = str_slice(*bytes, 1, bytes->len);
    if (reader->state == CSV_QUOTED) {
      reader->state = CSV_QUOTE_IN_QUOTED;
    } else {
      TRY(take_mark(reader, byte, ret_has_record, err));
    }
  }
  return CODE_OK;
}

Code csv_read_end(CsvReader *reader, bool *ret_has_record, Error *err) {
  *ret_has_record = false;
  if (reader->is_complete) begin_record(reader);
  begin_text(reader);
  if (reader->state == CSV_QUOTED)
    return error_set(err, CODE_BAD_REQUEST, "line %llu: the last cell's quote is not closed", (unsigned long long)reader->record_line);
  drop_line_end(reader);
  return end_record(reader, ret_has_record, err);
}

size_t csv_cell_count(const CsvReader *reader) { return reader->ends.count; }

CsvCell csv_cell(const CsvReader *reader, size_t index) {
  size_t begin = index == 0 ? 0 : reader->ends.items[index - 1].end;
  return (CsvCell){str_slice(buf_str(&reader->text), begin, reader->ends.items[index].end), reader->ends.items[index].is_quoted};
}

/* ---- Writing ---- */

static bool needs_quotes(Str text) {
  if (text.len == 0) return true;
  for (size_t i = 0; i < text.len; i++) {
    char byte = text.ptr[i];
    if (byte == '"' || byte == ',' || byte == '\n' || byte == '\r') return true;
  }
  /* Else the first cell of a file would be taken for its byte order mark. */
  return text.ptr[0] == '\xef';
}

void csv_write_cell(Buf *out, Str text) {
  if (!needs_quotes(text)) {
    buf_add(out, text);
    return;
  }
  buf_add_byte(out, '"');
  size_t begin = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] != '"') continue;
    buf_add(out, str_slice(text, begin, i + 1));
    begin = i;
  }
  buf_add(out, str_slice(text, begin, text.len));
  buf_add_byte(out, '"');
}
