"""The processes that run tests, as forks of one that has collected them.

Importing the program, its tools and the tests takes each process ten seconds, and in a fresh checkout it rewrites their
assertions too. So one process does it, with the arguments of the run, and then waits: it makes a fork for each process that
pytest-xdist starts (`pytest_xdist_setupnodes`), whose own collection finds all modules loaded, and one for each `Nursery`.
What a module works out at its import is therefore the same in all of them: nothing there may depend on the process.

It is asked through a socket in a folder of its own, whose path is in the environment: one word, with the three standard
files of the fork. The connection lasts as long as the fork does; who closes it kills it.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
DOOR = "FORKS_OF_TESTS"
"""The variable with the path of the socket."""
NO_THREADS = dict.fromkeys(("JE_ARROW_MALLOC_CONF", "_RJEM_MALLOC_CONF"), "background_thread:false")
"""The allocators of pyarrow and deltalake tidy up in threads, from their import; a fork would lose them."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[Any]) -> None:
    """The processes of this run are asked for at the door instead of started."""
    path = Path(tempfile.mkdtemp(prefix="forks-"), "door")
    arguments = [str(argument) for argument in config.invocation_params.args]
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()  # from now on it can be asked; it is answered when all is loaded
        parent = subprocess.Popen(
            [sys.executable, str(HERE / "fork_parent.py"), str(door.fileno()), *arguments],
            stdin=subprocess.PIPE,
            pass_fds=[door.fileno()],
            env={**os.environ, **NO_THREADS, DOOR: str(path)},
        )
    config.add_cleanup(lambda: _end(parent, path))
    for spec in specs:
        if spec.popen and not spec.python:
            spec.python = shlex.join([sys.executable, "-I", "-S", str(HERE / "fork_client.py"), str(path)])


def _end(parent: subprocess.Popen[bytes], path: Path) -> None:
    parent.communicate()
    path.unlink(missing_ok=True)
    path.parent.rmdir()


def ask(what: str, files: Sequence[int]) -> socket.socket | None:
    """A fork with these standard files, as long as the connection lasts. None where the tests are not run by forks."""
    path = os.environ.get(DOOR, "")
    if not path:
        return None
    line = socket.socket(socket.AF_UNIX)
    line.connect(path)
    socket.send_fds(line, [what.encode()], list(files))
    return line
