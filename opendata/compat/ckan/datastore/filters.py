"""CKAN 2.12's filters: `{"a": 1}`, `{"a": [1, 2]}`, `{"a": {"gt": 1, "lte": 5}}`, `{"$or": [{…}, {…}]}`, nested and bounded.

A filter is read to a tree of nodes: `[and|or, nodes]`, `[in, field, values]`, `[eq|gt|gte|lt|lte, field, value]`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from opendata.compat.ckan.wire import ActionError, wrong

COMPARISONS = ("eq", "in", "gt", "gte", "lt", "lte")
MOST_DEPTH = 10
MOST_NODES = 100
MOST_VALUES = 10_000

Node = list[Any]


def read_filters(value: Any, known: Collection[str]) -> Node | None:
    """The tree, None for no filter. A Validation Error names all that is wrong."""
    if not value:
        return None
    if not (isinstance(value, dict) or _is_list_of_dicts(value)):
        raise wrong({"filters": ["Filters must be defined as a dict or a list of dicts"]})
    reading = _Reading(known)
    tree = reading.any_of(value, 0) if isinstance(value, list) else reading.all_of(value, 0)
    if reading.errors:
        raise wrong({"filters": reading.errors})
    return tree


def shown(node: Node | None) -> dict[str, Any] | None:
    """The tree as CKAN's answers repeat it (`filterops`)."""
    if node is None:
        return None
    if node[0] in ("and", "or"):
        return {"op": f"${node[0]}", "field": None, "value": [shown(child) for child in node[1]]}
    return {"op": node[0], "field": node[1], "value": node[2]}


class _Reading:
    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._nodes = 0
        self.errors: list[str] = []

    def all_of(self, entries: Mapping[str, Any], depth: int) -> Node | None:
        """Everything in an object."""
        found: list[Node] = []
        for key, value in entries.items():
            if key.startswith("$") and not key.startswith("$$"):
                node = self._operator(key, value, depth)
            else:
                node = self._field(key.removeprefix("$") if key.startswith("$$") else key, value)
            if node is not None and node[0] == "and" and key == "$and":
                found.extend(node[1])
            elif node is not None:
                found.append(node)
        return self._joined("and", found)

    def any_of(self, entries: list[Any], depth: int) -> Node | None:
        return self._members("or", entries, depth)

    def _operator(self, key: str, value: Any, depth: int) -> Node | None:
        if key not in ("$or", "$and"):
            self.errors.append(f"Unknown operators (must be one of $or, $and): {key[:100]}")
            return None
        if not _is_list_of_dicts(value):
            self.errors.append(f"Filter operations must be defined as a list of dicts: {str(value)[:200]}")
            return None
        return self._members(key[1:], value, depth)

    def _members(self, operator: str, entries: list[Any], depth: int) -> Node | None:
        if depth + 1 >= MOST_DEPTH:
            raise _too("Maximum nesting depth for filter operations reached")
        if len(entries) >= MOST_NODES:
            raise _too("Maximum number of filter operations exceeded")
        found: list[Node] = []
        for entry in entries:
            node = self.all_of(entry, depth + 1)
            if node is not None and node[0] == operator:
                found.extend(node[1])
            elif node is not None:
                found.append(node)
        return [operator, found] if found else None

    def _field(self, name: str, value: Any) -> Node | None:
        if isinstance(value, dict):
            return self._joined("and", [node for op, v in value.items() if (node := self._one(op, name, v))])
        if not isinstance(value, list):
            return self._one("eq", name, value)
        ranges = [entry for entry in value if isinstance(entry, dict)]
        plain = [entry for entry in value if not isinstance(entry, dict)]
        found = [node for entry in ranges if (node := self._field(name, entry))]
        if plain or not ranges:
            node = self._one("in", name, plain)
            found += [node] if node else []
        return self._joined("or", found)

    def _one(self, operator: str, name: str, value: Any) -> Node | None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _too("Maximum number of filter operations exceeded")
        if name not in self._known:
            self.errors.append(f"Unknown field: {name[:100]}")
        elif operator not in COMPARISONS or (operator == "in" and not isinstance(value, list)):
            told = f"FilterOp(field={name!r}, op={operator[:40]!r}, value={value!r})"
            self.errors.append(f"Unknown filter operation: {told[:300]}")
        elif any(isinstance(each, dict | list) for each in (value if operator == "in" else [value])):
            self.errors.append(f"Not a value: {str(value)[:200]}")
        elif operator == "in" and len(value) > MOST_VALUES:
            raise _too(f"At most {MOST_VALUES} values in one filter")
        else:
            return [operator, name, value]
        return None

    def _joined(self, operator: str, nodes: list[Node]) -> Node | None:
        if len(nodes) < 2:
            return nodes[0] if nodes else None
        return [operator, nodes]


def _is_list_of_dicts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _too(text: str) -> ActionError:
    return wrong({"filters": [text]})
