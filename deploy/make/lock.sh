#!/bin/sh
# Renews both lock files: one set of versions for Python 3.11 to 3.13, with hashes, without addresses of registries.
# Versions already locked are kept unless UPGRADE=1. setuptools is locked too: it installs the project itself.
set -eu
cd "$(dirname "$0")/../.."
upgrade=""
[ -z "${UPGRADE:-}" ] || upgrade="--upgrade"

compile() {
    echo "setuptools>=77" | .venv/bin/uv pip compile pyproject.toml - --quiet $upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@"
}

compile --output-file requirements.lock
compile --extra dev --constraint requirements.lock --output-file requirements-dev.lock
