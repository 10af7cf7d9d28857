#!/usr/bin/env bash
# Holds the tree to its rules; prints every breach as file:line and ends with 1 where there is one.
set -uo pipefail
cd "$(dirname "$0")/.."

failures=0
breach() { echo "$*"; failures=$((failures + 1)); }

# A module includes only what layers.txt lets it; tests may reach for anything.
check_layers() {
  local module allowed file line target
  while read -r module allowed; do
    case "$module" in '' | '#'*) continue ;; esac
    while IFS=: read -r file line target; do
      case "$file" in *_test.c) continue ;; esac
      target=${target#*\"} && target=${target%%/*}
      case " $module $allowed " in *" $target "*) ;; *) breach "$file:$line: $module may not include $target/ (scripts/layers.txt)" ;; esac
    done < <(git ls-files "src/$module/*.[ch]" | xargs -r grep -nHE '^#include "[a-z0-9_]+/' 2>/dev/null)
  done <scripts/layers.txt
}

# An own header is included from src/ by its whole path.
check_include_form() {
  while IFS= read -r line; do breach "$line: include as \"module/file.h\""; done \
    < <(git ls-files 'src/*.[ch]' | xargs -r grep -nHE '^#include "[^/"]+"')
}

check_adapters() {
  local header files file hit place
  while read -r header files; do
    case "$header" in '' | '#'*) continue ;; esac
    while IFS= read -r hit; do
      file=${hit%%:*}
      for place in $files; do
        # shellcheck disable=SC2053
        [[ $file == $place ]] && continue 2
      done
      breach "$hit: only $files may include this (scripts/adapters.txt)"
    done < <(git ls-files '*.[ch]' | xargs -r grep -nHE "^#include [<\"]$header" 2>/dev/null)
  done <scripts/adapters.txt
}

# Functions without a bound, with hidden state, or with errors that can't be told.
banned='\b(sprintf|vsprintf|strcpy|strncpy|strcat|strncat|strtok|strtok_r|gets|atoi|atol|atoll|atof|sscanf|alloca|tmpnam|mktemp|rand|srand|system|popen|localtime|gmtime|ctime|asctime)[[:space:]]*\('
check_banned() {
  while IFS= read -r line; do breach "$line: a banned function"; done \
    < <(git ls-files 'src/*.[ch]' 'bench/*.c' 'tests/*.c' | xargs -r grep -nHE "$banned" | grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)')
}

# Every source file has its line in its folder's README.
check_readmes() {
  local file folder name
  for folder in src/*/; do [ -f "${folder}README.md" ] || breach "$folder: no README.md"; done
  while IFS= read -r file; do
    folder=$(dirname "$file")
    name=$(basename "$file")
    [ -f "$folder/README.md" ] || continue
    # foo.c, foo.h and foo_test.c share the line of foo.
    grep -qE "\b$(sed -E 's/(_test)?\.[a-z]+$//' <<<"$name")\b" "$folder/README.md" || breach "$file: no line in $folder/README.md"
  done < <(git ls-files 'src/*.[ch]')
}

# Nothing of the place where it was written.
check_words() {
  while IFS= read -r line; do breach "$line: a path of somebody's machine"; done \
    < <(git ls-files ':!scripts/lint.sh' ':!LICENSE' | xargs -r grep -nHIE '(^|[^a-zA-Z0-9_.$}])/(work|home/[a-z]+|root)/')
  while IFS= read -r file; do breach "$file: larger than 600 KB"; done < <(git ls-files | xargs -r -d '\n' find 2>/dev/null -size +600k)
}

check_format() {
  while IFS= read -r line; do breach "$line"; done \
    < <(git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run 2>&1 | grep -E '^[^ ]+:[0-9]+:[0-9]+: warning' | sed 's/warning: code should be clang-formatted.*/is not formatted: make format/' | sort -u -t: -k1,1)
}

check_shell() {
  local file
  for file in scripts/*.sh .ci/run; do bash -n "$file" || breach "$file: does not parse"; done
  for file in $(git ls-files '*.mjs'); do node --check "$file" >/dev/null 2>&1 || breach "$file: does not parse"; done
}

# clang-tidy wants compile commands of clang's own. Tests are left out: their framework's jumps are not what the analyser takes them for.
check_tidy() {
  [ -f build-lint/build.ninja ] || CC=clang meson setup build-lint --buildtype=debug >/dev/null || { breach "clang-tidy: meson setup failed"; return; }
  ninja -C build-lint build.ninja >/dev/null 2>&1 || { breach "clang-tidy: build-lint can not be configured"; return; }
  while IFS= read -r line; do breach "$line"; done \
    < <(git ls-files 'src/*.c' | grep -v '_test\.c$' | xargs -r -P "$(nproc)" -n 1 scripts/tidy.sh | sort -u)
}

checks=(layers include_form adapters banned readmes words format shell tidy)
[ $# -eq 0 ] || checks=("$@")
for name in "${checks[@]}"; do "check_$name"; done
if [ "$failures" -gt 0 ]; then
  echo "lint: $failures breaches"
  exit 1
fi
echo "lint: nothing to say"
