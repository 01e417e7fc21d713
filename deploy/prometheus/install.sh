#!/usr/bin/env bash
# Puts `prometheus`, `promtool`, `alertmanager` and `amtool` into the folder $1, for the tests of the alert rules: those
# that are on the PATH, or else those of Debian's packages, downloaded and unpacked there. No root, nothing installed
# elsewhere: apt checks the packages against the signed lists of the distribution, and the programs need the C library only.
set -euo pipefail
into="$1"
rm -rf "$into"
mkdir -p "$into/bin"

have() { command -v "$1" >/dev/null; }
alertmanager="$(command -v alertmanager || command -v prometheus-alertmanager || true)"
packages=()
if have prometheus && have promtool; then
    ln -s "$(command -v prometheus)" "$(command -v promtool)" "$into/bin/"
else
    packages+=(prometheus)
fi
if [ -n "$alertmanager" ] && have amtool; then
    ln -s "$alertmanager" "$into/bin/alertmanager"
    ln -s "$(command -v amtool)" "$into/bin/"
else
    packages+=(prometheus-alertmanager)
fi
[ "${#packages[@]}" -gt 0 ] || exit 0
if ! have apt-get || ! have dpkg-deb; then
    echo "not on the PATH: ${packages[*]}, and no apt-get to get them with;" \
        "install Prometheus 2.42 or later and Alertmanager 0.25 or later" >&2
    exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
# Lists and cache of its own: the machine's may be empty or out of date, and only root may renew them.
own=(-qq -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
cd "$work"
if ! apt-get -qq -o APT::Sandbox::User= download "${packages[@]}" 2>"$work/why"; then
    apt-get "${own[@]}" update || { cat "$work/why" >&2; exit 1; }
    apt-get "${own[@]}" download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb --extract "$package" "$work/unpacked"; done
cd - >/dev/null
for program in prometheus promtool prometheus-alertmanager amtool; do
    found="$work/unpacked/usr/bin/$program"
    if [ -e "$found" ]; then mv "$found" "$into/bin/${program#prometheus-}"; fi
done

# Debian's Alertmanager reads its templates from a folder that only root can write. A path of the same length, relative
# to where it is started, is put in its place; so it is started in $1.
templates=/usr/share/prometheus/alertmanager
if [ -e "$work/unpacked$templates" ]; then
    here=././././././././share/alertmanager
    [ "${#here}" -eq "${#templates}" ]
    mkdir -p "$into/share"
    mv "$work/unpacked$templates" "$into/share/"
    LC_ALL=C sed -i "s#$templates#$here#g" "$into/bin/alertmanager"
fi
