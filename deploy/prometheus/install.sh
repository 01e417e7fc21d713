#!/usr/bin/env bash
# Puts `prometheus` and `promtool` into the folder $1, for the tests of the alert rules: those that are on the PATH,
# or else those of Debian's package, downloaded and unpacked there. No root, nothing installed elsewhere: apt checks
# the package against the signed lists of the distribution, and the two programs need the C library only.
set -euo pipefail
into="$1"
rm -rf "$into"
mkdir -p "$into/bin"

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
    ln -s "$(command -v prometheus)" "$(command -v promtool)" "$into/bin/"
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "no prometheus and promtool on the PATH, and no apt-get to get them with; install Prometheus 2.42 or later" >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
# Lists and cache of its own: the machine's may be empty or out of date, and only root may renew them.
own=(-qq -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
cd "$work"
if ! apt-get -qq -o APT::Sandbox::User= download prometheus 2>"$work/why"; then
    apt-get "${own[@]}" update || { cat "$work/why" >&2; exit 1; }
    apt-get "${own[@]}" download prometheus
fi
dpkg-deb --extract prometheus_*.deb "$work/unpacked"
cd - >/dev/null
mv "$work/unpacked/usr/bin/prometheus" "$work/unpacked/usr/bin/promtool" "$into/bin/"
