"""What CKAN answered, by area: a JSON file each, a line for a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ckan_diff.areas import AREAS
from ckan_diff.calls import Send, perform
from ckan_diff.comparing import Names, answer, shaped

FOLDER = Path(__file__).parent / "recorded"


def record(area: str, send: Send, tokens: Mapping[str, str], site: str) -> int:
    """Makes the calls on CKAN and writes what it says; the number of calls."""
    names = named(site, tokens)
    lines = []
    for one in AREAS[area]:
        reply = perform(one, send, tokens, names.saved)
        lines.append(
            json.dumps({"call": one.label, **shaped(one, answer(one, reply, names))}, ensure_ascii=False)
        )
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{area}.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return len(lines)


def recorded(area: str) -> list[dict[str, Any]]:
    """One answer for each call of the area. The calls must be those that were recorded."""
    path = FOLDER / f"{area}.jsonl"
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    asked = [one.label for one in AREAS[area]]
    assert [entry["call"] for entry in found] == asked, f"the calls of {area} changed: make ckan-diff"
    return [shaped(one, entry) for one, entry in zip(AREAS[area], found, strict=True)]


def named(site: str, tokens: Mapping[str, str]) -> Names:
    names = Names(site)
    for person, token in tokens.items():
        names.know(token, f"<token of {person}>")
    return names
