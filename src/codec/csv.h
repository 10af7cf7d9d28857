/* csv.h - comma-separated values (RFC 4180), read from pieces as they come and written cell by cell. A cell that was quoted is told from
 * one that was not, so that an empty text ("") and no value at all () differ. Lines end with LF or CRLF; a byte order mark is passed over.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

typedef struct CsvCell {
  Str text;
  bool is_quoted;
} CsvCell;

typedef enum CsvState { CSV_CELL_BEGIN = 0, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE_IN_QUOTED, CSV_CR_BEHIND_QUOTED } CsvState;

typedef struct CsvEnd {
  size_t end; /* of the cell's text in the record's */
  bool is_quoted;
} CsvEnd;

/* Embedded; not thread-safe. */
typedef struct CsvReader {
  Arena *arena;
  Buf text; /* of the record at hand, quotes taken away */
  VEC(CsvEnd) ends;
  size_t cells_max;
  uint64_t line;        /* where the next byte stands, from 1 */
  uint64_t record_line; /* where the record at hand, or the one just given, began */
  CsvState state;
  size_t bom_bytes; /* of a byte order mark that were seen at the very start */
  bool is_begun, is_quoted, is_complete;
} CsvReader;

/* On the arena, which it uses once for each new size of a record. A record longer than `record_bytes_max` or of more cells than `cells_max`
 * is refused. */
void csv_reader_init(CsvReader *reader, Arena *arena, size_t record_bytes_max, size_t cells_max);

/* Takes bytes from the front of *bytes until a record is whole (*ret_has_record: its cells stay until the next call) or none are left.
 * Lines without anything are passed over. CODE_BAD_REQUEST for a malformed record, CODE_TOO_LARGE for one beyond the limits,
 * CODE_UNAVAILABLE without memory; err->text names the line. */
Code csv_read(CsvReader *reader, Str *bytes, bool *ret_has_record, Error *err);
/* There are no more bytes: a last record may lack its line end. */
Code csv_read_end(CsvReader *reader, bool *ret_has_record, Error *err);

size_t csv_cell_count(const CsvReader *reader);
CsvCell csv_cell(const CsvReader *reader, size_t index);

/* One cell, in quotes where it needs them or is empty: nothing at all is for the caller to write where there is no value. */
void csv_write_cell(Buf *out, Str text);
