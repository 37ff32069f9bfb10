"""A caller's text as a value of a column's type."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from opendata.ports.table_store.columns import StoredColumn
from opendata.ports.table_store.port import ColumnType

_BOOLEANS = {
    "true": True,
    "t": True,
    "1": True,
    "yes": True,
    "false": False,
    "f": False,
    "0": False,
    "no": False,
}
_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def typed(column: StoredColumn, text: str) -> Any:
    """The text as a value to compare the column with; None if it does not convert (then it matches nothing).

    Whole numbers also as `5.0` or `1e3`; booleans as true/false, t/f, yes/no, 1/0; a DATETIME by ISO 8601, where a text
    without a zone means UTC on a column of instants, and a text with a zone converts only on such a column.
    """
    try:
        return _CONVERTERS[column.type](
            column, text.strip() if column.type is not ColumnType.STRING else text
        )
    except (ValueError, ArithmeticError):
        return None


def _integer(_: StoredColumn, text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    whole = int(number) if number == number.to_integral_value() else None
    return whole if whole is not None and -(2**63) <= whole < 2**63 else None


def _number(_: StoredColumn, text: str) -> float | None:
    value = float(text) if _NUMBER.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def _boolean(_: StoredColumn, text: str) -> bool | None:
    return _BOOLEANS.get(text.lower())


def _date(_: StoredColumn, text: str) -> date | None:
    return date.fromisoformat(text) if _DATE.fullmatch(text) else None


def _datetime(column: StoredColumn, text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)  # as stored, for local times too
    return None if column.local else moment.astimezone(UTC)


def _time(_: StoredColumn, text: str) -> str | None:
    moment = time.fromisoformat(text)
    if moment.tzinfo is not None:
        return None
    return moment.isoformat().rstrip("0") if moment.microsecond else moment.isoformat()


_CONVERTERS = {
    ColumnType.STRING: lambda _, text: text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _datetime,
    ColumnType.TIME: _time,
}
