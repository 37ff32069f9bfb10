"""Conditions of a search as SQL: the tree of filters, and words to be found. Values are bound, names are looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opendata.tables.sandboxed.cells import Refused, cell, long_name
from opendata.tables.sandboxed.refusals import Refusal
from opendata.tables.sandboxed.relation import State, sql_type

_COMPARE = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TOKEN = re.compile(r"\s*(?:([&|!()])|<->|((?:[^\s&|!():<']|'(?:[^']|'')*')+)(:\*)?)")
MOST_WORDS = 64
MOST_DEPTH = 20

Clause = tuple[str, list[Any]]


def clauses(state: State, query: Mapping[str, Any]) -> Clause:
    """`filters` (a tree), `q` (a text or {field: text}), `full_text`, `plain`."""
    found: list[Clause] = []
    if query.get("filters"):
        found.append(_tree(state, query["filters"]))
    plain = query.get("plain", True)
    for name, text in words_of(query):
        found.append(_words(state, name, text, plain))
    return (
        " AND ".join(f"({sql})" for sql, _ in found) or "true",
        [value for _, values in found for value in values],
    )


def words_of(query: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """(field or None for all of them, text) of what is searched."""
    found: list[tuple[str | None, str]] = []
    if query.get("full_text"):
        found.append((None, str(query["full_text"])))
    q = query.get("q")
    if isinstance(q, Mapping):
        found.extend((name, str(text)) for name, text in q.items())
    elif q and not query.get("full_text"):
        found.append((None, str(q)))
    return found


def _tree(state: State, node: Sequence[Any]) -> Clause:
    """A node: [and|or, nodes], [in, field, values], [eq|gt|gte|lt|lte, field, value]."""
    operator = node[0]
    if operator in ("and", "or"):
        parts = [_tree(state, child) for child in node[1]]
        sql = f" {operator.upper()} ".join(f"({part})" for part, _ in parts)
        return sql, [value for _, values in parts for value in values]
    name, value = node[1], node[2]
    if operator == "in":
        values = [bound for each in value if (bound := _value(state, name, each)) is not None]
        if not values:
            return "false", []
        return f"{state.column(name)} IN ({', '.join('?' * len(values))})", values
    bound = _value(state, name, value)
    if bound is None:
        return "false", []  # nothing is equal to, or beyond, null
    return f"{state.column(name)} {_COMPARE[operator]} ?", [bound]


def _value(state: State, name: str, value: Any) -> Any:
    """A value of a filter as one of the column's type."""
    kind = state.kind(name)
    if value is None:
        return None
    if kind == "text":
        return str(value)
    if kind.startswith("int") and isinstance(value, float) and not isinstance(value, bool):
        return value  # compared as it is, not rounded
    if value == "":
        raise Refusal("bad_query", text=f'invalid input syntax for type {long_name(kind)}: ""')
    try:
        # A whole number beyond the column's range is compared, and found nowhere.
        return cell(value, "int8" if kind.startswith("int") and isinstance(value, int) else kind)
    except Refused as refused:
        raise Refusal("bad_query", text=str(refused)) from None


def _cells(state: State, name: str | None, word: str) -> str:
    """The text in which a word is looked for: a cell, or all cells of the row parted by a sign that no word holds. Cells of
    numbers and dates hold no word of letters, and are left out for it."""
    if name is not None:
        return f"lower(CAST({state.column(name)} AS VARCHAR))"
    digits = any(sign.isdigit() for sign in word)
    fields = [field for field in state.fields if digits or sql_type(field["type"]) in ("VARCHAR", "BOOLEAN")]
    texts = ", ".join(f"CAST({state.column(field['id'])} AS VARCHAR)" for field in fields)
    return f"lower(concat_ws(chr(31), {texts}))" if texts else "''"


def _words(state: State, name: str | None, text: str, plain: bool) -> Clause:
    if not plain:
        return _Expression(_cells(state, name, "1"), text).clause()
    words = list(dict.fromkeys(re.findall(r"\w+", text.lower())))
    if len(words) > MOST_WORDS:
        raise Refusal("bad_query", text="too many words")
    if not words:
        return "false", []
    return " AND ".join(f"contains({_cells(state, name, word)}, ?)" for word in words), [*words]


class _Expression:
    """PostgreSQL's language of text search: `a & (b | !c) & d:*`."""

    def __init__(self, cells: str, text: str) -> None:
        self._cells = cells
        self._text = text
        self._tokens = _tokens(text)
        self._values: list[Any] = []

    def clause(self) -> Clause:
        if not self._tokens:
            return "false", []
        sql = self._any(0)
        if self._tokens:
            raise self._wrong()
        return sql, self._values

    def _any(self, depth: int) -> str:
        if depth > MOST_DEPTH:
            raise self._wrong()
        parts = [self._all(depth)]
        while self._take("|"):
            parts.append(self._all(depth))
        return f"({' OR '.join(parts)})"

    def _all(self, depth: int) -> str:
        parts = [self._one(depth)]
        while self._take("&"):
            parts.append(self._one(depth))
        return f"({' AND '.join(parts)})"

    def _one(self, depth: int) -> str:
        negated = False
        while self._take("!"):
            negated = not negated
        sql = self._group(depth) if self._take("(") else self._word()
        return f"NOT {sql}" if negated else sql

    def _group(self, depth: int) -> str:
        sql = self._any(depth + 1)
        if not self._take(")"):
            raise self._wrong()
        return sql

    def _word(self) -> str:
        if not self._tokens or self._tokens[0] in ("&", "|", "!", "(", ")"):
            raise self._wrong()
        self._values.append(self._tokens.pop(0).removesuffix(":*").strip("'").replace("''", "'").lower())
        return f"contains({self._cells}, ?)"

    def _take(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == sign:
            self._tokens.pop(0)
            return True
        return False

    def _wrong(self) -> Refusal:
        return Refusal("bad_query", text=f'syntax error in tsquery: "{self._text[:200]}"')


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None or match.end() == place or len(found) > 4 * MOST_WORDS:
            raise Refusal("bad_query", text=f'syntax error in tsquery: "{text[:200]}"')
        found.append(match[1] or (match[2] + (match[3] or "") if match[2] else "&"))
        place = match.end()
    return found
