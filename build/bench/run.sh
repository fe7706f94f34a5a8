#!/usr/bin/env bash
# run.sh: every measurement, each beside its floor in the same run. nginx and wrk are needed for the server's.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in nginx wrk; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install --no-install-recommends nginx-light wrk" >&2; exit 1; }
done
go build -o build/bin/httpbench ./build/bench/httpbench
go build -o build/bin/cutbench ./build/bench/cutbench
missed=0
build/bin/httpbench "$@" || missed=1
echo
build/bin/cutbench || missed=1
exit $missed
