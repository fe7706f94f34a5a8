#!/usr/bin/env bash
# setup.sh desktop|test: makes sure that this machine can build the desktop app (desktop) and run every test (test).
# It installs Debian or Ubuntu packages where it may (root, or sudo without a password), and otherwise says what to install.
set -euo pipefail

want=${1:?usage: setup.sh desktop|test}

fail() {
  printf '\n%s\n' "$@" >&2
  exit 1
}

# at_least HAVE WANT: is version HAVE not older than WANT?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

command -v go >/dev/null || fail "Go is missing. Install Go 1.26 or newer (https://go.dev/dl)."
go_version=$(go env GOVERSION)
at_least "${go_version#go}" 1.26 || fail "Go ${go_version#go} is too old: version 1.26 or newer is needed."
command -v node >/dev/null || fail "Node.js is missing. Install version 20.19 or newer (https://nodejs.org)."
node_version=$(node --version)
at_least "${node_version#v}" 20.19 || fail "Node.js ${node_version#v} is too old: version 20.19 or newer is needed (Debian 12's own package has 18)."
command -v npm >/dev/null || fail "npm is missing. It comes with Node.js."

packages=(build-essential pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev)
if [ "$want" = test ]; then
  packages+=(xvfb xauth fonts-dejavu-core chromium)
fi

[ "$(uname -s)" = Linux ] || exit 0
if ! command -v dpkg-query >/dev/null; then
  pkg-config --exists gtk+-3.0 webkit2gtk-4.1 2>/dev/null && exit 0
  fail "This system has no apt. Install a C compiler, pkg-config and the development files of GTK 3 and WebKitGTK 4.1" \
    "$([ "$want" = test ] && echo 'and, for the tests, Xvfb, the DejaVu fonts and Chromium')"
fi

missing=()
for p in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || fail "These packages are missing. Install them and run the command again:" \
    "  sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
  as_root=(sudo -n)
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
