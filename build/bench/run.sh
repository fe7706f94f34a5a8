#!/usr/bin/env bash
# run.sh: every measurement, each beside its floor in the same run. nginx and wrk are needed for the server's pages; arguments
# go to httpbench.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in nginx wrk; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install --no-install-recommends nginx-light wrk" >&2; exit 1; }
done
programs=(syncbench appbench viewbench httpbench cutbench)
for p in "${programs[@]}"; do go build -o "build/bin/$p" "./build/bench/$p"; done
missed=0
for p in "${programs[@]}"; do
  args=()
  [ "$p" = httpbench ] && args=("$@")
  "build/bin/$p" "${args[@]}" || missed=1
  echo
done
exit $missed
