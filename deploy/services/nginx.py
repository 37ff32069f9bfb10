"""nginx, whose configuration in deploy/ the tests put to it; no server runs."""

from __future__ import annotations

from pathlib import Path

from packages import apt_install, first_executable
from places import NotHere

TITLE = "nginx"
VARIABLE = "OPENDATA_TEST_NGINX"


def prepare() -> Path:
    """nginx's program, installed if need be. The package would start a server on port 80; in runlevel 1 it does not."""
    program = _program()
    if program is None:
        apt_install("nginx", environ={"RUNLEVEL": "1"})
        program = _program()
    if program is None:
        raise NotHere("the installed package has no program")
    return program


def _program() -> Path | None:
    return first_executable("nginx", "/usr/sbin/nginx")
