"""Values of a stranger's JSON, whatever they are: a text where a list should be, a number where a text, nothing at all."""

from __future__ import annotations

from typing import Any


def text(value: Any) -> str:
    """Empty for what is none; of a list its first one; of an object its value."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return next((found for one in value if (found := text(one))), "")
    return text(value.get("@value") or value.get("@id")) if isinstance(value, dict) else ""


def texts(value: Any) -> list[str]:
    """Of a list each, of one text that one."""
    values = value if isinstance(value, list) else [value]
    return [found for one in values if (found := text(one))]


def things(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, or the one object."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]
