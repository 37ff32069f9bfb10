"""CKAN's Solr fields as fields of our index, and values, dates and ranges written in Solr's way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from opendata.core.errors import BadQuery
from opendata.ports.search_index.port import (
    All,
    AnyOf,
    Between,
    Everything,
    Exact,
    Exists,
    Pattern,
    Phrase,
    Prefix,
    Query,
    Words,
)
from opendata.search.analysis import fold, phrase_tokens
from opendata.search.query import cases, phrase, words

Kind = Literal["keyword", "code", "text", "date", "number", "order", "constant"]


@dataclass(frozen=True)
class SolrField:
    """`field` is ours (for a constant: the one value all public datasets have); a `code` is asked in any case;
    `order` is the sort field that answers ranges of a keyword."""

    kind: Kind
    field: str
    order: str = ""


FIELDS: dict[str, SolrField] = {
    "id": SolrField("keyword", "id"),
    "name": SolrField("keyword", "dataset_name", order="name_sort"),
    "organization": SolrField("keyword", "agency"),
    "owner_org": SolrField("keyword", "agency_id"),
    "groups": SolrField("keyword", "groups"),
    "tags": SolrField("keyword", "tags"),
    "license_id": SolrField("keyword", "licence"),
    "res_format": SolrField("code", "formats"),
    "author": SolrField("keyword", "author"),
    "maintainer": SolrField("keyword", "maintainer"),
    "title": SolrField("text", "title"),
    "notes": SolrField("text", "description"),
    "res_name": SolrField("text", "resources"),
    "res_description": SolrField("text", "resources"),
    "text": SolrField("text", "text"),
    "*": SolrField("text", "text"),
    "title_string": SolrField("order", "title_sort"),
    "metadata_modified": SolrField("date", "modified"),
    "metadata_created": SolrField("date", "created"),
    "num_resources": SolrField("number", "resources_count"),
    "private": SolrField("constant", "false"),
    "state": SolrField("constant", "active"),
    "type": SolrField("constant", "dataset"),
    "dataset_type": SolrField("constant", "dataset"),
    "entity_type": SolrField("constant", "package"),
    "capacity": SolrField("constant", "public"),
}
"""`vocab_NAME` asks for terms of a vocabulary: `terms` holds `NAME=term`. Any other name, and `extras_NAME`, is an extra:
`extras` holds `NAME=value`."""
TERMS = "vocab_"

SORTS = {
    "score": "score",
    "id": "id",
    "name": "name_sort",
    "title": "title_sort",
    "title_string": "title_sort",
    "metadata_modified": "modified",
    "metadata_created": "created",
    "num_resources": "resources_count",
}

NOTHING = AnyOf(())


def anything(name: str) -> Query:
    """`name:*`."""
    known = FIELDS.get(name)
    if known is None:
        return Prefix(*_pair(name, ""))
    if known.kind in ("keyword", "code"):
        return Exists(known.field)
    if known.kind in ("date", "number", "order"):
        return Between(known.field)
    return Prefix(known.field, "") if known.kind == "text" and known.field != "text" else Everything()


def value(name: str, text: str, *, quoted: bool, now: datetime) -> Query:
    """`name:text` or `name:"text"`."""
    known = FIELDS.get(name)
    if known is None:
        field, pair = _pair(name, text)
        return Exact(field, (pair,))
    match known.kind:
        case "text":
            return phrase(text, known.field) if quoted else words(text, known.field)
        case "code":
            return Exact(known.field, cases(text))
        case "keyword":
            return Exact(known.field, (text,))
        case "constant":
            return Everything() if text.lower() == known.field else NOTHING
    at = bound(name, text, now)
    return Between(known.field, at, at)


def prefix(name: str, text: str) -> Query:
    """`name:text*`."""
    known = FIELDS.get(name)
    if known is None:
        return Prefix(*_pair(name, text))
    match known.kind:
        case "text":
            return _text_prefix(known.field, text)
        case "keyword":
            return Prefix(known.field, text)
        case "code":
            return AnyOf(tuple(Prefix(known.field, form) for form in cases(text)))
        case "constant":
            return Everything() if known.field.startswith(text.lower()) else NOTHING
        case "order":
            return Prefix(known.field, text.lower())
    raise BadQuery("wildcard_not_supported", field=name)


def pattern(name: str, raw: str) -> Query:
    """`name:te*t`, `name:*ext`, `name:t?xt`; `raw` as it was written, with its backslashes."""
    known = FIELDS.get(name)
    if known is None:
        field, key = _pair(name, "")
        return Pattern(field, re.sub(r"[*?\\]", r"\\\g<0>", key) + raw)
    match known.kind:
        case "keyword":
            return Pattern(known.field, raw)
        case "text":
            return Pattern(known.field, fold(raw))
        case "code":
            return AnyOf(tuple(Pattern(known.field, form) for form in cases(raw)))
        case "order":
            return Pattern(known.field, raw.lower())
    raise BadQuery("wildcard_not_supported", field=name)


def _text_prefix(field: str, text: str) -> Query:
    """Words before the last must be there; the last may go on. Chinese goes on by itself: its characters suffice."""
    stream = phrase_tokens(text)
    if not stream:
        return Everything()
    last = stream[-1]
    if not last.isascii():
        return Phrase(field, tuple(stream))
    begun = Prefix(field, last)
    return All((Words(field, tuple(stream[:-1])), begun)) if len(stream) > 1 else begun


def between(name: str, low: str, high: str, includes: tuple[bool, bool], now: datetime) -> Query:
    """`name:[low TO high]`; `*` is open."""
    known = FIELDS.get(name)
    field = "" if known is None else known.order or known.field
    if known is None or (known.kind not in ("date", "number", "order") and not known.order):
        raise BadQuery("range_not_supported", field=name)
    first, last = (None if text == "*" else bound(name, text, now) for text in (low, high))
    return Between(field, first, last, *includes)


def bound(name: str, text: str, now: datetime) -> datetime | int | str:
    known = FIELDS[name]
    if known.kind == "date":
        return date(text, now)
    if known.kind == "number":
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise BadQuery("not_a_number", field=name, value=text)
        return int(text)
    return text.lower()


_ISO = re.compile(
    r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?Z?)?)?)?", re.ASCII
)
_STEP = re.compile(
    r"(?:([+-]\d{1,6})|/)(YEAR|MONTH|DAY|DATE|HOUR|MINUTE|SECOND|MILLISECOND|MILLI)S?", re.ASCII
)
_LENGTHS = {
    "DAY": timedelta(days=1),
    "DATE": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
    "MILLI": timedelta(milliseconds=1),
    "MILLISECOND": timedelta(milliseconds=1),
}


def date(text: str, now: datetime) -> datetime:
    """Solr's dates: `2026`, `2026-03-01`, `2026-03-01T08:00:00Z`, `NOW`, with steps: `NOW/DAY-1MONTH`. UTC.

    Raises BadQuery `not_a_date`.
    """
    try:
        if text.startswith("NOW"):
            at, position = now, 3
        else:
            iso = _ISO.match(text)
            if iso is None:
                raise ValueError
            year, month, day, hour, minute, second = (int(part or 0) for part in iso.groups()[:6])
            micro = int((iso[7] or "0").ljust(6, "0"))
            at = datetime(year, month or 1, day or 1, hour, minute, second, micro, UTC)
            position = iso.end()
        while position < len(text):
            step = _STEP.match(text, position)
            if step is None:
                raise ValueError
            at = _round(at, step[2]) if step[1] is None else _move(at, int(step[1]), step[2])
            position = step.end()
        return at
    except (ValueError, OverflowError):
        raise BadQuery("not_a_date", value=text[:100]) from None


def _move(at: datetime, count: int, unit: str) -> datetime:
    if unit in _LENGTHS:
        return at + count * _LENGTHS[unit]
    months = at.year * 12 + at.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = divmod(months, 12)
    for day in range(at.day, 27, -1):  # 31 January plus a month is the last of February
        try:
            return at.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return at.replace(year=year, month=month + 1)


def _round(at: datetime, unit: str) -> datetime:
    names = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"]
    if unit.startswith("MILLI"):
        return at.replace(microsecond=at.microsecond // 1000 * 1000)
    kept = names.index("DAY" if unit == "DATE" else unit)
    lowest = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    cut = {name: low for name, low in lowest.items() if names.index(name.upper()) > kept}
    return at.replace(**cut, microsecond=0)  # type: ignore[arg-type]  # mypy reads ** as any of replace's arguments


def _pair(name: str, value: str) -> tuple[str, str]:
    """Where a name that is none of `FIELDS` is asked for, and what as."""
    if name.startswith(TERMS):
        return "terms", f"{name.removeprefix(TERMS)}={value}"
    return "extras", f"{name.removeprefix('extras_')}={value}"
