"""Headless Chromium for the browser tests, with a font that has Chinese."""

from __future__ import annotations

import subprocess
from pathlib import Path

from packages import apt_install, first_executable, run
from places import NotHere

TITLE = "Chromium"
VARIABLE = "OPENDATA_TEST_CHROMIUM"


def prepare() -> Path:
    """The browser's program, installed if need be."""
    program = _program()
    if program is None:
        apt_install("chromium", "fonts-noto-cjk")
        program = _program()
    if program is None:
        raise NotHere("the installed package has no working program")
    if not _has_chinese():
        apt_install("fonts-noto-cjk")
    return program


def _program() -> Path | None:
    """A browser that can at least tell its version: Ubuntu's package is an empty shell without snap."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = first_executable(name)
        if found is None:
            continue
        try:
            run([str(found), "--version"], f"{name} --version")
        except NotHere:
            continue
        return found
    return None


def _has_chinese() -> bool:
    lister = first_executable("fc-list")
    if lister is None:
        return False
    return bool(subprocess.run([str(lister), ":lang=zh"], capture_output=True, check=False).stdout.strip())
