"""What the sample catalogue is made of: the files beside this one."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


def read(name: str) -> dict[str, list[dict[str, Any]]]:
    """The entries of a file, by what they are; a copy of one's own."""
    found: dict[str, list[dict[str, Any]]] = json.loads(_text(name))
    return found


@cache
def _text(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")
