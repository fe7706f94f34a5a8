#!/usr/bin/env bash
# run.sh: a sync server and the desktop app beside it, both with their data in build/run. Closing the app ends both. Mail
# goes nowhere: the server keeps it and shows it on a page.
set -euo pipefail
cd "$(dirname "$0")/../.."

data=build/run
mkdir -p "$data"
listen=${WIDGETS_LISTEN:-127.0.0.1:8080}
address="http://$listen"

build/bin/widgets-server --listen "$listen" --data "$data/server.db" --base-url "$address" --dev-mailbox=true >"$data/server.log" 2>&1 &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM

for _ in $(seq 100); do
  kill -0 "$server" 2>/dev/null || { echo "The server did not start:" >&2; tail -n 5 "$data/server.log" >&2; exit 1; }
  node -e "fetch('$address/readyz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))" && break
  sleep 0.1
done
echo "Sync server: $address (log in $data/server.log)"
echo "Its mail: $address/dev/mail"
build/bin/widgets --data "$data/app" --server "$address" "$@"
