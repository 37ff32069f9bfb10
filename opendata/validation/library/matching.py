"""Which ready schema a file fits: by its header, whatever language or list of codes it speaks, and by its first values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from opendata.tabular.shape.naming import Mapped, map_columns
from opendata.validation.checks.forms import MISSING_MARKS, date_form

Schema = Mapping[str, Any]
LEAST_SCORE = 0.35
"""Below, a schema is no proposal: two of five columns that are called name and address prove nothing."""
MOST_COLUMNS = 500
_NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Match:
    name: str
    version: str
    title: str
    title_en: str
    score: float
    """0 to 1: how much of the header and of the schema agree, and whether the values do."""
    mapped: tuple[Mapped, ...]
    missing: tuple[str, ...]
    """Required fields that the file has no column for."""
    absent: tuple[str, ...]
    """Optional ones."""
    extra: tuple[str, ...]
    """Columns that the schema does not know."""
    doubtful: tuple[str, ...]
    """Fields whose values do not look like theirs."""


def propose(
    schemas: Iterable[Schema], header: Sequence[str], rows: Sequence[Sequence[str]] = (), limit: int = 5
) -> list[Match]:
    """Those of the schemas that fit best, best first. `rows`: some of the file's, as text."""
    header = list(header)[:MOST_COLUMNS]
    found = [compare(schema, header, rows) for schema in schemas]
    good = [match for match in found if match.score >= LEAST_SCORE]
    return sorted(good, key=lambda match: (-match.score, match.name))[:limit]


def compare(schema: Schema, header: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> Match:
    """How a header and some rows agree with one schema."""
    mapped = map_columns(schema, header)
    fields = {str(field["name"]): field for field in schema["fields"]}
    taken = {one.field for one in mapped}
    missing = [name for name, field in fields.items() if name not in taken and _required(field)]
    places = {column: place for place, column in reversed(list(enumerate(header)))}
    doubtful = [
        one.field for one in mapped if not _plausible(fields[one.field], _values(rows, places[one.column]))
    ]
    weight = {name: 2 if _required(field) else 1 for name, field in fields.items()}
    covered = sum(weight[name] for name in taken) / max(1, sum(weight.values()))
    known = len(mapped) / max(1, len(header))
    agreed = 2 * covered * known / (covered + known) if mapped else 0.0
    trust = 1 - 0.5 * len(doubtful) / max(1, len(mapped))
    return Match(
        name=str(schema.get("name", "")),
        version=str(schema.get("x-version", "")),
        title=str(schema.get("title", "")),
        title_en=str(schema.get("x-title-en", "")),
        score=round(agreed * trust, 3),
        mapped=tuple(mapped),
        missing=tuple(missing),
        absent=tuple(name for name in fields if name not in taken and name not in missing),
        extra=tuple(column for column in header if column not in {one.column for one in mapped}),
        doubtful=tuple(doubtful),
    )


@lru_cache(maxsize=2000)
def _pattern(pattern: str) -> Any:
    """By RE2, whose time is linear: this runs in the server, and cities write patterns. None for one that it does not take."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"^{pattern}$", options)
    except re2.error:
        return None


def _required(field: Schema) -> bool:
    return bool(field.get("constraints", {}).get("required"))


def _values(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    cells = (str(row[place]).strip() for row in rows if place < len(row))
    return [cell for cell in cells if cell and cell not in MISSING_MARKS]


def _plausible(field: Schema, values: Sequence[str]) -> bool:
    """Whether half of the values look like the field's; with no values nothing speaks against it."""
    if not values:
        return True
    kind, constraints = field.get("type"), field.get("constraints", {})
    if kind in ("number", "integer"):
        good = [value for value in values if _NUMBER.match(value)]
    elif kind in ("date", "datetime"):
        good = [value for value in values if date_form(value.split(" ")[0].split("T")[0])[0] != "other"]
    elif "enum" in constraints:
        good = [value for value in values if value in map(str, constraints["enum"])]
    elif "pattern" in constraints:
        pattern = _pattern(str(constraints["pattern"]))
        good = [value for value in values if pattern is None or pattern.match(value)]
    else:
        return True
    return 2 * len(good) >= len(values)
