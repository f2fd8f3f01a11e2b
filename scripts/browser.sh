#!/usr/bin/env bash
# Install the browser for the dashboard's tests, from Debian's packages.
set -euo pipefail
[ -x /usr/bin/chromium ] && exit
if ! command -v apt-get > /dev/null; then
  echo "install Chromium as /usr/bin/chromium: this machine has no apt-get" >&2
  exit 1
fi
as_root=(env DEBIAN_FRONTEND=noninteractive)
[ "$(id -u)" = 0 ] || as_root=(sudo "${as_root[@]}")
"${as_root[@]}" apt-get update -qq > /dev/null
"${as_root[@]}" apt-get install -y -qq chromium > /dev/null
