"""How a fork of a test run begins, lives and ends in the place of an interpreter of its own (forks.py, nursery.py, hatchery.py)."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

POLARS_CLEANER = "polars-ooc-clea"
"""The thread that removes what Polars has put on disk for want of memory; begun at its import, and no test wants memory so much."""


def assert_alone() -> None:
    """A fork has the thread that made it and no other."""
    threads = [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    lost = [name for name in threads if name != POLARS_CLEANER][1:]
    assert not lost, f"threads that a fork would lose: {lost}"


def stand_on(files: Sequence[int]) -> None:
    """Makes them standard input, output and error, as many as there are."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)


def live(life: Callable[[], None]) -> NoReturn:
    """The life of a fork, which then ends as an interpreter does, but for taking down all modules: that takes a second, and
    DuckDB complains of it."""
    code: Any = 0
    try:
        life()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # not public: waits for threads, as the next does for what is registered
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def code_of(pid: int) -> int | None:
    """How a fork of this process ended; None while it lives."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None
