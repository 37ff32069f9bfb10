"""Which ready schema a file fits: by its header, whatever language or list of codes it speaks, and by its first values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opendata.catalog.codes import codes
from opendata.validation.checks.forms import MISSING_MARKS, date_form

Schema = Mapping[str, Any]
LEAST_SCORE = 0.35
"""Below, a schema is no proposal: two of five columns that are called name and address prove nothing."""
MOST_COLUMNS = 500
_NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_SIGNS = re.compile(r"[\s_\-:：*·./、]+")


@dataclass(frozen=True)
class Mapped:
    """A column of the file and the field that it is."""

    column: str
    field: str
    by: str
    """name, title, title_en, national_code or alias; `loosely` when only a remark in brackets differs"""


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


def propose(header: Sequence[str], rows: Sequence[Sequence[str]] = (), limit: int = 5) -> list[Match]:
    """The schemas that fit best, best first. `rows`: some of the file's, as text."""
    header = list(header)[:MOST_COLUMNS]
    found = [compare(schema, header, rows) for schema in codes().table_schemas.values()]
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
        name=str(schema["name"]),
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


def map_columns(schema: Schema, header: Sequence[str]) -> list[Mapped]:
    """Each column with the field it is, by the surest reading; a field is given to one column only."""
    names = _names(schema)
    loose = {
        plain(_BRACKETS.sub("", known)): found for known, found in names.items() if _BRACKETS.search(known)
    }
    # Reversed: where two names are plainly the same, the surer one, which comes first, stays.
    exact = {plain(known): found for known, found in reversed(names.items())}
    found: list[Mapped] = []
    taken: set[str] = set()
    for strict in (True, False):
        for column in header:
            if any(one.column == column for one in found):
                continue
            key = plain(column if strict else _BRACKETS.sub("", column))
            known = exact.get(key) or (None if strict else loose.get(key))
            if key and known is not None and known[0] not in taken:
                taken.add(known[0])
                found.append(Mapped(column, known[0], known[1] if strict else "loosely"))
    order = {column: place for place, column in reversed(list(enumerate(header)))}
    return sorted(found, key=lambda one: order[one.column])


def plain(label: str) -> str:
    """A header's text without what people write differently: width, case, blanks, hyphens."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", label)).casefold()


def _names(schema: Schema) -> dict[str, tuple[str, str]]:
    """{what a field may be called: (field, by)}; a surer name wins over a less sure one."""
    found: dict[str, tuple[str, str]] = {}
    kinds = (
        ("name", "name"),
        ("title", "title"),
        ("x-national-code", "national_code"),
        ("x-title-en", "title_en"),
    )
    for key, by in kinds:
        for field in schema["fields"]:
            if field.get(key):
                found.setdefault(str(field[key]), (str(field["name"]), by))
    for field in schema["fields"]:
        aliases = field.get("x-aliases")
        for alias in aliases if isinstance(aliases, list) else []:
            found.setdefault(str(alias), (str(field["name"]), "alias"))
    return found


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
    elif "pattern" in constraints:  # of our own schemas only: never a stranger's
        good = [value for value in values if re.match(f"^{constraints['pattern']}$", value)]
    else:
        return True
    return 2 * len(good) >= len(values)
