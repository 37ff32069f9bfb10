"""The sandbox workers of a server that is a fork (nursery.py) are forks as well: of what it had loaded when it began.

A server that dies and comes back would start each of its workers as a new interpreter, which loads Polars and frictionless for half a
second of work at each return. What a worker does from its `main` on is the program's own: its limits, its session, its way to end.
That a real one is started without the server's memory and environment is for the sandbox's own tests.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lives import code_of, live, stand_on

from opendata.ports.sandbox import child, process

PIPE, DEVNULL = process.subprocess.PIPE, process.subprocess.DEVNULL
MOST = 1 << 16
"""Bytes of a question or an answer."""


def hatch() -> None:
    """To be called while this process has one thread."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        live(lambda: _attend(theirs))
    theirs.close()
    setattr(process, "subprocess", SimpleNamespace(PIPE=PIPE, DEVNULL=DEVNULL, Popen=Hatchery(ours).begin))  # noqa: B010 - a module


class Hatchery:
    """The asking side."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._asking = threading.Lock()

    def begin(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], **_: Any) -> Hatched:
        """As `subprocess.Popen` with pipes to standard input and output."""
        (requests, to), (back, answers) = os.pipe(), os.pipe()
        asked = {"argument": command[-1], "folder": str(cwd), "environment": dict(env)}
        pid = self.ask(asked, requests, answers)
        os.close(requests)
        os.close(answers)
        return Hatched(self, pid, to, back)

    def ask(self, question: Mapping[str, Any], *files: int) -> Any:
        with self._asking:
            socket.send_fds(self._line, [json.dumps(question).encode()], files)
            return json.loads(self._line.recv(MOST))


class Hatched:
    """A worker, as `subprocess.Popen` shows it."""

    def __init__(self, hatchery: Hatchery, pid: int, to: int, back: int) -> None:
        self.pid = pid
        self.stdin, self.stdout = os.fdopen(to, "wb", 0), os.fdopen(back, "rb", 0)
        self._hatchery = hatchery
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._hatchery.ask({"poll": self.pid})
        return self._code

    def wait(self) -> int:
        while (code := self.poll()) is None:
            time.sleep(0.005)
        return code


def _attend(line: socket.socket) -> None:
    """Until the server is gone."""
    while True:
        question, files, _, _ = socket.recv_fds(line, MOST, 2)
        if not question:
            return
        asked = json.loads(question)
        answer = code_of(asked["poll"]) if "poll" in asked else _begin(asked, files, line)
        line.send(json.dumps(answer).encode())


def _begin(asked: Mapping[str, Any], files: Sequence[int], line: socket.socket) -> int:
    begun, begins = os.pipe()
    pid = os.fork()
    if pid == 0:
        line.close()
        os.setsid()
        stand_on([*files, os.open(os.devnull, os.O_WRONLY)])
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["sandbox", asked["argument"]]
        os.close(begins)
        live(child.main)
    for file in (*files, begins):
        os.close(file)
    os.read(begun, 1)  # its end: from now on it can be killed by its group
    os.close(begun)
    return pid
