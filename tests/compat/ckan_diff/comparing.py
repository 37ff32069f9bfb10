"""An answer without what is another one each time, and how two answers differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ckan_diff.calls import Call, Reply

_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TOKEN_ID = re.compile(r"[A-Za-z0-9_-]{43}")
"""What CKAN calls an API token."""
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?![\dZ+])")
"""CKAN's way alone: a time that is written otherwise is a difference."""


class Names:
    """What values of this run are called: those that calls kept by their names, others by their kind."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._known: dict[str, str] = {}
        self.saved: dict[str, Any] = {}

    def keep(self, name: str, result: Any) -> None:
        self.saved[name] = result
        if isinstance(result, dict):
            for key, value in result.items():
                if isinstance(value, str) and (
                    _ID.fullmatch(value) or _TOKEN_ID.fullmatch(value) or key == "token"
                ):
                    self._known.setdefault(value, f"<{name}.{key}>")

    def know(self, value: str, name: str) -> None:
        self._known.setdefault(value, name)

    def plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._text(key): self.plain(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.plain(part) for part in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        if text in self._known:
            return self._known[text]
        if _TOKEN_ID.fullmatch(text):
            return "<id>"
        text = text.replace(self._site, "<site>")
        text = _ID.sub(lambda found: self._known.get(found[0], "<id>"), text)
        return _TIME.sub("<time>", text)


def answer(one: Call, reply: Reply, names: Names) -> dict[str, Any]:
    """What counts of a reply; keeps its result if the call says so."""
    try:
        body = json.loads(reply.text)
    except ValueError:
        body = {"text": reply.text}
    if one.keep and isinstance(body, dict) and "result" in body:
        names.keep(one.keep, body["result"])
    found = {"status": reply.status_code, "body": names.plain(body)}
    if one.headers:
        found["headers"] = {name: reply.headers.get(name) for name in one.headers}
    return found


def shaped(one: Call, found: dict[str, Any]) -> dict[str, Any]:
    """Without what the call says is not to be compared."""
    body = found["body"]
    for path in one.as_type:
        body = _changed(body, path.split("."), lambda value: f"<{type(value).__name__}>")
    for path in one.unordered:
        body = _changed(body, path.split("."), _sorted)
    return {**found, "body": body}


def _sorted(value: Any) -> Any:
    return sorted(value, key=_order) if isinstance(value, list) else value


def _order(part: Any) -> str:
    name = part.get("name") if isinstance(part, dict) else None
    return name if isinstance(name, str) else json.dumps(part, sort_keys=True)


def _changed(value: Any, path: list[str], change: Any) -> Any:
    if not path:
        return value if isinstance(value, str) and value.startswith("<") else change(value)
    if isinstance(value, list):
        return [_changed(part, path, change) for part in value]
    if isinstance(value, dict) and path[0] in value:
        return {**value, path[0]: _changed(value[path[0]], path[1:], change)}
    return value


NOTHING = "<nothing>"


def _comparable(value: Any, other: Any) -> Any:
    """Extras by their keys, if either side has any: their order means nothing."""
    if not isinstance(value, list) or not isinstance(other, list) or not (value or other):
        return value
    if all(_are_extras(part) for part in (value, other) if part):
        return {part["key"]: part["value"] for part in value}
    return value


def _are_extras(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(part, dict) and part.keys() == {"key", "value"} for part in value)


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, ours, theirs); `[]` stands for any place in a list."""
    ours, theirs = _comparable(ours, theirs), _comparable(theirs, ours)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        yield from _of_objects(ours, theirs, path)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for mine, other in zip(ours, theirs, strict=True):
            yield from differences(mine, other, f"{path}[]")
    elif ours != theirs or type(ours) is not type(theirs):
        yield path, ours, theirs


def _of_objects(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted({*ours, *theirs}):
        under = f"{path}.{key}" if path else key
        if key not in ours or key not in theirs:
            yield under, ours.get(key, NOTHING), theirs.get(key, NOTHING)
        else:
            yield from differences(ours[key], theirs[key], under)
