"""What a run's report says of a record, in people's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opendata.edge import messages


def sentence(told: Mapping[str, Any], language: str) -> str:
    """`told`: {code, params, path}; the path is what was left out, or what is missing."""
    text = messages.text(told["code"], language, told["params"])
    return f"{told['path']}: {text}" if told.get("path") else text


def sentences(told: Iterable[Mapping[str, Any]], language: str) -> list[str]:
    return [sentence(one, language) for one in told]
