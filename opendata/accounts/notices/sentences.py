"""What a notice says to people, in their language. Data in `messages/*.json`, by occasion and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opendata.accounts.notices.models import Notice
from opendata.edge import messages

_FOLDER = Path(__file__).parent / "messages"


def catalogue(language: str) -> dict[str, str]:
    """`<occasion>`: the sentence; `kind.<kind>`: what kind of review it is."""
    return messages.read(_FOLDER, language)


def sentence(notice: Notice, language: str) -> str:
    texts = catalogue(language)
    params: Mapping[str, Any] = notice.params
    kind = texts[f"kind.{params['kind']}"] if "kind" in params else ""
    return texts[notice.occasion].format(**{**params, "kind": kind})
