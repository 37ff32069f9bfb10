"""Which records a JSON document holds, in the shapes in which people publish tables as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

LISTS = ("data", "records", "rows", "items", "results", "result")
"""Where answers of APIs keep their records."""
KEYS = ("key", "_key", "__key")
"""What the column of the keys is called: the first that no record has."""
LEAST = 3
"""Entries by which an object is a table of its keys rather than one thing with properties."""
DEEPEST = 3
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """Records, and the list or object of the document whose entries they are, from its `first` entry on."""

    records: Sequence[Record]
    holder: list[Any] | dict[str, Any]
    first: int = 0

    def keep(self, wanted: Sequence[bool]) -> None:
        """Takes the entries of all other records out of the document. `wanted`: one for each record."""
        if isinstance(self.holder, list):
            self.holder[self.first :] = compress(self.holder[self.first :], wanted)
            return
        for name, is_wanted in zip(list(self.holder), wanted, strict=True):
            if not is_wanted:
                del self.holder[name]


def locate(document: Any) -> Found | None:
    """Of a list of objects, a list of rows, an object by whose keys records or values are found, or of an object around
    one of these. None if it holds none: one thing with properties is no table."""
    return _within(document, DEEPEST)


def several(document: Any, depth: int = DEEPEST) -> dict[str, Found]:
    """The tables that stand side by side in an object, by their keys, where that is all there is beside single values; {}
    where `locate` finds one."""
    if not depth or not isinstance(document, dict) or locate(document) is not None:
        return {}
    holders = {key: value for key, value in document.items() if isinstance(value, list | Mapping) and value}
    if len(holders) == 1:
        return several(next(iter(holders.values())), depth - 1)
    if not any(locate(value) for value in holders.values()):
        return {}
    found = {key: locate(value) or _sibling(value) for key, value in holders.items()}
    return {} if None in found.values() else {key: one for key, one in found.items() if one is not None}


def _sibling(value: Any) -> Found | None:
    """Beside a table, an object is one even with a single entry."""
    return _keyed(value, least=1) if isinstance(value, dict) else None


def _within(document: Any, depth: int) -> Found | None:
    if isinstance(document, list):
        return _list(document)
    if not isinstance(document, dict):
        return None
    inner = [document[key] for key in LISTS if isinstance(document.get(key), list | Mapping)]
    for value in inner:
        if (found := _around(value, depth)) is not None:
            return found
    if (keyed := _keyed(document)) is not None:
        return keyed
    containers = [value for value in document.values() if isinstance(value, list | Mapping)]
    return _around(containers[0], depth) if len(containers) == 1 and not inner else None


def _around(value: Any, depth: int) -> Found | None:
    return _within(value, depth - 1) if depth > 1 or isinstance(value, list) else None


def _list(found: list[Any]) -> Found | None:
    if all(isinstance(one, Mapping) for one in found):
        return Found(found, found)
    if found and all(isinstance(one, list) for one in found):
        return _rows(found)
    return None


def _rows(found: list[list[Any]]) -> Found | None:
    """Rows of cells. The first is the header where it alone is all text: nothing tells other texts from data."""
    width = max(map(len, found))
    if not width or any(_is_nested(cell) for row in found for cell in row):
        return None
    first, rest = found[0], found[1:]
    headed = (
        len(set(first)) == width
        and all(isinstance(cell, str) and cell.strip() for cell in first)
        and any(not isinstance(cell, str) for row in rest for cell in row)
    )
    names = first if headed else [f"column{number}" for number in range(1, width + 1)]
    records = [dict(zip(names, row, strict=False)) for row in (rest if headed else found)]
    return Found(records, found, first=1 if headed else 0)


def _keyed(document: dict[str, Any], least: int = LEAST) -> Found | None:
    """`{"CN": {"name": …}, …}` and `{"CN": "China", …}`: entries of one kind, found by their keys."""
    values = list(document.values())
    if len(values) < least:
        return None
    if all(isinstance(value, Mapping) for value in values) and _alike(values):
        key = next((name for name in KEYS if not any(name in value for value in values)), KEYS[-1])
        return Found([{key: name, **value} for name, value in document.items()], document)
    if _of_one_kind(values):
        return Found([{"key": name, "value": value} for name, value in document.items()], document)
    return None


def _alike(values: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are records of one table: on the average each has half of all properties."""
    names = {name for value in values for name in value}
    return bool(names) and 2 * sum(map(len, values)) >= len(names) * len(values)


def _of_one_kind(values: Sequence[Any]) -> bool:
    """Texts, or numbers, some of them perhaps several in a list; not lists alone, which are tables of their own."""
    single = [value for value in values if not isinstance(value, list)]
    several = [one for value in values if isinstance(value, list) for one in value]
    kinds = {type(one) for one in [*single, *several] if one is not None}
    return len(kinds) == 1 and any(one is not None for one in single) and not kinds & {dict, list}


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | Mapping)
