"""The row API's query string as a `Select`.

`limit`, `offset`, `order` (or `order_by`: `col desc, col2`, or `-col`), `select` (or `columns`: `a,b`), `q` (or `_search`),
and filters `column=value` or `column__op=value` with eq ne lt lte gt gte in contains isnull. A column whose name is one of
these words is filtered as `name__eq`. Names with a comma or a quote are written in double quotes, a quote in them twice.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from opendata.core.errors import BadQuery, FieldError
from opendata.ports.table_store.port import Column, Condition, Op, Order, Select

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
MAX_OFFSET = 2**53
MAX_SEARCH = 200
MAX_WORDS = 16
MAX_FILTERS = 50
MAX_VALUES = 1_000
MOST_NAMED = 40
"""Columns that an error lists."""
ROW_ID = "_id"

OPERATORS = {
    "eq": Op.EQ,
    "ne": Op.NE,
    "lt": Op.LT,
    "lte": Op.LE,
    "le": Op.LE,
    "gt": Op.GT,
    "gte": Op.GE,
    "ge": Op.GE,
    "in": Op.IN,
    "contains": Op.CONTAINS,
    "isnull": Op.IS_NULL,
}
_ALIASES = {"order_by": "order", "columns": "select", "_search": "q"}
_WORDS = ("limit", "offset", "order", "select", "q")
QUOTE, DOUBLED = '"', '""'
_NAME = re.compile(r'\s*(?:(-?)"((?:[^"]|"")+)"([^,]*)|([^,]+))(?:,|$)')
_YES_NO = ("", "true", "false", "1", "0", "yes", "no", "t", "f")


def parse(params: Sequence[tuple[str, str]], columns: Sequence[Column]) -> Select:
    """The query of the parameters as they came, repeated ones included. `BadQuery` names every wrong one at once:
    `unknown_parameter` and `unknown_column` with the `known` names, the nearest first, `repeated`, `not_a_number`, `out_of_range`,
    `search_too_long`, `too_many`, `not_yes_or_no`."""
    reading = _Reading(columns)
    for name, value in params:
        reading.take(name, value)
    return reading.result()


def nearest(name: str, names: Collection[str]) -> list[str]:
    """Up to three of the names that look like this one, the nearest first."""
    folded = {known.casefold(): known for known in names}
    return [
        folded[match]
        for match in difflib.get_close_matches(name[:200].casefold(), list(folded), n=3, cutoff=0.5)
    ]


def listed(name: str, known: Sequence[str]) -> str:
    """The known names in one line, those that look like this one first; not all of a table with very many columns."""
    names = list(dict.fromkeys([*nearest(name, known), *known]))
    return ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")


def split_names(text: str) -> list[str]:
    """Comma-separated names (each may have a direction behind it), blanks around them dropped; a name in double quotes
    may hold commas. `ValueError` for a quote that is not closed."""
    names = []
    for sign, quoted, behind, plain in _NAME.findall(text):
        if plain.lstrip("- ").startswith('"'):
            raise ValueError("a quote is not closed")
        name = f"{sign}{quoted.replace(DOUBLED, QUOTE)} {behind}" if quoted else plain
        names.append(name.strip())
    return [name for name in names if name]


class Problems:
    """Gathers the wrong places of a query, so that one answer names them all."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.names = [ROW_ID, *(column.name for column in columns)]
        self.fields: list[FieldError] = []

    def add(self, path: str, code: str, **params: object) -> None:
        self.fields.append(FieldError(path, code, params))

    def column(self, path: str, name: str) -> str | None:
        """The column of that name; an unknown one is noted. Blanks at the ends of a header may be left out."""
        if name in self.names:
            return name
        stripped = [known for known in self.names if known.strip() == name.strip()]
        if len(stripped) == 1:
            return stripped[0]
        self.add(path, "unknown_column", column=name[:200], known=listed(name, self.names))
        return None

    def number(self, path: str, value: str, lowest: int, highest: int) -> int | None:
        text = value.strip()
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20):
            self.add(path, "not_a_number", field=path, value=text[:40])
        elif not lowest <= int(text) <= highest:
            self.add(path, "out_of_range", minimum=lowest, maximum=highest)
        else:
            return int(text)
        return None

    def search(self, path: str, value: str) -> str | None:
        if len(value) > MAX_SEARCH or len(value.split()) > MAX_WORDS:
            self.add(path, "search_too_long", characters=MAX_SEARCH, words=MAX_WORDS)
        return value.strip() or None

    def raise_if_any(self) -> None:
        if self.fields:
            raise BadQuery(fields=self.fields)


class _Reading:
    """A query string while it is read."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._problems = Problems(columns)
        self._given: dict[str, tuple[str, str]] = {}
        self._where: list[Condition] = []

    def take(self, name: str, value: str) -> None:
        word = _ALIASES.get(name, name)
        if word in _WORDS:
            if word in self._given:
                self._problems.add(name, "repeated")
            self._given[word] = (name, value)
        else:
            self._filter(name, value)

    def result(self) -> Select:
        if len(self._where) > MAX_FILTERS:
            self._problems.add("", "too_many", highest=MAX_FILTERS)
        limit = self._number("limit", DEFAULT_LIMIT, MAX_LIMIT)
        offset = self._number("offset", 0, MAX_OFFSET)
        columns, order = self._columns(), self._order()
        search = self._problems.search(*self._given["q"]) if "q" in self._given else None
        self._problems.raise_if_any()
        return Select(
            columns=columns, where=tuple(self._where), search=search, order=order, offset=offset, limit=limit
        )

    def _filter(self, name: str, value: str) -> None:
        column, op = self._column_and_op(name)
        if column is None:
            return
        if op is Op.IN:
            try:
                values = tuple(split_names(value))
            except ValueError:
                self._problems.add(name, "unclosed_quote")
                return
            if len(values) > MAX_VALUES:
                self._problems.add(name, "too_many", highest=MAX_VALUES)
            self._where.append(Condition(column, op, values))
            return
        if op is Op.IS_NULL and value.strip().lower() not in _YES_NO:
            self._problems.add(name, "not_yes_or_no")
        self._where.append(Condition(column, op, value))

    def _column_and_op(self, name: str) -> tuple[str | None, Op]:
        """A whole name before one cut at `__`: a header may itself end in `__in`."""
        if name in self._problems.names:
            return name, Op.EQ
        head, parting, tail = name.rpartition("__")
        if parting and tail in OPERATORS:
            return self._problems.column(name, head), OPERATORS[tail]
        known = [*_WORDS, *_ALIASES, *self._problems.names]
        self._problems.add(name[:200], "unknown_parameter", known=listed(name, known))
        return None, Op.EQ

    def _number(self, word: str, default: int, highest: int) -> int:
        if word not in self._given:
            return default
        number = self._problems.number(*self._given[word], 0, highest)
        return default if number is None else number

    def _names(self, word: str) -> list[str]:
        path, value = self._given.get(word, (word, ""))
        try:
            return split_names(value)
        except ValueError:
            self._problems.add(path, "unclosed_quote")
            return []

    def _columns(self) -> tuple[str, ...] | None:
        path = self._given.get("select", ("select", ""))[0]
        names = [name for name in self._names("select") if name != "*"]
        found = [column for name in names if (column := self._problems.column(path, name)) is not None]
        return tuple(dict.fromkeys(found)) if found else None

    def _order(self) -> tuple[Order, ...]:
        path = self._given.get("order", ("order", ""))[0]
        orders = [read_order(self._problems, path, name) for name in self._names("order")]
        return tuple(order for order in orders if order is not None)


def read_order(problems: Problems, path: str, text: str) -> Order | None:
    """`col`, `col asc`, `col desc` or `-col`. A column whose whole name reads so is taken as that column."""
    if text in problems.names:
        return Order(text)
    name, _, direction = (part.strip() for part in text.rpartition(" "))
    if name in problems.names and direction.lower() not in ("asc", "desc"):
        problems.add(path, "unknown_value", value=direction[:40], known="asc, desc")
        return None
    if name and direction.lower() in ("asc", "desc"):
        descending = direction.lower() == "desc"
    else:
        name, descending = text, False
        if text.startswith("-"):
            name, descending = text[1:], True
    column = problems.column(path, name)
    return Order(column, descending) if column is not None else None
