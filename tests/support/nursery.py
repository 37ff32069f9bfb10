"""Starts `python -m opendata.start …` fast: a process that has loaded the whole program once, and forks.

Loading it is nine tenths of a start. What the program reads of its environment at import, the failpoint, is told to each
child; all else it reads when it starts. One line of JSON asks, one answers: {"spawn": argv, "environment": {}, "out": path, "log": path}
-> {"pid"}; {"poll": pid} -> {"code": int or null}.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.routing import iter_route_contexts
from forks import NO_THREADS, ask
from hatchery import hatch
from lives import assert_alone, code_of, live, stand_on

from opendata.cli import program
from opendata.core import failpoints
from opendata.main import routes

_PR_SET_PDEATHSIG = 1
ADAPTERS = (
    "job_queue.dbos",
    "sandbox.process",
    "search_index.embedded",
    "storage.local",
    "table_store.delta",
)
"""Of the light shape; wiring.py imports what is chosen when it is."""
PATIENCE = 600
"""Seconds after which a command that never ends fails the test instead of hanging it."""


class Nursery:
    """The asking side."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        requests, answers = os.pipe(), os.pipe()
        self._requests, self._answers = os.fdopen(requests[1], "w"), os.fdopen(answers[0])
        self._ended = _begin(requests[0], answers[1])
        os.close(requests[0])
        os.close(answers[1])

    def ask(self, **question: Any) -> dict[str, Any]:
        with self._asking:
            print(json.dumps(question), file=self._requests, flush=True)
            answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def run(
        self, *arguments: str, environment: Mapping[str, str], timeout: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """A command from its begin to its end, as `subprocess.run` tells it."""
        with tempfile.TemporaryDirectory() as folder:
            out, log = Path(folder, "out"), Path(folder, "log")
            asked = {"environment": dict(environment), "out": str(out), "log": str(log)}
            pid: int = self.ask(spawn=arguments, **asked)["pid"]
            deadline = time.monotonic() + timeout
            while (code := self.ask(poll=pid)["code"]) is None:
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(arguments, timeout)
                time.sleep(0.02)
            return subprocess.CompletedProcess(
                arguments, code, out.read_text("utf-8"), log.read_text("utf-8")
            )

    def close(self) -> None:
        self._requests.close()
        self._ended()
        self._answers.close()


def _begin(requests: int, answers: int) -> Callable[[], Any]:
    """Starts the other side on these two files; what is called waits for its end."""
    line = ask("nursery", [requests, answers, 2])
    if line:
        return lambda: line.recv(1)
    command = [sys.executable, str(Path(__file__))]
    begun = subprocess.Popen(command, stdin=requests, stdout=answers, env={**os.environ, **NO_THREADS})
    return begun.wait


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The caller's, but of the platform's settings only these, by the names of their variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENDATA_")}
    return {**kept, "OPENDATA_DATA_DIR": str(folder), **settings}


@cache
def nursery() -> Nursery:
    """The one of this process."""
    return Nursery()


def load() -> None:
    """What each server would load and work out between its start and its first answer."""
    for adapter in ADAPTERS:
        importlib.import_module(f"opendata.ports.{adapter}")
    deque(iter_route_contexts(routes()), maxlen=0)  # each is worked out when it is first asked for


def serve() -> None:
    """Until its standard input ends."""
    for line in sys.stdin:
        question = json.loads(line)
        if "poll" in question:
            answer = {"code": code_of(question["poll"])}
        else:
            pid = os.fork()
            if pid == 0:
                _become(question)
                hatch()
                failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))
                live(program.main)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


def _become(question: dict[str, Any]) -> None:
    if sys.platform == "linux":  # a test run that is itself killed leaves no server behind
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    out, log = (
        os.open(question[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("out", "log")
    )
    nothing = os.open(os.devnull, os.O_RDONLY)
    stand_on([nothing, out, log])
    os.environ.clear()
    os.environ.update(question["environment"])
    sys.argv = ["opendata", *question["spawn"]]


if __name__ == "__main__":
    load()
    gc.freeze()
    assert_alone()
    serve()
