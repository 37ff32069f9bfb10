"""What a notice says to people, in their language. Data in `messages/*.json`, by occasion and parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from opendata.accounts.notices.models import Notice

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).parent / "messages"


@cache
def catalogue(language: str) -> dict[str, str]:
    """`<occasion>`: the sentence; `kind.<kind>`: what kind of review it is."""
    found: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return found


def sentence(notice: Notice, language: str) -> str:
    texts = catalogue(language)
    params: Mapping[str, Any] = notice.params
    kind = texts[f"kind.{params['kind']}"] if "kind" in params else ""
    return texts[notice.occasion].format(**{**params, "kind": kind})
