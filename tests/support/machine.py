"""What the processes of a test run take of the machine.

* **Threads.** There are more processes of tests than cores. Handing a frame of a few rows from thread to thread is a fifth of what Polars
  does with it.
* **Cores.** Each process of tests keeps to one, with its threads: on a virtual machine, waking a thread on another core takes several times
  as long as on its own, and what is asked of a server in the same process, or of Polars, is one such way there and back. A seventh.
* **Disk.** Where the machine has a file system in memory, the tests' files are there: a database waits for the disk at each commit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it
ROOM = 6 << 30
"""Bytes; a whole run of three processes keeps less than a third of it at a time."""


def choose() -> None:
    """For this process, and by the environment for those that it starts."""
    worker, processes = (os.environ.get(f"PYTEST_XDIST_WORKER{end}", "") for end in ("", "_COUNT"))
    if worker and hasattr(os, "sched_setaffinity"):  # not on macOS
        kept = core_of(worker, int(processes), sorted(os.sched_getaffinity(0)))
        for thread in Path("/proc/self/task").iterdir() if kept is not None else ():
            os.sched_setaffinity(int(thread.name), {kept})
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def core_of(worker: str, processes: int, cores: Sequence[int]) -> int | None:
    """The core that this process of a run keeps to: the cores share them. None where cores would be left over."""
    return cores[int(worker.removeprefix("gw")) % len(cores)] if processes >= len(cores) else None
