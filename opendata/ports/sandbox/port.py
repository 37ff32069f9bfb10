"""What we ask of a sandbox.

A task is a module-level function named `package.module:function`. It is called with keyword arguments that are JSON
values (paths are strings) and returns a JSON value. Files go in and out by path: the caller names the input files and
one output folder; nothing else is promised to be readable or writable. The task sees no environment, no credentials, no
network.

Errors: `TaskFailed` carries what the task raised as `TaskError(code, params)`; running out of a limit is `LimitExceeded`
with `limit` one of `memory`, `cpu`, `wall`, `output`; a dead process is `LimitExceeded("crash")`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Limits:
    memory: int = 1 << 30
    """Resident bytes."""
    cpu_seconds: float = 60.0
    wall_seconds: float = 120.0
    file_bytes: int = 16 << 30
    """The largest file that the task may write."""
    output_bytes: int = 64 << 20
    """The largest result, as JSON."""

    @staticmethod
    def for_bytes(size: int) -> Limits:
        """Limits that grow with the input: plain frictionless needs 40 s a million rows, about 0.4 s a megabyte."""
        seconds = 60.0 + size / 1e6
        return Limits(cpu_seconds=seconds, wall_seconds=2 * seconds)


class TaskError(Exception):
    """Raised *inside* a task for an error that the caller understands: a code and JSON parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class TaskFailed(Exception):
    """The task raised. `code` and `params` are the `TaskError`'s, or `task_crashed` with the exception's type."""

    def __init__(self, code: str, params: Mapping[str, Any]) -> None:
        super().__init__(code, dict(params))
        self.code = code
        self.params = dict(params)


class LimitExceeded(Exception):
    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Sandbox(Protocol):
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
        """Runs a task and returns its JSON result. Each of `inputs` is passed as a keyword argument holding its path,
        `output` as the keyword argument `output`. `keep`: False for what is done once in a while: a worker that was
        started for it does not wait for more. Thread-safe; blocks."""
        ...

    def close(self) -> None: ...
