"""JSON values to cells of a PostgreSQL type, as PostgreSQL would take them. A column at a time: what is of the right type
already goes in one step, the rest cell by cell."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from opendata.tables.sandboxed.refusals import Refusal

INSTANT = pa.timestamp("us", tz="UTC")
_RANGES = {"int2": 1 << 15, "int4": 1 << 31, "int8": 1 << 63}
_RANGE_NAMES = {"int2": "smallint", "int4": "integer", "int8": "bigint"}
_LONG = {"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
         "bool": "boolean", "timestamptz": "timestamp with time zone"}  # fmt: skip
_TRUE = {"t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"}
_FALSE = {"f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"}
_NUMBER = re.compile(r"\s*[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?\s*", re.ASCII)
_DAY = re.compile(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})", re.ASCII)
_AMERICAN = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", re.ASCII)
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?\s*(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?", re.ASCII
)


class Refused(Exception):
    """A cell does not fit; the text is PostgreSQL's."""


def stored_type(kind: str) -> pa.DataType:
    return _TYPES.get(kind, pa.string())


def column(values: Sequence[Any], kind: str) -> pa.Array:
    """The values as a stored array. `Refusal("bad_cell", text, place)` for the first that does not fit."""
    try:
        return _at_once(values, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    cells = []
    for place, value in enumerate(values):
        try:
            cells.append(cell(value, kind))
        except Refused as refused:
            raise Refusal("bad_cell", text=str(refused), place=place) from None
    return pa.array(cells, stored_type(kind))


def cell(value: Any, kind: str) -> Any:
    """One value as a Python value of the stored type. `Refused`."""
    if value is None or (value == "" and kind not in ("text", "varchar")):
        return None
    if kind.startswith("_"):
        return _list(value, kind[1:])
    return _READERS[kind](value, kind)


def _at_once(values: Sequence[Any], kind: str) -> pa.Array:
    """Raises for anything that is not plainly of the type."""
    if kind in ("text", "varchar"):
        array = pa.array(values, pa.string())
        if pc.any(pc.match_substring(array, "\0")).as_py():
            raise ValueError
        return array
    if kind in _RANGES:
        if any(type(value) is not int and value is not None for value in values):
            raise TypeError
        array = pa.array(values, pa.int64())
        ends = pc.min_max(array).as_py()
        if ends["min"] is not None and not (-_RANGES[kind] <= ends["min"] and ends["max"] < _RANGES[kind]):
            raise OverflowError
        return array
    if kind in ("numeric", "float8"):
        if any(type(value) not in (int, float) and value is not None for value in values):
            raise TypeError
        return pa.array(values, pa.float64())
    if kind == "bool":
        return pa.array(values, pa.bool_())
    if kind in ("date", "timestamp"):
        return _iso(pa.array(values, pa.string()), kind)
    raise TypeError


def _iso(texts: pa.Array, kind: str) -> pa.Array:
    """Texts like 2026-11-26 or 2026-11-26T08:30:00."""
    lengths = pc.min_max(pc.utf8_length(texts)).as_py()
    if kind == "date":
        if lengths["min"] is not None and lengths != {"min": 10, "max": 10}:
            raise ValueError
        return texts.cast(pa.date32())
    return texts.cast(pa.timestamp("us")).cast(INSTANT)


def _text(value: Any, kind: str) -> str:
    if isinstance(value, str):
        if "\0" in value:
            raise Refused("A string literal cannot contain NUL (0x00) characters.")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Refused(f"can't adapt type '{type(value).__name__}'")


def _whole(value: Any, kind: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused(_mismatch(kind, value))
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?\d{1,40}\s*", value, re.ASCII):
            raise Refused(f'invalid input syntax for type {long_name(kind)}: "{value}"')
        number = int(value)
        if not -_RANGES[kind] <= number < _RANGES[kind]:
            raise Refused(f'value "{value}" is out of range for type {_RANGE_NAMES[kind]}')
        return number
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused(f"{_RANGE_NAMES[kind]} out of range")
    number = round(value)
    if not -_RANGES[kind] <= number < _RANGES[kind]:
        raise Refused(f"{_RANGE_NAMES[kind]} out of range")
    return number


def _number(value: Any, kind: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused(_mismatch(kind, value))
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise Refused(f'invalid input syntax for type {long_name(kind)}: "{value}"')
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            raise Refused(f'invalid input syntax for type {long_name(kind)}: "{value}"') from None
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Refused("value out of range: overflow")
    return number


def _boolean(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        raise Refused(f'invalid input syntax for type boolean: "{value}"')
    raise Refused(_mismatch(kind, value))


def _moment(value: Any, kind: str) -> datetime:
    if not isinstance(value, str):
        raise Refused(_mismatch(kind, value))
    text = value.strip()
    head, tail = [*re.split(r"[T\s]+", text, maxsplit=1), ""][:2]
    day = _read_day(head, value, kind)
    if not tail:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    clock, offset = _read_clock(tail, value, kind)
    moment = datetime.combine(day, clock, tzinfo=UTC)
    # A plain timestamp takes the hour as written and forgets the zone.
    return moment - offset if kind == "timestamptz" else moment


def _day(value: Any, kind: str) -> date:
    return _moment(value, kind).date()


def _time(value: Any, kind: str) -> str:
    if not isinstance(value, str):
        raise Refused(_mismatch(kind, value))
    clock, _ = _read_clock(value.strip(), value, kind)
    text = clock.isoformat()
    return text.rstrip("0") if clock.microsecond else text


def _read_day(text: str, value: str, kind: str) -> date:
    found = _DAY.fullmatch(text)
    parts = [int(part) for part in found.groups()] if found else []
    if found is None and (found := _AMERICAN.fullmatch(text)):
        month, day, year = (int(part) for part in found.groups())
        parts = [year, month, day]
    if not parts:
        raise Refused(f'invalid input syntax for type {long_name(kind)}: "{value}"')
    try:
        return date(*parts)
    except ValueError:
        raise Refused(f'date/time field value out of range: "{value}"') from None


def _read_clock(text: str, value: str, kind: str) -> tuple[time, timedelta]:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise Refused(f'invalid input syntax for type {long_name(kind)}: "{value}"')
    hour, minute, second, fraction, zone = found.groups()
    micro = int(((fraction or ".0")[1:7]).ljust(6, "0"))
    offset = timedelta()
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (1 if zone[0] == "+" else -1)
    try:
        return time(int(hour), int(minute), int(second or 0), micro), offset
    except ValueError:
        raise Refused(f'date/time field value out of range: "{value}"') from None


def _json(value: Any, kind: str) -> str:
    return json.dumps(value)  # as CKAN writes it down, and dumps show it


def _uuid(value: Any, kind: str) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise Refused(f'invalid input syntax for type uuid: "{value}"') from None


def _list(value: Any, kind: str) -> str:
    """A list, kept as the text of its JSON."""
    if not isinstance(value, list):
        raise Refused(f'malformed array literal: "{value}"')
    items = [cell(item, kind) if kind != "text" or item is not None else None for item in value]
    plain = [item.isoformat() if isinstance(item, date | datetime) else item for item in items]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _mismatch(kind: str, value: Any) -> str:
    if isinstance(value, dict | list):
        return f"can't adapt type '{type(value).__name__}'"
    said = {bool: "boolean", int: "integer", float: "numeric"}.get(type(value), "text")
    return f"is of type {long_name(kind)} but expression is of type {said}"


def long_name(kind: str) -> str:
    return _LONG.get(kind, kind)


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "text": _text,
    "varchar": _text,
    "uuid": _uuid,
    "int2": _whole,
    "int4": _whole,
    "int8": _whole,
    "numeric": _number,
    "float4": _number,
    "float8": _number,
    "bool": _boolean,
    "date": _day,
    "time": _time,
    "timestamp": _moment,
    "timestamptz": _moment,
    "json": _json,
    "jsonb": _json,
}
_TYPES = {
    "int2": pa.int64(),
    "int4": pa.int64(),
    "int8": pa.int64(),
    "numeric": pa.float64(),
    "float4": pa.float64(),
    "float8": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": INSTANT,
    "timestamptz": INSTANT,
}
