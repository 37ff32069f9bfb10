"""Starts `python -m opendata.cli …` fast: a process that has loaded the libraries once, and forks.

Nothing of `opendata` itself is kept: each child imports it anew, in the environment it was given, so that what is read at
import is read. One line of JSON asks, one answers: {"spawn": argv, "environment": {}, "log": path} -> {"pid"};
{"poll": pid} -> {"code": int or null}.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

LIBRARIES = ("opendata.cli", "opendata.ports.job_queue.dbos", "opendata.ports.search_index.embedded")
"""What they import is kept loaded. None of it starts a thread: a fork would lose it."""


_PR_SET_PDEATHSIG = 1


class Nursery:
    """The asking side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "opendata"]:
        del sys.modules[name]
    assert len(os.listdir("/proc/self/task")) == 1, "a library started a thread: it must not be loaded here"
    for line in sys.stdin:
        question = json.loads(line)
        if "poll" in question:
            answer = {"code": _code_of(question["poll"])}
        else:
            pid = os.fork()
            if pid == 0:
                _become(question)
                runpy.run_module("opendata.cli", run_name="__main__", alter_sys=True)
                return
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


def _code_of(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _become(question: dict[str, Any]) -> None:
    if sys.platform == "linux":  # a test run that is itself killed leaves no server behind
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    log = os.open(question["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, handle in ((0, nothing), (1, log), (2, log)):
        os.dup2(handle, number)
    os.environ.clear()
    os.environ.update(question["environment"])
    sys.argv = ["opendata", *question["spawn"]]


if __name__ == "__main__":
    main()
