/* diff_write.c - a comparison as text for people and as JSON for programs. */
#include "codec/json.h"
#include "contract/diff.h"

static const struct {
  Str name, title;
} classes[DIFF_CLASS_COUNT] = {
    [DIFF_BREAKS_READERS] = {STR_INIT("breaking-readers"), STR_INIT("Breaking for readers")},
    [DIFF_BREAKS_WRITERS] = {STR_INIT("breaking-writers"), STR_INIT("Breaking for writers")},
    [DIFF_ACCESS_WIDENED] = {STR_INIT("access-widened"), STR_INIT("Access widened")},
    [DIFF_ACCESS_NARROWED] = {STR_INIT("access-narrowed"), STR_INIT("Access narrowed")},
    [DIFF_COMPATIBLE] = {STR_INIT("compatible"), STR_INIT("Compatible")},
};

Str diff_class_name(DiffClass class) { return classes[class].name; }

size_t diff_count(const Diff *diff, DiffClass class) {
  size_t count = 0;
  for (size_t i = 0; i < diff->changes.count; i++) count += diff->changes.items[i].class == class;
  return count;
}

static void write_change(Buf *out, const DiffChange *change) {
  SourcePlace place = change->new.line != 0 ? change->new : change->old;
  buf_printf(out, "  %.*s:%u:%u: %.*s: %.*s\n", STR_ARGS(place.file), place.line, place.column, STR_ARGS(change->subject),
             STR_ARGS(change->detail));
}

void diff_write_text(Buf *out, const Diff *diff) {
  bool is_first = true;
  for (DiffClass class = 0; class < DIFF_CLASS_COUNT; class ++) {
    size_t count = diff_count(diff, class);
    if (count == 0) continue;
    buf_printf(out, "%s%.*s (%zu)\n", is_first ? "" : "\n", STR_ARGS(classes[class].title), count);
    is_first = false;
    for (size_t i = 0; i < diff->changes.count; i++) {
      if (diff->changes.items[i].class == class) write_change(out, &diff->changes.items[i]);
    }
  }
  if (is_first) buf_add(out, STR("Nothing changes\n"));
}

static void write_member(Buf *out, const char *name, Str value) {
  buf_printf(out, "\"%s\":", name);
  json_write_string(out, value);
}

static void write_place(Buf *out, const char *name, SourcePlace place) {
  buf_printf(out, ",\"%s\":", name);
  if (place.line == 0) {
    buf_add(out, STR("null"));
    return;
  }
  buf_add_byte(out, '{');
  write_member(out, "file", place.file);
  buf_printf(out, ",\"line\":%u,\"column\":%u}", place.line, place.column);
}

void diff_write_json(Buf *out, const Diff *diff) {
  buf_add(out, STR("{\"changes\":["));
  for (size_t i = 0; i < diff->changes.count; i++) {
    const DiffChange *change = &diff->changes.items[i];
    buf_add(out, i == 0 ? STR("{") : STR(",{"));
    write_member(out, "class", classes[change->class].name);
    buf_add_byte(out, ',');
    write_member(out, "kind", change->kind);
    buf_add_byte(out, ',');
    write_member(out, "subject", change->subject);
    buf_add_byte(out, ',');
    write_member(out, "detail", change->detail);
    write_place(out, "old", change->old);
    write_place(out, "new", change->new);
    buf_add_byte(out, '}');
  }
  buf_add(out, STR("],\"counts\":{"));
  for (DiffClass class = 0; class < DIFF_CLASS_COUNT; class ++)
    buf_printf(out, "%s\"%.*s\":%zu", class == 0 ? "" : ",", STR_ARGS(classes[class].name), diff_count(diff, class));
  buf_add(out, STR("}}\n"));
}
