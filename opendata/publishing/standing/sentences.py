"""Why an update does not pass by an authority, in people's language. Data in `messages/*.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opendata.edge import messages

_FOLDER = Path(__file__).parent / "messages"


def catalogue(language: str) -> dict[str, str]:
    return messages.read(_FOLDER, language)


def sentence(problem: Mapping[str, Any], language: str) -> str:
    """`problem`: {code, params}."""
    params = {k: ", ".join(v) if isinstance(v, list) else v for k, v in problem["params"].items()}
    return catalogue(language)[problem["code"]].format(**params)
