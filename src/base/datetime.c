/* datetime.c - RFC 3339 text to and from microseconds and days since 1970-01-01. Written by hand: libc's functions know locales, time
 * zones and locks, and cost ten times as much. */
#include "base/datetime.h"

#include <assert.h>
#include <time.h>

enum { TIMESTAMP_FIXED_LEN = 27 };
enum { SECONDS_PER_DAY = 86400, US_PER_SECOND = 1000000, DAYS_PER_ERA = 146097 };

static const int64_t us_per_day = (int64_t)SECONDS_PER_DAY * US_PER_SECOND;
static const int64_t days_first = -719162; /* 0001-01-01 */
static const int64_t days_last = 2932896;  /* 9999-12-31 */

typedef struct CivilDate {
  int year, month, day;
} CivilDate;

/* Years here begin in March, so that the leap day is a year's last: then the months' lengths follow one line (153 days in five months),
 * and 400 years are always 146,097 days. 719,468 days lie between 0000-03-01 and 1970-01-01. */
static int64_t days_from_civil(CivilDate date) {
  int year = date.month <= 2 ? date.year - 1 : date.year; /* never below 0, as years begin at 1 */
  int month = date.month <= 2 ? date.month + 9 : date.month - 3;
  int year_day = (153 * month + 2) / 5 + date.day - 1;
  return (int64_t)year * 365 + year / 4 - year / 100 + year / 400 + year_day - 719468;
}

static CivilDate civil_from_days(int64_t days) {
  uint32_t since_march_0 = (uint32_t)(days + 719468);
  uint32_t era = since_march_0 / DAYS_PER_ERA, era_day = since_march_0 % DAYS_PER_ERA;
  /* The days that leap years added are taken out before the division: one in 4 years (1,461 days), not in 100, but in 400. */
  uint32_t era_year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
  uint32_t year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
  uint32_t month = (5 * year_day + 2) / 153;
  int day = (int)(year_day - (153 * month + 2) / 5 + 1);
  int civil_month = (int)(month < 10 ? month + 3 : month - 9);
  return (CivilDate){(int)(era * 400 + era_year) + (civil_month <= 2), civil_month, day};
}

static bool is_leap_year(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int month_length(int year, int month) {
  static const signed char lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : lengths[month - 1];
}

/* A text that is being read: each take_… moves on where it matches and leaves the place where it doesn't. */
typedef struct Scan {
  const char *at;
  const char *end;
} Scan;

static bool take_byte(Scan *scan, char byte) {
  if (scan->at == scan->end || *scan->at != byte) return false;
  scan->at++;
  return true;
}

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

static bool take_digits(Scan *scan, int count, int *ret) {
  if (scan->end - scan->at < count) return false;
  int n = 0;
  for (int i = 0; i < count; i++) {
    if (!is_digit(scan->at[i])) return false;
    n = n * 10 + (scan->at[i] - '0');
  }
  scan->at += count;
  *ret = n;
  return true;
}

static bool take_date(Scan *scan, int64_t *ret_days) {
  CivilDate date;
  if (!take_digits(scan, 4, &date.year) || !take_byte(scan, '-') || !take_digits(scan, 2, &date.month) || !take_byte(scan, '-') ||
      !take_digits(scan, 2, &date.day))
    return false;
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 || date.day > month_length(date.year, date.month)) return false;
  *ret_days = days_from_civil(date);
  return true;
}

/* Behind the point: microseconds. What is finer must be zero, since dropping it would change the value. */
static bool take_fraction(Scan *scan, int64_t *ret_us) {
  int64_t us = 0, place = US_PER_SECOND / 10;
  const char *start = scan->at;
  for (; scan->at < scan->end && is_digit(*scan->at); scan->at++, place /= 10) {
    if (place == 0 && *scan->at != '0') return false;
    us += (*scan->at - '0') * place;
  }
  *ret_us = us;
  return scan->at > start;
}

/* hh:mm:ss with a fraction; seconds may be left out where `is_loose`. */
static bool take_time(Scan *scan, bool is_loose, int64_t *ret_us) {
  int hour, minute, second = 0;
  int64_t fraction_us = 0;
  if (!take_digits(scan, 2, &hour) || !take_byte(scan, ':') || !take_digits(scan, 2, &minute)) return false;
  if (take_byte(scan, ':')) {
    if (!take_digits(scan, 2, &second)) return false;
    if (take_byte(scan, '.') && !take_fraction(scan, &fraction_us)) return false;
  } else if (!is_loose) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *ret_us = (hour * 3600 + minute * 60 + second) * (int64_t)US_PER_SECOND + fraction_us;
  return true;
}

/* "Z" or "+01:30"; where `is_loose` also nothing, "+01" and "+0130", as databases write them. */
static bool take_offset(Scan *scan, bool is_loose, int64_t *ret_us) {
  *ret_us = 0;
  if (take_byte(scan, 'Z') || take_byte(scan, 'z')) return true;
  if (is_loose && scan->at == scan->end) return true;
  bool is_west = take_byte(scan, '-');
  if (!is_west && !take_byte(scan, '+')) return false;
  int hours, minutes = 0;
  if (!take_digits(scan, 2, &hours)) return false;
  bool has_colon = take_byte(scan, ':');
  if (!has_colon && !is_loose) return false;
  if ((has_colon || scan->at != scan->end) && !take_digits(scan, 2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  int64_t us = (hours * 3600 + minutes * 60) * (int64_t)US_PER_SECOND;
  *ret_us = is_west ? -us : us;
  return true;
}

static bool parse(Str s, bool is_loose, int64_t *ret_us) {
  Scan scan = {s.ptr, s.len == 0 ? s.ptr : s.ptr + s.len};
  int64_t days, time_us = 0, offset_us = 0;
  if (!take_date(&scan, &days)) return false;
  if (!is_loose || scan.at != scan.end) {
    bool is_separated = take_byte(&scan, 'T') || take_byte(&scan, 't') || (is_loose && take_byte(&scan, ' '));
    if (!is_separated || !take_time(&scan, is_loose, &time_us) || !take_offset(&scan, is_loose, &offset_us)) return false;
  }
  int64_t us = days * us_per_day + time_us - offset_us;
  if (scan.at != scan.end || !timestamp_in_range(us)) return false;
  *ret_us = us;
  return true;
}

/* Two digits, or a negative number. */
static int pair_at(const char *at) {
  unsigned tens = (unsigned char)(at[0] - '0'), ones = (unsigned char)(at[1] - '0');
  return tens > 9 || ones > 9 ? -1 : (int)(tens * 10 + ones);
}

/* "2026-11-23T12:00:00.000000Z", as timestamp_write_fixed has it: what stands in a store's rows. Its places are known, so that each is
 * looked at once. False: another form, or no time at all. */
static bool parse_fixed(const char *s, int64_t *ret_us) {
  bool has_form = s[4] == '-' && s[7] == '-' && s[10] == 'T' && s[13] == ':' && s[16] == ':' && s[19] == '.' && s[26] == 'Z';
  int century = pair_at(s), year = pair_at(s + 2), month = pair_at(s + 5), day = pair_at(s + 8);
  int hour = pair_at(s + 11), minute = pair_at(s + 14), second = pair_at(s + 17);
  int us_10000 = pair_at(s + 20), us_100 = pair_at(s + 22), us = pair_at(s + 24);
  if (!has_form || (century | year | month | day | hour | minute | second | us_10000 | us_100 | us) < 0) return false;
  year += century * 100;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_length(year, month)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  int64_t seconds = days_from_civil((CivilDate){year, month, day}) * SECONDS_PER_DAY + (int64_t)(hour * 3600 + minute * 60 + second);
  *ret_us = seconds * US_PER_SECOND + (int64_t)(us_10000 * 10000 + us_100 * 100 + us);
  return true;
}

bool timestamp_parse(Str s, int64_t *ret_us) {
  if (s.len == TIMESTAMP_FIXED_LEN && parse_fixed(s.ptr, ret_us)) return true;
  return parse(s, false, ret_us);
}

bool timestamp_parse_loose(Str s, int64_t *ret_us) { return parse(s, true, ret_us); }

bool timestamp_in_range(int64_t us) { return us >= days_first * us_per_day && us < (days_last + 1) * us_per_day; }

static char *put_2(char *out, int n) {
  static const char pairs[201] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                                 "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
  memcpy(out, pairs + (size_t)n * 2, 2);
  return out + 2;
}

static char *put_date(char *out, int64_t days) {
  CivilDate date = civil_from_days(days);
  out = put_2(out, date.year / 100);
  out = put_2(out, date.year % 100);
  *out++ = '-';
  out = put_2(out, date.month);
  *out++ = '-';
  return put_2(out, date.day);
}

static char *put_time(char *out, int second_of_day) {
  out = put_2(out, second_of_day / 3600);
  *out++ = ':';
  out = put_2(out, second_of_day / 60 % 60);
  *out++ = ':';
  return put_2(out, second_of_day % 60);
}

/* Rounds down, also before 1970. */
static int64_t split(int64_t us, int64_t unit, int64_t *ret_rest) {
  int64_t whole = us / unit, rest = us % unit;
  if (rest < 0) {
    whole--;
    rest += unit;
  }
  *ret_rest = rest;
  return whole;
}

static char *put_fraction(char *out, int us) {
  *out++ = '.';
  out = put_2(out, us / 10000);
  out = put_2(out, us / 100 % 100);
  return put_2(out, us % 100);
}

/* The date, the T and the seconds; *ret_fraction_us is what is left. */
static char *put_seconds(char *out, int64_t us, int *ret_fraction_us) {
  assert(timestamp_in_range(us));
  int64_t rest, days = split(us, us_per_day, &rest);
  out = put_date(out, days);
  *out++ = 'T';
  *ret_fraction_us = (int)(rest % US_PER_SECOND);
  return put_time(out, (int)(rest / US_PER_SECOND));
}

size_t timestamp_write(int64_t us, char out[TIMESTAMP_TEXT_MAX]) {
  int fraction_us;
  char *at = put_seconds(out, us, &fraction_us);
  if (fraction_us != 0) {
    at = put_fraction(at, fraction_us);
    while (at[-1] == '0') at--;
  }
  *at++ = 'Z';
  return (size_t)(at - out);
}

size_t timestamp_write_fixed(int64_t us, char out[TIMESTAMP_TEXT_MAX]) {
  int fraction_us;
  char *at = put_seconds(out, us, &fraction_us);
  at = put_fraction(at, fraction_us);
  *at++ = 'Z';
  return (size_t)(at - out);
}

bool date_parse(Str s, int64_t *ret_days) {
  Scan scan = {s.ptr, s.len == 0 ? s.ptr : s.ptr + s.len};
  int64_t days;
  if (!take_date(&scan, &days) || scan.at != scan.end) return false;
  *ret_days = days;
  return true;
}

bool date_in_range(int64_t days) { return days >= days_first && days <= days_last; }

size_t date_write(int64_t days, char out[DATE_TEXT_MAX]) {
  assert(date_in_range(days));
  return (size_t)(put_date(out, days) - out);
}

/* Nanoseconds, since that is the smallest unit which may be written; 0 where there is no such unit. */
static int64_t take_unit(Scan *scan) {
  static const struct {
    Str name;
    int64_t ns;
  } units[] = {/* the longer first: "ms" before "m" */
               {STR_INIT("ns"), 1},           {STR_INIT("us"), 1000},         {STR_INIT("\xC2\xB5s"), 1000},   {STR_INIT("ms"), 1000000},
               {STR_INIT("s"), 1000000000LL}, {STR_INIT("m"), 60000000000LL}, {STR_INIT("h"), 3600000000000LL}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    size_t len = units[i].name.len;
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, units[i].name.ptr, len) != 0) continue;
    scan->at += len;
    return units[i].ns;
  }
  return 0;
}

/* One "1.5h", added to *total_ns; finer than a nanosecond is dropped. */
static bool take_duration_part(Scan *scan, __int128 *total_ns) {
  int64_t whole = 0, fraction = 0, fraction_unit = 1;
  const char *start = scan->at;
  for (; scan->at < scan->end && is_digit(*scan->at); scan->at++)
    if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *scan->at - '0', &whole)) return false;
  size_t digits = (size_t)(scan->at - start);
  if (take_byte(scan, '.')) {
    for (; scan->at < scan->end && is_digit(*scan->at); scan->at++, digits++) {
      if (fraction_unit > INT64_MAX / 1000) continue;
      fraction = fraction * 10 + (*scan->at - '0');
      fraction_unit *= 10;
    }
  }
  int64_t unit_ns = digits == 0 ? 0 : take_unit(scan);
  if (unit_ns == 0) return false;
  *total_ns += (__int128)whole * unit_ns + (__int128)fraction * unit_ns / fraction_unit;
  return *total_ns <= (__int128)INT64_MAX * 1000;
}

bool duration_parse(Str s, int64_t *ret_us) {
  Scan scan = {s.ptr, s.len == 0 ? s.ptr : s.ptr + s.len};
  bool is_negative = take_byte(&scan, '-');
  if (!is_negative) take_byte(&scan, '+');
  if (scan.at == scan.end) return false;
  __int128 total_ns = 0;
  if (scan.end - scan.at == 1 && *scan.at == '0') scan.at++; /* zero needs no unit */
  while (scan.at < scan.end)
    if (!take_duration_part(&scan, &total_ns)) return false;
  int64_t us = (int64_t)(total_ns / 1000);
  *ret_us = is_negative ? -us : us;
  return true;
}

int64_t timestamp_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

size_t http_date_write(int64_t us, char out[TIMESTAMP_TEXT_MAX]) {
  assert(timestamp_in_range(us));
  static const char week_days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */
  static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t rest, week_day, days = split(us, us_per_day, &rest);
  split(days, 7, &week_day);
  CivilDate date = civil_from_days(days);
  char *at = out;
  memcpy(at, week_days[week_day], 3);
  memcpy(at + 3, ", ", 2);
  at = put_2(at + 5, date.day);
  *at++ = ' ';
  memcpy(at, months[date.month - 1], 3);
  at[3] = ' ';
  at = put_2(at + 4, date.year / 100);
  at = put_2(at, date.year % 100);
  *at++ = ' ';
  at = put_time(at, (int)(rest / US_PER_SECOND));
  memcpy(at, " GMT", 4);
  return (size_t)(at + 4 - out);
}
