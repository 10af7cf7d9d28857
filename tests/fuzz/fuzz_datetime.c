/* fuzz_datetime.c - what is read is written and read back the same; what is read strictly is read loosely too. */
#include <string.h>

#include "base/datetime.h"
#include "property.h"

static void check_timestamp(int64_t us) {
  char text[TIMESTAMP_TEXT_MAX], fixed[TIMESTAMP_TEXT_MAX], http[TIMESTAMP_TEXT_MAX];
  int64_t again;
  PROPERTY(timestamp_in_range(us));
  size_t len = timestamp_write(us, text);
  PROPERTY(timestamp_parse((Str){text, len}, &again) && again == us);
  PROPERTY(timestamp_parse_loose((Str){text, len}, &again) && again == us);
  PROPERTY(timestamp_write_fixed(us, fixed) == 27 && timestamp_parse((Str){fixed, 27}, &again) && again == us);
  PROPERTY(http_date_write(us, http) == 29);
  /* The next moment's text is the next in byte order. */
  if (timestamp_in_range(us + 1)) {
    char next[TIMESTAMP_TEXT_MAX];
    timestamp_write_fixed(us + 1, next);
    PROPERTY(memcmp(fixed, next, 27) < 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Str text = {(const char *)data, size};
  int64_t strict, loose, days, duration_us;
  bool is_strict = timestamp_parse(text, &strict), is_loose = timestamp_parse_loose(text, &loose);
  if (is_strict) PROPERTY(is_loose && strict == loose);
  if (is_loose) check_timestamp(loose);
  if (date_parse(text, &days)) {
    char date[DATE_TEXT_MAX];
    PROPERTY(date_write(days, date) == size && memcmp(date, data, size) == 0);
    PROPERTY(is_loose && loose == days * INT64_C(86400000000));
  }
  if (duration_parse(text, &duration_us)) PROPERTY(size > 0);
  return 0;
}
