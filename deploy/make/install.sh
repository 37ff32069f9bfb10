#!/bin/sh
# Installs a lock file and the project itself into .venv: install.sh requirements.lock
# uv does it in a fraction of pip's time. It is told where pip looks for packages; where it cannot be had, or fails, pip does it.
set -eu
cd "$(dirname "$0")/../.."
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

settings=$(pip config list 2>/dev/null || true)
setting() { printf '%s\n' "$settings" | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | tail -n 1; }

by_uv() {
    pinned=.venv/uv.lock
    sed -n '/^uv==/,/[^\\]$/p' requirements-dev.lock >"$pinned"
    pip install --quiet --require-hashes -r "$pinned" || return 1
    for pair in UV_DEFAULT_INDEX:index-url UV_INDEX:extra-index-url UV_FIND_LINKS:find-links SSL_CERT_FILE:cert; do
        told=$(setting "${pair#*:}")
        [ -z "$told" ] || export "${pair%%:*}=$told"
    done
    export VIRTUAL_ENV=.venv
    .venv/bin/uv pip install --quiet --compile-bytecode --require-hashes -r "$1" &&
        .venv/bin/uv pip install --quiet --no-deps --no-build-isolation -e .
}

by_pip() {
    pip install --quiet --require-hashes -r "$1"
    pip install --quiet --no-deps --no-build-isolation -e .
}

by_uv "$1" || { echo "uv could not; pip installs instead, which takes longer"; by_pip "$1"; }
# On all cores; else each process that starts first would do it on its own.
.venv/bin/python -m compileall -q -j 0 opendata
