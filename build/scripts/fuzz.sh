#!/usr/bin/env bash
# fuzz.sh TIME: runs every fuzz test of the module for TIME, one after the other.
set -euo pipefail
cd "$(dirname "$0")/../.."
grep -rlE --include='*_test.go' '^func Fuzz' app shared syncserver | xargs -n 1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u | while read -r name; do
    echo "== $dir $name"
    go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" "./$dir"
  done
done
