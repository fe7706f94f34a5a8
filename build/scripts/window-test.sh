#!/usr/bin/env bash
# window-test.sh RUNNER…: the shipped program in its real window, on a display of its own, with nothing of the desktop around it.
set -euo pipefail
cd "$(dirname "$0")/../.."
export NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent WEBKIT_DISABLE_DMABUF_RENDERER=1 LANG=C
export WIDGETS_BINARY=$PWD/build/bin/widgets
exec xvfb-run -a -s '-screen 0 1440x900x24' "$@" -- -tags window -count 1 -timeout 5m ./app/windowtest/...
