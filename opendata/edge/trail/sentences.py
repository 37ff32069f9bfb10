"""What somebody did, in people's language, by the action of a line of the trail. Data in `messages/*.json`."""

from __future__ import annotations

from pathlib import Path

from opendata.edge import messages

_FOLDER = Path(__file__).parent / "messages"


def catalogue(language: str) -> dict[str, str]:
    return messages.read(_FOLDER, language)


def sentence(action: str, language: str) -> str:
    """The code itself for an action of an earlier version that nothing records any more."""
    return catalogue(language).get(action, action)
