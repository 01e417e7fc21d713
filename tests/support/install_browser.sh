#!/usr/bin/env bash
# What `make browser` does: Chromium into the folder $1, from the PATH or Debian's packages.
set -euo pipefail
into="$1"
mkdir -p "$into"

found="$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)"
if [ -z "$found" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "no Chromium on the PATH, and no apt-get to install one: install Chromium 120 or later" >&2
        exit 1
    fi
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
        chromium fonts-dejavu-core >/dev/null
    found="$(command -v chromium)"
fi
ln -sf "$found" "$into/chromium"
"$into/chromium" --version --no-sandbox
