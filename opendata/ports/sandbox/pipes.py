"""Talking with a worker process and looking at it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import select
from typing import Any

from opendata.ports.sandbox.port import LimitExceeded

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Sleeping(Exception):
    """The worker had ended before it took the task: nothing was run."""


class Pipes:
    def __init__(self, requests: int, answers: int) -> None:
        self._requests = requests
        self._answers = answers

    def send(self, body: bytes) -> None:
        rest = memoryview(len(body).to_bytes(8, "big") + body)
        try:
            while rest:
                rest = rest[os.write(self._requests, rest) :]
        except BrokenPipeError:
            raise Sleeping from None

    def receive(self, most: int) -> Answer:
        return Answer(self._answers, most)


class Answer:
    """An answer on its way: `+` when the task is taken, 8 bytes length, JSON. At most `most` bytes of JSON are read."""

    def __init__(self, pipe: int, most: int) -> None:
        self._pipe = pipe
        self._most = most
        self._got = bytearray()

    def wait(self, seconds: float) -> dict[str, Any] | None:
        """The message once it is complete, None if it is not after `seconds`.

        Errors: Sleeping, EOFError (died at work), LimitExceeded("output"), LimitExceeded("crash") for no JSON."""
        if not select.select([self._pipe], [], [], seconds)[0]:
            return None
        part = os.read(self._pipe, 1 << 20)
        if not part:
            raise EOFError if self._got else Sleeping
        self._got += part
        if len(self._got) < 9:
            return None
        size = int.from_bytes(self._got[1:9], "big")
        if size > self._most:
            raise LimitExceeded("output")
        if len(self._got) < 9 + size:
            return None
        return _message(bytes(self._got[9:]))


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict) or not message.keys() & {"result", "failed", "limit"}:
        raise LimitExceeded("crash")
    return message


def resident(pid: int) -> int:
    """Bytes of a process in memory, 0 when it is gone (or where there is no /proc: then RLIMIT_AS alone holds)."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def family(pid: int) -> list[int]:
    """A process and all that descend from it, itself first. Orphans count too: workers adopt them (child.py)."""
    found = [pid]
    for member in found:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{member}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{member}/task/{thread}/children") as file:
                    found.extend(int(child) for child in file.read().split())
    return found
