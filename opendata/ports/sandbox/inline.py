"""The sandbox of tests and of one-off commands: same rules for what goes in and out, no limits but the size of the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.calling import answer, request, unpack
from opendata.ports.sandbox.port import Limits


class InlineSandbox:
    """Runs tasks in the caller's own process and thread. Never give it a stranger's bytes in production."""

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
        kwargs = json.loads(json.dumps(request(args, inputs, output), allow_nan=False))
        message = answer(task, kwargs, limits.output_bytes)
        return json.loads(json.dumps(unpack(message)))

    def close(self) -> None:
        """Nothing is held."""
