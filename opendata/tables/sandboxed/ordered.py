"""Rows that a row order names: found in a table, and kept out of what is written into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from opendata.tables.sandboxed.exporting import PAGE, written
from opendata.tables.sandboxed.refusals import Refusal
from opendata.tables.sandboxed.relation import State, quoted, reading
from opendata.tabular.removal.matching import Found, Matcher
from opendata.tabular.shape import naming

_BEFORE_ALL = -(1 << 62)


class Watch:
    """The orders over one table. `asked`: {orders, numbers (by order), key, today, labels (by field)}."""

    def __init__(self, table: State, asked: Mapping[str, Any]) -> None:
        self._table, self._asked, self._found = table, asked, Found()
        named: dict[str, int] = {}
        for texts in ({field["id"]: field["id"] for field in table.fields}, asked["labels"]):
            for place, field in enumerate(table.fields):
                if text := texts.get(field["id"]):
                    named.setdefault(naming.plain(str(text)), place)
        key, today = bytes.fromhex(asked["key"]), date.fromisoformat(asked["today"])
        self._matcher = Matcher(named, asked["orders"], key, today, self._found)

    @property
    def counts(self) -> dict[str, int]:
        """Rows by order."""
        return dict(self._found.counts)

    def hidden(self) -> list[int]:
        """`_id`s of the table's rows that have to go."""
        if self._table.empty or not self._matcher.columns:
            return []
        return [row for page in self._pages() for row, goes in self._judged(page) if goes]

    def check(self, part: pa.Table, *, as_sent: bool) -> None:
        """`Refusal("row_ordered")` for the first row that may not be written. `as_sent`: a row is a record, in their order."""
        if not self._matcher.columns:
            return
        for place, (_, goes) in enumerate(self._judged(part)):
            if goes:
                (order,) = self.counts
                told = {"place": place} if as_sent else {}
                raise Refusal("row_ordered", number=self._asked["numbers"][order], **told)

    def _pages(self) -> Iterator[pa.Table]:
        fields = [self._table.fields[place]["field"] for place in self._matcher.columns]
        names = ", ".join(["_id", *(quoted(name) for name in fields)])
        sql = f"SELECT {names} FROM ({self._table.relation()}) AS live WHERE _id > ? ORDER BY _id LIMIT ?"
        last = _BEFORE_ALL
        while True:
            with reading(self._table) as session:
                page = session.table(sql, [last, PAGE])
            if not page.num_rows:
                return
            last = page.column("_id")[page.num_rows - 1].as_py()
            yield page

    def _judged(self, rows: pa.Table) -> Iterator[tuple[int, bool]]:
        places = self._matcher.columns
        fields = [self._table.fields[place] for place in places]
        cells = [written(rows.column(field["field"]), field["type"]) for field in fields]
        ids = rows.column("_id").to_pylist()
        for row, *values in zip(ids, *cells, strict=True):
            texts = ["" if value is None else str(value) for value in values]
            yield row, self._matcher.hides(dict(zip(places, texts, strict=True)))
