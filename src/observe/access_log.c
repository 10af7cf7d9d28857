/* access_log.c - two buffers' worth of lines at most; a write of at most PIPE_BUF bytes, which poll(2) has promised, never blocks and is
 * never torn. */
#include "observe/access_log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "base/utf8.h"

enum { BUFFER_BYTES_MAX = 256 * 1024, FLUSH_BYTES = 16 * 1024, TEXT_BYTES_MAX = 1024 };

struct AccessLog {
  int fd;
  AccessLogFormat format;
  bool may_block; /* a pipe, a socket or a terminal: its reader decides */
  Buf lines;
  uint64_t first_ms; /* when the oldest line in `lines` was seen by a flush; 0: none was */
  uint64_t dropped;
};

Code access_log_create(int fd, AccessLogFormat format, AccessLog **ret, Error *err) {
  AccessLog *log = memory_alloc(sizeof *log);
  TRY_ALLOC(log);
  struct stat info;
  bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  *log = (AccessLog){.fd = fd, .format = format, .may_block = !is_file, .lines = buf_on_heap(BUFFER_BYTES_MAX)};
  *ret = log;
  return CODE_OK;
}

void access_log_destroy(AccessLog *log) {
  if (log == NULL) return;
  (void)access_log_flush(log, 0, true);
  buf_done(&log->lines);
  memory_free(log);
}

uint64_t access_log_dropped(const AccessLog *log) { return log->dropped; }

/* As JSON wants it, and harmless on a terminal: control characters, and every byte of text that is not UTF-8, as \u00XX. */
static void add_escaped(Buf *out, Str s) {
  static const char hex[] = "0123456789abcdef";
  s = utf8_cut(s, TEXT_BYTES_MAX);
  bool is_utf8 = utf8_is_valid(s);
  size_t plain = 0;
  for (size_t i = 0; i < s.len; i++) {
    unsigned char byte = (unsigned char)s.ptr[i];
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f && (byte < 0x80 || is_utf8)) continue;
    buf_add(out, str_slice(s, plain, i));
    buf_add(out, STR("\\u00"));
    buf_add_byte(out, hex[byte >> 4]);
    buf_add_byte(out, hex[byte & 15]);
    plain = i + 1;
  }
  buf_add(out, str_slice(s, plain, s.len));
}

static void add_member(Buf *out, Str name, Str value) {
  if (value.len == 0) return;
  buf_add(out, name);
  add_escaped(out, value);
  buf_add_byte(out, '"');
}

static void add_milliseconds(Buf *out, int64_t us) {
  buf_add_int64(out, us / 1000);
  buf_add_byte(out, '.');
  int64_t rest = us % 1000;
  buf_add_byte(out, (char)('0' + rest / 100));
  buf_add_byte(out, (char)('0' + rest / 10 % 10));
  buf_add_byte(out, (char)('0' + rest % 10));
}

static void add_time(Buf *out, int64_t time_us) {
  char text[TIMESTAMP_TEXT_MAX];
  buf_add(out, (Str){text, timestamp_write_fixed(time_us, text)});
}

static void add_json(Buf *out, const AccessEntry *entry) {
  buf_add(out, STR("{\"time\":\""));
  add_time(out, entry->time_us);
  buf_add_byte(out, '"');
  add_member(out, STR(",\"method\":\""), entry->method);
  add_member(out, STR(",\"target\":\""), entry->target);
  add_member(out, STR(",\"protocol\":\""), entry->protocol);
  buf_add(out, STR(",\"status\":"));
  buf_add_int64(out, entry->status);
  add_member(out, STR(",\"code\":\""), entry->code);
  buf_add(out, STR(",\"durationMs\":"));
  add_milliseconds(out, entry->duration_us);
  buf_add(out, STR(",\"bytesIn\":"));
  buf_add_uint64(out, entry->bytes_in);
  buf_add(out, STR(",\"bytesOut\":"));
  buf_add_uint64(out, entry->bytes_out);
  add_member(out, STR(",\"peer\":\""), entry->peer);
  add_member(out, STR(",\"requestId\":\""), entry->request_id);
  add_member(out, STR(",\"traceId\":\""), entry->trace_id);
  add_member(out, STR(",\"caller\":\""), entry->caller);
  buf_add(out, STR("}\n"));
}

static void add_text(Buf *out, const AccessEntry *entry) {
  add_time(out, entry->time_us);
  buf_add_byte(out, ' ');
  buf_add_int64(out, entry->status);
  buf_add_byte(out, ' ');
  add_escaped(out, entry->method.len != 0 ? entry->method : STR("-"));
  buf_add_byte(out, ' ');
  add_escaped(out, entry->target.len != 0 ? entry->target : STR("-"));
  buf_add_byte(out, ' ');
  add_milliseconds(out, entry->duration_us);
  buf_add(out, STR(" ms "));
  buf_add_uint64(out, entry->bytes_out);
  buf_add(out, STR(" bytes"));
  if (entry->code.len != 0) buf_add_byte(out, ' ');
  buf_add(out, entry->code);
  if (entry->caller.len != 0) buf_add(out, STR(" by "));
  add_escaped(out, entry->caller);
  buf_add_byte(out, '\n');
}

void access_log_add(AccessLog *log, const AccessEntry *entry) {
  Buf *lines = &log->lines;
  size_t before = lines->len;
  if (log->format == ACCESS_LOG_JSON)
    add_json(lines, entry);
  else
    add_text(lines, entry);
  if (lines->failed == CODE_OK) return;
  lines->failed = CODE_OK;
  lines->len = before;
  log->dropped++;
}

/* How much of the lines may go in one write: whole lines up to PIPE_BUF, or everything into a file. */
static size_t piece_length(const AccessLog *log) {
  if (!log->may_block || log->lines.len <= PIPE_BUF) return log->lines.len;
  const char *end = memrchr(log->lines.ptr, '\n', PIPE_BUF);
  return end == NULL ? PIPE_BUF : (size_t)(end - log->lines.ptr) + 1;
}

static bool is_writable(const AccessLog *log) {
  if (!log->may_block) return true;
  struct pollfd wanted = {.fd = log->fd, .events = POLLOUT};
  return poll(&wanted, 1, 0) == 1;
}

static void write_lines(AccessLog *log) {
  while (log->lines.len > 0 && is_writable(log)) {
    ssize_t n = write(log->fd, log->lines.ptr, piece_length(log));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { /* closed, or a full disk: nobody will read these */
      log->dropped++;
      buf_clear(&log->lines);
      return;
    }
    log->lines.len -= (size_t)n;
    memmove(log->lines.ptr, log->lines.ptr + n, log->lines.len);
  }
}

bool access_log_flush(AccessLog *log, uint64_t now_ms, bool is_forced) {
  if (log->lines.len == 0) return false;
  if (log->first_ms == 0) log->first_ms = now_ms;
  if (!is_forced && log->lines.len < FLUSH_BYTES && now_ms - log->first_ms < ACCESS_LOG_DELAY_MS) return true;
  write_lines(log);
  log->first_ms = 0;
  return log->lines.len > 0;
}
