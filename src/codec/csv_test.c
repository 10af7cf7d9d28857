/* csv_test.c */
#include "codec/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RECORD_MAX = 64, CELLS_MAX = 6 };

/* All records as text: cells in brackets, quoted ones marked, records separated by |. The bytes come `piece` at a time. */
static Code read_all(Str text, size_t piece, Buf *out, Error *err) {
  Arena *arena = arena_create(0);
  CsvReader reader;
  csv_reader_init(&reader, arena, RECORD_MAX, CELLS_MAX);
  Code code = CODE_OK;
  bool has_record = false, is_over = false;
  while (code == CODE_OK && !is_over) {
    Str bytes = str_slice(text, 0, piece);
    size_t given = bytes.len;
    code = given == 0 ? csv_read_end(&reader, &has_record, err) : csv_read(&reader, &bytes, &has_record, err);
    text = str_slice(text, given - bytes.len, text.len);
    for (size_t i = 0; code == CODE_OK && has_record && i < csv_cell_count(&reader); i++) {
      CsvCell cell = csv_cell(&reader, i);
      buf_add(out, cell.is_quoted ? STR("[\"") : STR("["));
      buf_add(out, cell.text);
      buf_add_byte(out, ']');
    }
    if (has_record) buf_add_byte(out, '|');
    is_over = given == 0 && !has_record;
  }
  arena_destroy(arena);
  return code;
}

static void assert_reads(Str text, const char *expected) {
  for (size_t piece = 1; piece <= 16; piece++) {
    Buf out = buf_on_heap(4096);
    Error err = {0};
    assert_int_equal(read_all(text, piece, &out, &err), CODE_OK);
    buf_add_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    buf_done(&out);
  }
}

static void assert_refused(Str text, Code expected, const char *message) {
  for (size_t piece = 1; piece <= 128; piece *= 2) {
    Buf out = buf_on_heap(4096);
    Error err = {0};
    assert_int_equal(read_all(text, piece, &out, &err), expected);
    assert_non_null(strstr(err.text, message));
    buf_done(&out);
  }
}

static void records_end_with_either_line_end_and_the_last_may_lack_it(void **state) {
  (void)state;
  assert_reads(STR("a,b\r\nc,d\ne,f"), "[a][b]|[c][d]|[e][f]|");
  assert_reads(STR("a,b\r\n"), "[a][b]|");
  assert_reads(STR(""), "");
}

static void quotes_hold_commas_line_ends_and_doubled_quotes(void **state) {
  (void)state;
  assert_reads(STR("\"a,b\",\"c\r\nd\",\"e\"\"f\"\r\n\"\"\r\n"), "[\"a,b][\"c\r\nd][\"e\"f]|[\"]|");
}

static void an_empty_text_and_no_value_differ(void **state) {
  (void)state;
  assert_reads(STR("a,,\"\",b\n,\n"), "[a][][\"][b]|[][]|");
}

static void lines_without_anything_are_passed_over(void **state) {
  (void)state;
  assert_reads(STR("\n\r\na\n\n\nb\n\n"), "[a]|[b]|");
}

static void a_byte_order_mark_is_passed_over_at_the_start_only(void **state) {
  (void)state;
  assert_reads(STR("\xef\xbb\xbf"
                   "a,b\n\xef\xbb\xbf"
                   "c\n"),
               "[a][b]|[\xef\xbb\xbf"
               "c]|");
  assert_reads(STR("\xef\xbb"
                   "a\n"),
               "[\xef\xbb"
               "a]|");
}

static void misplaced_quotes_are_refused_with_their_line(void **state) {
  (void)state;
  assert_refused(STR("a\nb\"c\n"), CODE_BAD_REQUEST, "line 2: a quote must open and close its cell");
  assert_refused(STR("\"a\"b\n"), CODE_BAD_REQUEST, "line 1: a quote");
  assert_refused(STR("\"a\"\rb\n"), CODE_BAD_REQUEST, "line 1: a quote");
  assert_refused(STR("a\n\"b\nc"), CODE_BAD_REQUEST, "line 2: the last cell's quote is not closed");
}

static void long_records_are_refused(void **state) {
  (void)state;
  assert_refused(STR("a\n0123456789012345678901234567890123456789,0123456789012345678901234567890123456789\n"), CODE_TOO_LARGE,
                 "line 2: a record has at most 64 bytes");
  assert_refused(STR("1,2,3,4,5,6,7\n"), CODE_TOO_LARGE, "line 1: a record has at most 6 cells");
}

static void cells_are_quoted_where_they_need_it(void **state) {
  (void)state;
  static const Str cells[] = {STR_INIT("plain"), STR_INIT(""), STR_INIT("a,b"), STR_INIT("a\"b"), STR_INIT("a\nb"), STR_INIT("ü")};
  Buf out = buf_on_heap(1000);
  for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
    csv_write_cell(&out, cells[i]);
    buf_add_byte(&out, ';');
  }
  assert_true(str_equal(buf_str(&out), STR("plain;\"\";\"a,b\";\"a\"\"b\";\"a\nb\";ü;")));
  buf_done(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_end_with_either_line_end_and_the_last_may_lack_it),
      cmocka_unit_test(quotes_hold_commas_line_ends_and_doubled_quotes),
      cmocka_unit_test(an_empty_text_and_no_value_differ),
      cmocka_unit_test(lines_without_anything_are_passed_over),
      cmocka_unit_test(a_byte_order_mark_is_passed_over_at_the_start_only),
      cmocka_unit_test(misplaced_quotes_are_refused_with_their_line),
      cmocka_unit_test(long_records_are_refused),
      cmocka_unit_test(cells_are_quoted_where_they_need_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
