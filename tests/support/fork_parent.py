"""`python fork_parent.py SOCKET ARGUMENTS…`: the process that collects what these arguments of pytest say, and then forks (forks.py)."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook
from lives import assert_alone, live, stand_on

PAUSE = 0.1
"""Seconds between two looks for forks that have ended."""


def main() -> None:
    number, *arguments = sys.argv[1:]
    with socket.socket(fileno=int(number)) as door:
        collect(arguments)
        # Not before: pytest rewrites the assertions of its plugins, which the program imports too.
        nursery = importlib.import_module("nursery")
        nursery.load()
        gc.freeze()
        assert_alone()
        life = attend(door, {"process": run_tests, "nursery": nursery.serve})
    live(life)


def collect(arguments: Sequence[str]) -> None:
    """Loads what these arguments collect. What is wrong with it is told by the forks, which collect it again."""
    broken = Broken()
    gc.disable()  # modules and tests are made, and next to nothing goes: a third of the time
    once = ("--collect-only", "--numprocesses=0", "--dist=no", "-p", "no:cacheprovider")
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        code = pytest.main([*arguments, *once], plugins=[broken])
    gc.enable()
    # pytest keeps a module that failed half-way, and a fork would take it for a whole one without tests.
    told = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or broken.paths
    for name, module in list(sys.modules.items()):
        rewritten = isinstance(getattr(module, "__loader__", None), AssertionRewritingHook)
        if rewritten and (not told or broken.holds(str(module.__file__))):
            del sys.modules[name]


class Broken:
    """A plugin that notes what could not be collected."""

    def __init__(self) -> None:
        self.paths: set[str] = set()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.paths.add("/" + report.nodeid.partition("::")[0])

    def holds(self, file: str) -> bool:
        """A module, or one of a folder whose conftest is broken."""
        return any(file.endswith(path) or f"{path}/" in file for path in self.paths)


def run_tests() -> None:
    """What execnet asks a new interpreter to do (execnet.gateway_io.popen_bootstrapline)."""
    exec(eval(sys.stdin.readline()), {"__name__": "__main__"})  # noqa: S102, S307 - the caller's own program


def attend(door: socket.socket, become: dict[str, Callable[[], None]]) -> Callable[[], None]:
    """Makes forks until standard input ends. Returns in each of them, with what it is for."""
    forks: dict[int, socket.socket] = {}
    while True:
        ready = select.select([sys.stdin, door, *forks.values()], [], [], PAUSE)[0]
        if sys.stdin in ready:
            return lambda: _kill(forks)
        if door in ready:
            line = door.accept()[0]
            what, files = socket.recv_fds(line, 100, 3)[:2]
            pid = os.fork()
            if pid == 0:
                for other in (line, *forks.values()):
                    other.close()
                stand_on(files)
                return become[what.decode()]
            forks[pid] = line
            for file in files:
                os.close(file)
        for pid, line in forks.items():
            if line in ready:  # nothing is ever said on it: it is closed
                os.kill(pid, signal.SIGKILL)
        _bury(forks)


def _bury(forks: dict[int, socket.socket]) -> None:
    while forks:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        forks.pop(pid).close()


def _kill(forks: dict[int, socket.socket]) -> None:
    for pid in forks:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
