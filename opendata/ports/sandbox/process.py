"""The sandbox of production: warm worker processes with limits, no secrets, no network, killed on time.

What holds whom: address space 4 GB, open files, core files and network are fixed when a worker starts (child.py); CPU time
and the size of written files are set for each task; resident memory of the worker and all that it forks, the wall clock
and the size of the answer are watched from here. Files are protected only by the account's own rights: run the server
under an account that can read nothing it does not need.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.calling import request, unpack
from opendata.ports.sandbox.pipes import Pipes, Sleeping, family, resident
from opendata.ports.sandbox.port import LimitExceeded, Limits

POLL_SECONDS = 0.025
"""How often a running task is looked at. A hog writes about 2 GB a second, so it is caught some 50 MB late."""


class ProcessSandbox:
    """`workers` processes at most, started when first needed, working in folders of their own under `scratch`.

    `preload`: modules that a worker imports at its start, before its first task. A worker is replaced after
    `tasks_per_worker` tasks, after a kill, and when it rests with more than `resting_bytes` resident; it ends by itself
    after `idle_seconds` without work. `sys.path` of the caller is handed on, its environment is not."""

    def __init__(
        self,
        scratch: Path,
        workers: int = 2,
        *,
        preload: Sequence[str] = (),
        idle_seconds: float = 180.0,
        tasks_per_worker: int = 200,
        resting_bytes: int = 512 << 20,
    ) -> None:
        self._scratch = scratch.absolute()
        self._settings = {"preload": list(preload), "idle_seconds": idle_seconds}
        self._tasks_per_worker = tasks_per_worker
        self._resting_bytes = resting_bytes
        self._workers = workers
        self._places = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False

    def run(
        self,
        task: str,
        *,
        args: Mapping[str, Any],
        inputs: Mapping[str, Path] | None = None,
        output: Path | None = None,
        limits: Limits = Limits(),
        keep: bool = True,
    ) -> Any:
        order = {"task": task, "kwargs": request(args, inputs, output), "limits": asdict(limits)}
        body = json.dumps(order, allow_nan=False).encode()
        with self._places:
            while True:
                worker, fresh = self._take()
                try:
                    message = worker.perform(body, limits)
                except Sleeping:
                    self._retire(worker)
                    if fresh:
                        raise LimitExceeded("crash") from None
                except BaseException:
                    self._retire(worker)
                    raise
                else:
                    if fresh and not keep:
                        self._retire(worker)
                    else:
                        self._give_back(worker)
                    return unpack(message)

    def close(self) -> None:
        """Ends all workers at once; tasks still running fail as `LimitExceeded("crash")`."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
        for worker in idle:
            self._retire(worker)
        for worker in busy:
            worker.kill()  # who waits for its answer retires it: closing the pipe under them would free its number for others

    def _take(self) -> tuple[_Worker, bool]:
        with self._lock:
            if self._closed:
                raise RuntimeError("the sandbox is closed")
            if self._idle:
                return self._idle.pop(), False
        worker = _Worker(
            self._scratch, self._settings, threads=max(1, (os.cpu_count() or 1) // self._workers)
        )
        with self._lock:
            self._all.add(worker)
        return worker, True

    def _give_back(self, worker: _Worker) -> None:
        used_up = worker.tasks >= self._tasks_per_worker or worker.resting() > self._resting_bytes
        if used_up or worker.has_children():
            self._retire(worker)
            return
        worker.sweep()
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        self._retire(worker)

    def _retire(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self._all.discard(worker)


class _Worker:
    """One child process and its folder."""

    def __init__(self, scratch: Path, settings: Mapping[str, Any], threads: int) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="worker-", dir=scratch))
        self.tasks = 0
        # -P: the folder it stands in, where strangers' files lie, is not searched for modules.
        command = [sys.executable, "-P", "-m", "opendata.ports.sandbox.child", json.dumps(settings)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=_environment(self.folder, threads),
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: both are pipes
        assert self._process.stdout is not None  # noqa: S101 - as above
        self._pipes = Pipes(self._process.stdin.fileno(), self._process.stdout.fileno())

    def perform(self, body: bytes, limits: Limits) -> dict[str, Any]:
        """Sends a task and waits for its answer. Errors: Sleeping, LimitExceeded; after either the worker must be ended."""
        self.tasks += 1
        deadline = time.monotonic() + limits.wall_seconds
        self._pipes.send(body)
        # The result travels inside a small envelope, so a little more than the result's own limit is let in.
        answer = self._pipes.receive(limits.output_bytes + 4096)
        try:
            while True:
                message = answer.wait(POLL_SECONDS)
                if message is not None:
                    return message
                self._watch(limits, deadline)
        except EOFError:
            raise LimitExceeded(self._cause_of_death()) from None

    def _watch(self, limits: Limits, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise LimitExceeded("wall")
        if sum(map(resident, family(self._process.pid))) > limits.memory:
            raise LimitExceeded("memory")
        if self._process.poll() is not None:
            raise EOFError

    def _cause_of_death(self) -> str:
        code = self._process.wait()
        # We kill only after having named the limit, so a SIGKILL from elsewhere is the kernel's out-of-memory killer.
        return {-signal.SIGXCPU: "cpu", -signal.SIGKILL: "memory"}.get(code, "crash")

    def resting(self) -> int:
        return resident(self._process.pid)

    def has_children(self) -> bool:
        return len(family(self._process.pid)) > 1

    def sweep(self) -> None:
        """What one file left behind is not there for the next."""
        for entry in list(self.folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)

    def end(self) -> None:
        """Kills the worker and all it started, then removes its folder. Harmless twice."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """The worker and all it started."""
        for _ in range(20):
            others = family(self._process.pid)[1:]
            for pid in others:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not others:
                break
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _environment(folder: Path, threads: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
        "PYTHONUTF8": "1",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        # A pool of threads for each core of a large machine would cost addresses and arenas in every worker.
        "POLARS_MAX_THREADS": str(threads),
        "MALLOC_ARENA_MAX": "4",
    }
