"""CKAN's `datastore_search` arguments as a `Select`, and our column types by CKAN's names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opendata.ports.table_store.port import Column, ColumnType, Condition, Op, Order, Select
from opendata.tables.query import (
    MAX_FILTERS,
    MAX_OFFSET,
    MAX_VALUES,
    ROW_ID,
    Problems,
    read_order,
    split_names,
)

DEFAULT_LIMIT = 100
MAX_LIMIT = 32_000

_CKAN_TYPES = {
    ColumnType.STRING: "text",
    ColumnType.INTEGER: "int8",
    ColumnType.NUMBER: "numeric",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "timestamp",
    ColumnType.TIME: "time",
}
_SEARCHED = ("filters", "q", "distinct", "fields", "sort", "limit", "offset")
_OURS = frozenset(
    {
        "resource_id",
        "id",
        "include_total",
        "records_format",
        "language",
        "plain",
        "total_estimation_threshold",
    }
)
"""Arguments that the façade itself reads, or that change nothing here."""


def ckan_type(column: Column) -> str:
    """PostgreSQL's name of the type, as CKAN gives it in `fields` (`_id` is `int`)."""
    return "int" if column.name == "_id" else _CKAN_TYPES[column.type]


def parse_datastore(params: Mapping[str, Any], columns: Sequence[Column]) -> Select:
    """`filters` (an object or its JSON; a list of values means any of them, null an empty cell), `q` (text over all
    text columns, or an object column -> text), `distinct`, `fields` (a list or comma text), `sort` (`a desc, b`),
    `limit` (100, at most 32,000: more is cut as CKAN does), `offset`, `include_total`. `BadQuery` names every wrong
    argument."""
    return _Reading(params, columns).result()


class _Reading:
    def __init__(self, params: Mapping[str, Any], columns: Sequence[Column]) -> None:
        self._params = params
        self._problems = Problems(columns)

    def result(self) -> Select:
        for name in self._params.keys() - _OURS - set(_SEARCHED):
            self._problems.add(str(name)[:200], "unknown_parameter", known=", ".join(_SEARCHED))
        where = self._filters()
        search, more = self._search()
        select = Select(
            columns=self._fields(),
            where=(*where, *more),
            search=search,
            order=self._sort(),
            offset=self._number("offset", 0, MAX_OFFSET),
            limit=min(self._number("limit", DEFAULT_LIMIT, MAX_OFFSET), MAX_LIMIT),
            distinct=self._flag("distinct", False),
            count=self._flag("include_total", True),
        )
        self._check_distinct(select)
        self._problems.raise_if_any()
        return select

    def _filters(self) -> list[Condition]:
        value = self._decoded("filters")
        if value in (None, ""):
            return []
        if not isinstance(value, Mapping):
            self._problems.add("filters", "not_an_object")
            return []
        if len(value) > MAX_FILTERS:
            self._problems.add("filters", "too_many", highest=MAX_FILTERS)
            return []
        found = [self._filter(name, wanted) for name, wanted in value.items()]
        return [condition for condition in found if condition is not None]

    def _filter(self, name: str, wanted: Any) -> Condition | None:
        path = f"filters.{name}"[:200]
        column = self._problems.column(path, name)
        values = wanted if isinstance(wanted, list) else [wanted]
        if len(values) > MAX_VALUES:
            self._problems.add(path, "too_many", highest=MAX_VALUES)
        elif any(isinstance(value, Mapping | list) for value in values):
            self._problems.add(path, "not_a_value")
        elif column is not None:
            if values == [None]:
                return Condition(column, Op.IS_NULL, "true")
            return Condition(column, Op.IN, tuple(_text(value) for value in values if value is not None))
        return None

    def _search(self) -> tuple[str | None, list[Condition]]:
        value = (
            self._decoded("q")
            if str(self._params.get("q", "")).lstrip().startswith("{")
            else self._params.get("q")
        )
        if isinstance(value, Mapping):
            return None, [c for name, text in value.items() for c in self._words(name, text)]
        if value is None or isinstance(value, str):
            return self._problems.search("q", value or ""), []
        self._problems.add("q", "not_a_value")
        return None, []

    def _words(self, name: str, text: Any) -> list[Condition]:
        """CKAN's search within one column: all words of the text."""
        column = self._problems.column(f"q.{name}"[:200], name)
        words = self._problems.search(f"q.{name}"[:200], _text(text))
        return (
            [Condition(column, Op.CONTAINS, word) for word in (words or "").split()]
            if column is not None
            else []
        )

    def _fields(self) -> tuple[str, ...] | None:
        names = self._list("fields")
        found = [column for name in names if (column := self._problems.column("fields", name)) is not None]
        return tuple(dict.fromkeys(found)) if found else None

    def _sort(self) -> tuple[Order, ...]:
        # CKAN's own clients also write PostgreSQL's `nulls last`, which is what we do anyway.
        texts = [text.removesuffix(" nulls last").removesuffix(" NULLS LAST") for text in self._list("sort")]
        orders = [read_order(self._problems, "sort", text) for text in texts]
        return tuple(order for order in orders if order is not None)

    def _check_distinct(self, select: Select) -> None:
        if select.distinct:
            selected = select.columns or [name for name in self._problems.names if name != ROW_ID]
            for order in select.order:
                if order.column not in selected:
                    self._problems.add("sort", "order_not_selected", column=order.column)

    def _list(self, name: str) -> list[str]:
        value = self._params.get(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        if value is None or isinstance(value, str):
            try:
                return split_names(value or "")
            except ValueError:
                self._problems.add(name, "unclosed_quote")
                return []
        self._problems.add(name, "not_a_list")
        return []

    def _number(self, name: str, default: int, highest: int) -> int:
        value = self._params.get(name)
        if value in (None, ""):
            return default
        number = self._problems.number(name, _text(value), 0, highest)
        return default if number is None else number

    def _flag(self, name: str, default: bool) -> bool:
        value = _text(self._params.get(name, default)).strip().lower()
        if value not in ("true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", ""):
            self._problems.add(name, "not_yes_or_no")
        return value in ("true", "1", "yes", "on", "t") if value else default

    def _decoded(self, name: str) -> Any:
        value = self._params.get(name)
        if not isinstance(value, str) or not value.strip():
            return value or None
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            self._problems.add(name, "not_json")
            return None


def _text(value: Any) -> str:
    """A JSON value as the text that the store converts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
