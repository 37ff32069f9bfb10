#!/bin/sh
# Prints a Python 3.11 to 3.13 that can make a virtual environment; otherwise says in one line what is missing.
# PYTHON=… chooses another. The system's own python3 comes first: it is the one with matching system packages, and one that a
# version manager has built is often a tenth slower.
short=""
for name in ${PYTHON:-/usr/bin/python3 python3 python3.13 python3.12 python3.11}; do
    path=$(command -v "$name" 2>/dev/null) || continue
    # A version manager leaves programs in PATH that do not run: each candidate is asked.
    version=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in 3.11 | 3.12 | 3.13) ;; *) continue ;; esac
    if "$path" -c 'import ensurepip, venv' 2>/dev/null; then
        "$path" -c 'import sys; print(sys.executable)'
        exit 0
    fi
    short=$version
done
if [ -n "$short" ]; then
    echo "Missing: Python $short is here without venv. Install it, e.g.: apt-get install python$short-venv" >&2
else
    echo "Missing: Python 3.11, 3.12 or 3.13 with venv. Install it, e.g.: apt-get install python3 python3-venv" >&2
fi
exit 1
