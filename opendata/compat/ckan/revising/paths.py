"""Places in a package by paths: `title`, `resources__0__name`, `resources__1f9a2`, where parts of an id stand for an index.

All of it works on plain JSON, in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Place = tuple[str | int, ...]
SHORTEST_ID = 5
"""So many characters of an id select an entry of a list, if no other one begins so: ids that were made at the same time do."""
MAX_DEPTH = 20


class NoSuchPlace(Exception):
    """A path leads nowhere, or a value does not fit there; the text says which."""


def written(place: Place) -> str:
    return "__".join(str(part) for part in place)


def find(data: Any, path: str) -> tuple[Any, Place]:
    """What stands at a path, and its place with indexes."""
    place: Place = ()
    for key in path.split("__")[:MAX_DEPTH]:
        step: str | int | None = key if isinstance(data, dict) and key in data else None
        if isinstance(data, list):
            step = _index(data, key)
        if step is None:
            raise NoSuchPlace(f"Unmatched key {written((*place, key))}")
        place, data = (*place, step), data[step]
    return data, place


def _index(entries: list[Any], key: str) -> int | None:
    if len(key) >= SHORTEST_ID:
        ids = [str(entry.get("id", "")) if isinstance(entry, dict) else "" for entry in entries]
        matching = [at for at, found in enumerate(ids) if found.startswith(key)]
        return matching[0] if len(matching) == 1 else None
    try:
        at = int(key)
    except ValueError:
        return None
    return at % len(entries) if -len(entries) <= at < len(entries) else None


def unmatched(data: Any, wanted: Any, place: Place = ()) -> Iterator[Place]:
    """The places at which `data` is not what is wanted of it; what is not wanted may be anything."""
    if isinstance(wanted, Mapping):
        if not isinstance(data, dict):
            yield place
            return
        for key, value in sorted(wanted.items()):
            if key in data:
                yield from unmatched(data[key], value, (*place, key))
            else:
                yield (*place, key)
    elif isinstance(wanted, list):
        if not isinstance(data, list):
            yield place
            return
        for at, value in enumerate(wanted):
            if at < len(data):
                yield from unmatched(data[at], value, (*place, at))
            else:
                yield (*place, at)
    elif data != wanted:
        yield place


def merge(data: Any, news: Any, place: Place = ()) -> None:
    """Writes the news into an object or a list; what they do not name stays."""
    if isinstance(data, dict):
        if not isinstance(news, Mapping):
            raise NoSuchPlace(f"Expected dict for {written(place)}")
        steps: Sequence[tuple[Any, Any]] = list(news.items())
    else:
        if not isinstance(news, list):
            raise NoSuchPlace(f"Expected list for {written(place)}")
        steps = list(enumerate(news))
    for key, value in steps:
        held = _held(data, key)
        if isinstance(held, dict | list):
            merge(held, value, (*place, key))
        elif isinstance(data, list) and key >= len(data):
            data.append(value)
        else:
            data[key] = value


def _held(data: Any, key: Any) -> Any:
    if isinstance(data, dict):
        return data.get(key)
    return data[key] if key < len(data) else None


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Writes a value at a path; `…__extend` puts a list's entries at the end of a list."""
    before, _, last = path.rpartition("__")
    holder, place = find(data, before) if before else (data, ())
    if isinstance(holder, dict):
        merge(holder, {last: value}, place)
    elif not isinstance(holder, list):
        raise NoSuchPlace(f"Expected list or dict for {before}")
    elif last == "extend":
        if not isinstance(value, list):
            raise NoSuchPlace(f"Expected list for {before}")
        holder.extend(value)
    else:
        held, at = find(holder, last)
        if isinstance(held, dict | list):
            merge(held, value, (*place, *at))
        else:
            holder[int(at[0])] = value


def sift(data: Any, patterns: Sequence[str]) -> None:
    """Removes what `-path` names and keeps what `+path` names; the first pattern that names a thing counts. `*` is
    anything at its level."""
    _sift(data, [(text.startswith("+"), text.lstrip("+-").split("__")[:MAX_DEPTH]) for text in patterns])


def _sift(data: Any, patterns: Sequence[tuple[bool, Sequence[str]]]) -> None:
    if not isinstance(data, dict | list):
        return
    keys: list[Any] = list(data) if isinstance(data, dict) else list(range(len(data)))
    fate: dict[Any, bool] = {}
    below: dict[Any, list[tuple[bool, Sequence[str]]]] = {}
    for keep, path in patterns:
        for key in keys if path[0] == "*" else _named(data, path[0]):
            if len(path) == 1:
                fate.setdefault(key, keep)
            elif path[0] != "*":
                below.setdefault(key, []).append((keep, path[1:]))
    for key, inner in below.items():
        if fate.get(key, True):
            _sift(data[key], inner)
    for key in reversed(keys):
        if not fate.get(key, True):
            del data[key]


def _named(data: Any, key: str) -> list[Any]:
    if isinstance(data, dict):
        return [key] if key in data else []
    at = _index(data, key)
    return [] if at is None else [at]
