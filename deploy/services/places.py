"""Where installed servers and their data lie, and as whom the servers run.

What is installed is kept outside the work tree, in `OPENDATA_SERVICES_CACHE`, so that a fresh checkout finds it again.
The data are in its folder `run`, or in `OPENDATA_SERVICES_DATA`.
PostgreSQL and Elasticsearch refuse to run as root: root starts them as `nobody`, who must be able to enter the folder.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SYSTEM_CACHE = Path("/var/cache/opendata-services")
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it belongs to its caller alone, who is asked for
ROOM = 6 << 30
"""Bytes that have to be free in memory for the data to go there."""
UNPRIVILEGED = "nobody"


class NotHere(Exception):
    """A service cannot be had on this machine; the text is the reason in one line."""


@dataclass(frozen=True)
class Account:
    """The identity of the servers; None for both: the caller's own."""

    uid: int | None = None
    gid: int | None = None

    def own(self, folder: Path) -> None:
        """Hands a folder and everything in it to the account."""
        if self.uid is None or self.gid is None:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account() -> Account:
    if os.geteuid() != 0:
        return Account()
    entry = pwd.getpwnam(UNPRIVILEGED)
    return Account(entry.pw_uid, entry.pw_gid)


def cache() -> Path:
    """The folder that this caller installs into; made if need be. Raises `NotHere`."""
    named = os.environ.get("OPENDATA_SERVICES_CACHE")
    if named:
        folder = Path(named).expanduser().absolute()
    elif os.geteuid() == 0:
        folder = SYSTEM_CACHE
    else:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        folder = Path(home).expanduser() / "opendata-services"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotHere(f"cannot make the folder {folder}: {error.strerror}") from None
    if os.geteuid() == 0:
        _enterable(folder)
    return folder


def installed(relative: str) -> Path | None:
    """A file or folder of the caller's cache, or, if none is named, of the one that root has filled."""
    folders = [cache()] if os.environ.get("OPENDATA_SERVICES_CACHE") else [cache(), SYSTEM_CACHE]
    for folder in folders:
        if (folder / relative).exists():
            return folder / relative
    return None


def prefer_memory() -> None:
    """From now on data lie in memory, where there is room: what tests make waits for no disk, and goes with them."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("OPENDATA_SERVICES_DATA", str(MEMORY / f"opendata-services-{os.geteuid()}"))


def fleeting() -> bool:
    """Whether data lie in memory: those of servers that live as long as a run of tests."""
    return MEMORY in _data_parent().parents


def data_folder(name: str) -> Path:
    """A new, empty folder for one server's data, owned by the account it runs as. Raises `NotHere`."""
    parent = _data_parent()
    parent.mkdir(exist_ok=True)
    if parent.stat().st_uid != os.geteuid():
        raise NotHere(f"{parent} belongs to somebody else")
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    account().own(folder)
    return folder


def remove_data(folder: Path) -> None:
    """Deletes a folder that `data_folder` made; refuses any other."""
    if folder.parent == _data_parent():
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Lets one process at a time install `name` into the cache."""
    with (cache() / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _data_parent() -> Path:
    named = os.environ.get("OPENDATA_SERVICES_DATA")
    return Path(named).absolute() if named else cache() / "run"


def _enterable(folder: Path) -> None:
    for path in (folder, *folder.parents):
        if not path.stat().st_mode & stat.S_IXOTH:
            raise NotHere(
                f"{UNPRIVILEGED!r} cannot enter {path}: set OPENDATA_SERVICES_CACHE to another folder"
            )
