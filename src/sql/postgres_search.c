/* postgres_search.c - see postgres_search.h. Words are found as SQLite's FTS5 finds them (unicode61, remove_diacritics 2): runs of letters
 * and digits, without their case, a to z without accents. PostgreSQL's own parser would see addresses, paths and numbers with a sign; so it
 * is given words with single spaces between them, each behind letters that tell its field: a word of the first field is "a" and the word,
 * of the second "b" and the word. Then it can only split at the spaces, a phrase can't go from one field into the next, and a search in
 * some of the fields is one in the same index. docs/reading.md tells what differs from SQLite. */
#include "sql/postgres_search.h"

#include "codec/json.h"
#include "sql/postgres_types.h"
#include "sql/select.h"

/* A tsvector holds a megabyte, and is refused beyond it; a character takes 5 bytes at most there. */
enum { CHARACTERS_MAX = 200000, TAG_LETTERS = 25 };

/* BM25 of one row by itself, as store/sqlite_search.c has it. */
#define SATURATION "1.2"
#define LENGTH_WEIGHT "0.75"
#define LENGTH_USUAL "32"

/* ---- words ---- */

/* a, b … y, za, zb … zy, zza …: none begins another. */
static void write_tag(Buf *out, uint32_t column) {
  for (; column >= TAG_LETTERS; column -= TAG_LETTERS) buf_add_byte(out, 'z');
  buf_add_byte(out, (char)('a' + (int)column));
}

/* What is between a text and its words: accents of Latin letters go (their marks stand behind the letter once it is taken apart), case
 * goes, and everything that is neither letter nor digit becomes a space. */
#define WORDS_BEFORE "regexp_replace(lower(normalize(regexp_replace(normalize("
#define WORDS_BEHIND ", NFD), '([A-Za-z])[\\u0300-\\u036f]+', '\\1', 'g'), NFC) COLLATE \"und-x-icu\"), '[^[:alnum:]]+', ' ', 'g')"

void postgres_search_write_vector(Buf *out, const Resource *resource, Str row) {
  for (size_t i = 0; i < resource->search_count; i++) {
    if (i > 0) buf_add(out, STR(" || "));
    buf_add(out, STR("to_tsvector('pg_catalog.simple'::regconfig, regexp_replace(" WORDS_BEFORE "left(coalesce("));
    buf_add(out, row);
    sql_write_identifier(out, resource->search[i]->column);
    if (postgres_kind(resource->search[i]) != POSTGRES_TEXT) buf_add(out, STR("::text"));
    buf_printf(out, ", ''), %d)" WORDS_BEHIND ", '(\\S+)', '", CHARACTERS_MAX / (int)resource->search_count);
    write_tag(out, (uint32_t)i);
    buf_add(out, STR("\\1', 'g'))"));
  }
}

/* The texts of enums and of types that others made are not immutable. */
bool postgres_search_has_index(const Resource *resource) {
  for (size_t i = 0; i < resource->search_count; i++) {
    PostgresKind kind = postgres_kind(resource->search[i]);
    if (kind != POSTGRES_TEXT && kind != POSTGRES_PADDED) return false;
  }
  return resource->search_count > 0 && resource->key_count > 0;
}

/* ---- what is asked ---- */

/* {"c":["a","c"],"t":[["tea",false],["gree",true]]}: the words are a client's, and become words in the same way as a row's. */
void postgres_search_write_pattern(Buf *out, const SqlSearchTerm *terms, size_t term_count, const uint32_t *columns, size_t column_count) {
  buf_add(out, STR("{\"c\":["));
  for (size_t i = 0; i < column_count; i++) {
    buf_add(out, i > 0 ? STR(",\"") : STR("\""));
    write_tag(out, columns[i]);
    buf_add_byte(out, '"');
  }
  buf_add(out, STR("],\"t\":["));
  for (size_t i = 0; i < term_count; i++) {
    buf_add(out, i > 0 ? STR(",[") : STR("["));
    json_write_string(out, terms[i].text);
    buf_add(out, terms[i].is_prefix ? STR(",true]") : STR(",false]"));
  }
  buf_add(out, STR("]}"));
}

/* Each term in each field: n, tag, its words, and whether the last may go on. */
static void write_terms(Buf *out, Str param) {
  buf_add(out, STR("(WITH q AS MATERIALIZED (SELECT t.n, c.tag COLLATE \"C\" AS tag, t.words, t.is_prefix FROM "
                   "(SELECT n, string_to_array(btrim(" WORDS_BEFORE "e->>0" WORDS_BEHIND
                   ") COLLATE \"C\", ' ') AS words, (e->>1)::boolean AS is_prefix FROM json_array_elements(("));
  buf_add(out, param);
  buf_add(out, STR(")::json->'t') WITH ORDINALITY AS a(e, n) OFFSET 0) AS t CROSS JOIN json_array_elements_text(("));
  buf_add(out, param);
  buf_add(out, STR(")::json->'c') AS c(tag))"));
}

/* ('agreen' <-> 'atea':* | 'bgreen' <-> 'btea':*) & …: in the quotes are letters and digits alone. It looks at no row, and is made once. A
 * term in which there is no word is found nowhere, as in SQLite. */
static void write_query(Buf *out, Str param) {
  write_terms(out, param);
  buf_add(out,
          STR(" SELECT CASE WHEN bool_and(x.part IS NOT NULL) THEN string_agg(x.part, ' & ' ORDER BY x.n)::tsquery END FROM (SELECT n, '(' "
              "|| string_agg(part, ' | ' ORDER BY tag) "
              "|| ')' AS part FROM (SELECT n, tag, (SELECT string_agg('''' || tag || w.word || '''' || CASE WHEN is_prefix AND "
              "w.j = cardinality(words) THEN ':*' ELSE '' END, ' <-> ' ORDER BY w.j) FROM unnest(words) WITH ORDINALITY AS w(word, j)) "
              "AS part FROM q) AS y GROUP BY n) AS x)"));
}

/* Of a row's vector: u is each word with each of its places. A word that goes on is looked for by its beginning, the others of a phrase
 * each in its place behind the first. */
#define WORD_IS(unit, word, is_last)                                                                                                       \
  "(CASE WHEN q.is_prefix AND " is_last " THEN starts_with(" unit ".lexeme, q.tag || " word ") ELSE " unit ".lexeme = q.tag || " word      \
  " END)"
#define FOUND                                                                                                                              \
  "(SELECT count(*) FROM u WHERE " WORD_IS(                                                                                                \
      "u", "q.words[1]", "cardinality(q.words) = 1") " AND NOT EXISTS (SELECT 1 FROM generate_series(2, cardinality(q.words)) AS w(j) "    \
                                                     "WHERE NOT EXISTS (SELECT 1 FROM u AS o "                                             \
                                                     "WHERE o.place = u.place + w.j - 1 AND " WORD_IS("o", "q.words[w.j]",                 \
                                                                                                      "w.j = cardinality(q.words)") ")))"
#define LENGTH "(SELECT count(*) FROM u WHERE starts_with(u.lexeme, q.tag))"

static void write_rank(Buf *out, const Resource *resource, Str row, Str param) {
  write_terms(out, param);
  buf_add(out, STR(", u AS MATERIALIZED (SELECT e.lexeme COLLATE \"C\" AS lexeme, p.place FROM unnest("));
  postgres_search_write_vector(out, resource, row);
  buf_add(out,
          STR(") AS e(lexeme, places, weights) CROSS JOIN unnest(e.places) AS p(place)) "
              "SELECT -sum(f.score * (" SATURATION "::float8 + 1) / (f.score + " SATURATION "::float8) ORDER BY f.n) FROM "
              "(SELECT q.n, sum(" FOUND "::float8 / (1 - " LENGTH_WEIGHT "::float8 + " LENGTH_WEIGHT "::float8 * " LENGTH " / " LENGTH_USUAL
              ") ORDER BY q.tag) AS score FROM q WHERE cardinality(q.words) > 0 GROUP BY q.n) AS f WHERE f.score > 0)"));
}

/* Correlated with the row, and without anything that would keep the planner from taking it apart: then the condition is one on the row's
 * own table, which the index serves, and the rank is computed of what was found. */
void postgres_search_write(Buf *out, const Resource *resource, Str row, Str param) {
  buf_add(out, STR("LATERAL (SELECT "));
  for (size_t i = 0; i < resource->key_count; i++) {
    buf_add(out, row);
    sql_write_identifier(out, resource->keys[i]->column);
    buf_printf(out, " AS k%zu, ", i);
  }
  write_rank(out, resource, row, param);
  buf_add(out, STR(" AS found_rank WHERE ("));
  postgres_search_write_vector(out, resource, row);
  buf_add(out, STR(") @@ "));
  write_query(out, param);
  buf_add_byte(out, ')');
}
