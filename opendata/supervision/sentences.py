"""What a check has found, in people's language. Data in `messages/*.json`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from opendata.catalog.codes import codes
from opendata.edge import messages

_FOLDER = Path(__file__).parent / "messages"


def catalogue(language: str) -> dict[str, str]:
    """`cause.*`: what is wrong, with the parameters of its finding; `cured.*`: that a check finds it no more."""
    return messages.read(_FOLDER, language)


def sentence(key: str, params: Mapping[str, Any], language: str) -> str:
    """The sentence of a key, filled in; empty for what has none (a person wrote it in words)."""
    told = catalogue(language).get(key, "")
    shown = dict(params)
    if "cycle" in shown:
        shown["cycle"] = codes().label("update_cycle", shown["cycle"], language)
    return told.format(**shown)


def iso(day: date) -> str:
    """A day as a parameter."""
    return day.isoformat()
