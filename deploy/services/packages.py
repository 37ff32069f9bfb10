"""Packages of the system: looked up by anyone, installed by root only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from places import NotHere

_lock = threading.Lock()
_updated = threading.Event()
_APT = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]


def apt_install(*names: str, environ: Mapping[str, str] | None = None) -> None:
    """Installs Debian packages. Raises `NotHere` for another user than root, another system, or a failure."""
    wanted = " ".join(names)
    if shutil.which("apt-get") is None:
        raise NotHere(f"not installed, and this system has no apt-get to install {wanted}")
    if os.geteuid() != 0:
        raise NotHere(f"not installed; only root can: apt-get install {wanted}")
    with _lock:
        _update()
        run([*_APT, "install", "-y", "--no-install-recommends", *names], "apt-get install " + wanted, environ)


def apt_version(name: str) -> tuple[int, ...]:
    """The version apt would install as numbers, () if it knows none: `2:1.24~2` gives (1, 24, 2)."""
    if shutil.which("apt-cache") is None:
        return ()
    with _lock:
        _update()
    answer = subprocess.run(["apt-cache", "policy", name], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Candidate: (?:\d+:)?([\d.]+)", answer)
    return numbers(found.group(1)) if found else ()


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version, in order."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


def first_executable(*candidates: str | Path | None) -> Path | None:
    """The first candidate that is a program: a path, or a name looked for in PATH."""
    for candidate in candidates:
        found = shutil.which(str(candidate)) if candidate else None
        if found:
            return Path(found)
    return None


def run(command: list[str], purpose: str, environ: Mapping[str, str] | None = None) -> str:
    """Runs a command to its end; raises `NotHere` with the first error it wrote, or its last line."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", **(environ or {})},
    )
    if done.returncode != 0:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        lines = [line.strip() for line in plain.splitlines() if line.strip()]
        errors = [line for line in lines if re.search(r"\berror\b|^E:", line, re.IGNORECASE)]
        said = (errors or lines[-1:] or [f"exit code {done.returncode}"])[0]
        raise NotHere(f"{purpose} failed: {said[:300]}")
    return done.stdout


def _update() -> None:
    """Reads the package lists once; a failure shows in the installation that follows."""
    if os.geteuid() == 0 and not _updated.is_set():
        subprocess.run([*_APT, "update"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        _updated.set()
