"""Server processes: started on a free loopback port, awaited, stopped by process id."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from places import NotHere, account, remove_data

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """One running server. `began` is its start time in clock ticks since boot: ids are reused, pairs are not."""

    title: str
    pid: int
    began: int
    folder: str
    environ: dict[str, str]
    """What tests must be told to find it."""

    @property
    def alive(self) -> bool:
        return began_at(self.pid) == self.began


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def spawn(command: list[str], folder: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a server in a session of its own, as the unprivileged account; it writes to `folder`/log."""
    who = account()
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=who.uid,
            group=who.gid,
            extra_groups=None if who.uid is None else [],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder), **environ},
        )


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], folder: Path, seconds: float
) -> None:
    """Returns when `ready` says so. If the server ends or takes too long it is killed: `NotHere` with what it complained of."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotHere(f"ended with code {process.returncode}: {complaint(folder)}")
        if ready():
            return
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    raise NotHere(f"not ready after {seconds:.0f} s: {complaint(folder)}")


def answers(url: str) -> bool:
    """Whether an HTTP address answers 200 now. Goes past any proxy: the address is on this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def began_at(pid: int) -> int | None:
    """The start time of a process, None if there is none (or only its zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def stop(server: Server, patience: float = 20.0) -> None:
    """Ends a server and its children, politely at first, and deletes its data."""
    for sign, seconds in (
        (signal.SIGINT if "Postgre" in server.title else signal.SIGTERM, patience),
        (signal.SIGKILL, 5.0),
    ):
        if not server.alive:
            break
        os.killpg(server.pid, sign)
        deadline = time.monotonic() + seconds
        while server.alive and time.monotonic() < deadline:
            _reap(server.pid)
            time.sleep(0.05)
    remove_data(Path(server.folder))


def complaint(folder: Path) -> str:
    """What a server that failed said: its first error, or its last line. Keeps the whole log beside the data folder."""
    lines = [
        line.strip() for line in (folder / "log").read_text(errors="replace").splitlines() if line.strip()
    ]
    kept = folder.parent / f"failed-{folder.name.partition('-')[0]}.log"
    shutil.copyfile(folder / "log", kept)
    errors = [line for line in lines if re.search(r"\b(ERROR|FATAL|fatal)\b", line)]
    said = (errors or lines[-1:] or ["it wrote nothing"])[0]
    return f"{said[:300]} (log: {kept})"


def _reap(pid: int) -> None:
    """Collects a child that ended; a server started by an earlier call is no child of ours."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
