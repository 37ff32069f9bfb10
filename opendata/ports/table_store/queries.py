"""A `Select` as SQL for DuckDB. What a caller wrote becomes a bound value; column names are looked up and the stored
fields (safe names by `columns.py`) are written, quoted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from opendata.core.errors import Limited
from opendata.ports.table_store.columns import ID, ID_COLUMN, StoredColumn
from opendata.ports.table_store.port import ColumnType, Condition, Op, Order, Select, UnknownColumn
from opendata.ports.table_store.values import typed

_FILES = "read_parquet(?, hive_partitioning = false, union_by_name = false)"
_COMPARE = {Op.EQ: "=", Op.NE: "<>", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
_WORDS = 16
_VALUES = 10_000

Clause = tuple[str, list[Any]]
_NOTHING: Clause = ("false", [])


class Statement(NamedTuple):
    sql: str
    parameters: list[Any]


class Queries:
    """The statements of one query over the files of one version. `UnknownColumn` from the constructor."""

    def __init__(self, columns: Sequence[StoredColumn], query: Select, files: Sequence[str]) -> None:
        self._columns = {column.name: column for column in (ID_COLUMN, *columns)}
        self._query = query
        self._files = list(files)
        self.selected = self._select(columns)
        self._order = [(self._column(order.column), order) for order in query.order]
        if query.distinct:
            self._check_distinct()
        self._where = _all_of([self._condition(condition) for condition in query.where] + self._search())

    def ids(self) -> Statement:
        """The `_id`s of the page, in order: a narrow query, so that a sort moves few bytes."""
        order = ", ".join([*(_order_by(column.field, order) for column, order in self._order), _quote(ID)])
        return self._statement(f"SELECT {_quote(ID)}", f"ORDER BY {order} LIMIT ? OFFSET ?", self._page)

    def by_ids(self, ids: Sequence[int]) -> Statement:
        """The rows of those `_id`s, in any order."""
        fields = ", ".join(_quote(column.field) for column in {ID_COLUMN: 0, **dict.fromkeys(self.selected)})
        wanted = "SELECT unnest(CAST(? AS BIGINT[]))"  # twice as fast as a list of marks at 10,000
        sql = f"SELECT {fields} FROM {_FILES} WHERE {_quote(ID)} IN ({wanted})"  # noqa: S608 - quoted fields only
        return Statement(sql, [self._files, list(ids)])

    def count(self) -> Statement:
        if not self._query.distinct:
            return self._statement("SELECT count(*)")
        inner = self._statement(f"SELECT DISTINCT {self._fields}")
        return Statement(f"SELECT count(*) FROM ({inner.sql})", inner.parameters)  # noqa: S608 - see inner

    def distinct(self) -> Statement:
        """The different rows of the selected columns; those columns break the ties of the order."""
        order = [_order_by(column.field, order) for column, order in self._order]
        rest = [_order_by(column.field, None) for column in self.selected]
        tail = f"ORDER BY {', '.join(order + rest)} LIMIT ? OFFSET ?"
        return self._statement(f"SELECT DISTINCT {self._fields}", tail, self._page)

    @property
    def _page(self) -> list[Any]:
        return [self._query.limit, self._query.offset]

    @property
    def _fields(self) -> str:
        return ", ".join(_quote(column.field) for column in self.selected)

    def _statement(self, head: str, tail: str = "", more: Sequence[Any] = ()) -> Statement:
        where, values = self._where
        # Only quoted fields, fixed words and question marks get here.
        sql = f"{head} FROM {_FILES} WHERE {where} {tail}"
        return Statement(sql, [self._files, *values, *more])

    def _column(self, name: str) -> StoredColumn:
        if name not in self._columns:
            raise UnknownColumn(name)
        return self._columns[name]

    def _select(self, columns: Sequence[StoredColumn]) -> list[StoredColumn]:
        if self._query.columns is None:
            return [*([] if self._query.distinct else [ID_COLUMN]), *columns]
        asked = list(dict.fromkeys(self._column(name) for name in self._query.columns))
        return sorted(asked, key=lambda column: column.name != ID)

    def _check_distinct(self) -> None:
        for column, _ in self._order:
            if column not in self.selected:
                raise UnknownColumn(column.name)

    def _search(self) -> list[Clause]:
        words = (self._query.search or "").split()
        if len(words) > _WORDS:
            raise Limited("query_too_heavy")
        texts = [
            _quote(column.field) for column in self._columns.values() if column.type is ColumnType.STRING
        ]
        if words and not texts:
            return [_NOTHING]
        # A row's texts as one, parted by a sign that no word holds (split() takes it for a space).
        row = f"lower(concat_ws(chr(31), {', '.join(texts)}))"
        return [(f"contains({row}, lower(?))", [word]) for word in dict.fromkeys(words)]

    def _condition(self, condition: Condition) -> Clause:
        column = self._column(condition.column)
        special = _SPECIAL.get(condition.op)
        if special:
            return special(column, condition.value)
        value = typed(column, condition.value)
        return _NOTHING if value is None else (f"{_quote(column.field)} {_COMPARE[condition.op]} ?", [value])


def _in(column: StoredColumn, texts: Sequence[str]) -> Clause:
    values = [value for value in (typed(column, text) for text in texts) if value is not None]
    if len(values) > _VALUES:
        raise Limited("query_too_heavy")
    places = ", ".join(["?"] * len(values))
    return (f"{_quote(column.field)} IN ({places})", values) if values else _NOTHING


def _is_null(column: StoredColumn, wanted: Any) -> Clause:
    """`value` true (or nothing): empty cells; false: the others."""
    text = "true" if wanted is None else str(wanted).strip().lower()
    if text in ("true", "t", "1", "yes", ""):
        return f"{_quote(column.field)} IS NULL", []
    return (f"{_quote(column.field)} IS NOT NULL", []) if text in ("false", "f", "0", "no") else _NOTHING


def _contains(column: StoredColumn, text: str) -> Clause:
    """Substring without regard to case, of the cell's text (numbers, dates: as JSON writes them, near enough)."""
    field = _quote(column.field)
    cell = field if column.type in (ColumnType.STRING, ColumnType.TIME) else f"CAST({field} AS VARCHAR)"
    return f"contains(lower({cell}), lower(?))", [text]


_SPECIAL: dict[Op, Callable[[StoredColumn, Any], Clause]] = {
    Op.IN: _in,
    Op.IS_NULL: _is_null,
    Op.CONTAINS: _contains,
}


def _order_by(field: str, order: Order | None) -> str:
    return f"{_quote(field)} {'DESC' if order and order.descending else 'ASC'} NULLS LAST"


def _all_of(clauses: Sequence[Clause]) -> Clause:
    return " AND ".join(f"({sql})" for sql, _ in clauses) or "true", [
        v for _, values in clauses for v in values
    ]


def _quote(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'
