"""A remote's bytes by the sandbox: whatever they hold, the worst is a run that fails with a reason."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opendata.harvest.record import SourceBroken
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed


@dataclass(frozen=True)
class Parser:
    sandbox: Sandbox
    scratch: Path
    """Where the bytes lie meanwhile."""

    def run(self, task: str, body: bytes, args: Mapping[str, Any]) -> Any:
        """`SourceBroken` with the code of the task's `TaskError`, `harvest_unreadable` or `harvest_too_heavy`."""
        with tempfile.TemporaryDirectory(prefix="harvest-", dir=self.scratch) as folder:
            path = Path(folder, "page")
            path.write_bytes(body)
            try:
                return self.sandbox.run(
                    task, args=args, inputs={"path": path}, limits=Limits.for_bytes(len(body))
                )
            except TaskFailed as failure:
                if failure.code == "task_crashed":
                    raise SourceBroken("harvest_unreadable", place=failure.params.get("at", "")) from None
                raise SourceBroken(failure.code, **failure.params) from None
            except LimitExceeded as failure:
                raise SourceBroken("harvest_too_heavy", limit=failure.limit) from None
