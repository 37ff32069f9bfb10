"""Why an update does not pass by an authority, in people's language. Data in `messages/*.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "messages"


@cache
def catalogue(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return found


def sentence(problem: Mapping[str, Any], language: str) -> str:
    """`problem`: {code, params}."""
    params = {k: ", ".join(v) if isinstance(v, list) else v for k, v in problem["params"].items()}
    return catalogue(language)[problem["code"]].format(**params)
