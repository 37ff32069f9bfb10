"""A worker process of `ProcessSandbox`: reads a task, runs it within its limits, writes the answer, waits for the next.

Started as `python -P -m opendata.ports.sandbox.child`, alone in its session, without the caller's environment.
Wire format both ways: 8 bytes length (big endian), then JSON. Before a task starts, one byte `+` says that it was taken, so
that the caller can tell a worker that had gone to sleep (start another) from one that died at work (an error).
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import select
import sys
import threading
import time
from typing import Any

from opendata.ports.sandbox.calling import answer

ADDRESS_SPACE = 4 << 30
"""Bytes. A Polars scan reserves 1.4 GB of addresses for a 91 MB file; resident memory is what the caller watches."""

OPEN_FILES = 64
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> None:
    settings = json.loads(sys.argv[1])
    requests, answers = _take_pipes()
    _confine()
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    for module in settings["preload"]:
        importlib.import_module(module)
    while select.select([requests], [], [], settings["idle_seconds"])[0]:
        header = _read(requests, 8)
        if header is None:
            return
        body = _read(requests, int.from_bytes(header, "big"))
        if body is None:
            return
        os.write(answers, b"+")
        _send(answers, _perform(json.loads(body)))


def _perform(order: dict[str, Any]) -> dict[str, Any]:
    limits = order["limits"]
    # Soft limits only: they are set anew for each task, and a hard one could never be raised again.
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime + limits["cpu_seconds"]) + 1
    _soft_limit(resource.RLIMIT_CPU, cpu)
    _soft_limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    return answer(order["task"], order["kwargs"], limits["output_bytes"])


def _take_pipes() -> tuple[int, int]:
    """Keeps the two pipes to ourselves: what a library prints or reads must not reach them."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    return requests, answers


def _confine() -> None:
    """Fixed limits, no core files, no privileges by exec, orphans of ours stay our children, no network."""
    _hard_limit(resource.RLIMIT_AS, ADDRESS_SPACE)
    _hard_limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _hard_limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _leave_network(libc)


def _leave_network(libc: ctypes.CDLL) -> None:
    """An empty network namespace: directly with the privilege, else inside a user namespace of our own.

    Where the kernel or the container forbids both, the worker goes on *with* network: deployments that cannot grant user
    namespaces close outgoing traffic of the worker's account instead (docs of the deployment)."""
    if libc.unshare(_CLONE_NEWNET) == 0:
        return
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _leave_with_parent(parent: int) -> None:
    # PR_SET_PDEATHSIG would fire when the *thread* that started us ends, and servers start us from short-lived threads.
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def _hard_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _soft_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _read(pipe: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(pipe, min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _send(pipe: int, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    rest = memoryview(len(body).to_bytes(8, "big") + body)
    while rest:
        rest = rest[os.write(pipe, rest) :]


if __name__ == "__main__":
    main()
