"""Tasks for the contract suite of the sandbox: honest ones and killers."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.port import TaskError


def echo(**kwargs: Any) -> Any:
    return kwargs


def copy(source: str, output: str) -> int:
    return Path(output, "copy").write_bytes(Path(source).read_bytes())


def refuse(line: int) -> None:
    raise TaskError("bad_line", line=line)


def explode() -> None:
    raise ValueError("a stranger's text")


def not_json() -> Any:
    return {"when": time}


def not_a_number() -> Any:
    return float("nan")


def long_answer(size: int) -> str:
    return "x" * size


def pid() -> int:
    return os.getpid()


def surroundings() -> dict[str, Any]:
    print("noise on standard output")
    os.write(1, b"noise on descriptor 1")
    return {
        "environment": sorted(os.environ),
        "folder": os.getcwd(),
        "entries": os.listdir(),
        "session": os.getsid(0) == os.getpid(),
        "path": sys.path,
    }


def leave_file() -> None:
    Path("left").write_text("secret of the file before")
    Path("folder").mkdir()


def hog(size: int) -> None:
    held = []
    for _ in range(size >> 20):
        held.append(os.urandom(1 << 20))
    time.sleep(30)


def hog_in_fork(size: int) -> None:
    if os.fork() == 0:
        hog(size)
    time.sleep(30)


def reserve_addresses() -> int:
    return len(bytearray(6 << 30))


def spin() -> None:
    while True:
        pass


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def segfault() -> None:
    ctypes.string_at(0)


def leave() -> None:
    os._exit(0)


def leave_orphan() -> int:
    """A child of a child that outlives its parent and has left the session."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        orphan = os.fork()
        if orphan == 0:
            time.sleep(600)
        os.write(writer, str(orphan).encode())
        os._exit(0)
    os.wait()
    return int(os.read(reader, 20))


def write_file(size: int, output: str) -> None:
    with open(Path(output, "big"), "wb") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))


def open_files(count: int) -> int:
    return len([open(os.devnull) for _ in range(count)])


def connect(port: int) -> str:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return "refused"
    return "connected"


def lie_about_size() -> None:
    """Writes to the answer pipe by itself: the first descriptor above the standard three that is a pipe."""
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, (1 << 50).to_bytes(8, "big"))
        except OSError:
            continue
    time.sleep(30)


def run_program() -> int:
    return subprocess.run([sys.executable, "-c", "import time; time.sleep(0.1)"]).returncode
