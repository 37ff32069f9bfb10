"""Starts `python -m opendata.start …` fast: a process that has loaded the whole program once, and forks.

Loading it is three quarters of a start. What the program reads of its environment at import, the failpoint, is told to each
child; all else it reads when it starts. One line of JSON asks, one answers: {"spawn": argv, "environment": {}, "log": path} -> {"pid"};
{"poll": pid} -> {"code": int or null}.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from opendata.cli import program
from opendata.core import failpoints
from opendata.main import routes

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
    routes()
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a library started a thread, which a fork would lose"
    for line in sys.stdin:
        question = json.loads(line)
        if "poll" in question:
            answer = {"code": _code_of(question["poll"])}
        else:
            pid = os.fork()
            if pid == 0:
                _become(question)
                failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))
                program.main()
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
