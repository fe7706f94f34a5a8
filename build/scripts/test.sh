#!/usr/bin/env bash
# test.sh: every test there is, one stage after the other, all of them even when one fails; the last line is the sum.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=build/test-results
rm -rf "$out" && mkdir -p "$out"
failed=()

stage() {
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  "$@" || failed+=("$name")
}

gotestsum=(go run gotest.tools/gotestsum@v1.13.0 --format pkgname-and-test-fails --hide-summary skipped)
# What starts no goroutines of its own is not tried under the race detector, which would make it many times as slow, and neither
# is the whole server as a process of its own, whose parts are. What the detector would make too slow elsewhere has the tag !race.
mapfile -t plain < <(go list ./shared/... ./app/cmd/... ./syncserver ./syncserver/internal/{account,content,httpapi,organisation,people,preview,render})
mapfile -t raced < <(go list ./... | grep -vxF "$(printf '%s\n' "${plain[@]}")")
stage "Go" "${gotestsum[@]}" --jsonfile "$out/plain.json" -- -timeout 15m "${plain[@]}" ./app/internal/syncclient
stage "Go, with the race detector" "${gotestsum[@]}" --jsonfile "$out/go.json" -- -race -timeout 15m "${raced[@]}"
stage "front end: types and components" npm --prefix frontend run --silent check
stage "front end: unit tests" npm --prefix frontend run --silent test -- --reporter=default --reporter=json --outputFile.json="$PWD/$out/unit.json"
stage "the pages, in Chromium" npm --prefix frontend run --silent e2e
stage "the real window" build/scripts/window-test.sh "${gotestsum[@]}" --jsonfile "$out/window.json"

printf '\n'
[ ${#failed[@]} = 0 ] || printf 'failed: %s\n' "${failed[@]}"
node build/scripts/summary.mjs "$out" || failed+=(summary)
[ ${#failed[@]} = 0 ]
