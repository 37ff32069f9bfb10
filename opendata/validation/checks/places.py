"""Where on the map a row lies (china.md 6.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs
import polars as pl
from frictionless import Check

from opendata.validation.checks.cells import TYPE_PROFILE, Kinds, Profile, WrongCell, cell_at, wrong_cell

CHINA = [73.0, 3.0, 136.0, 54.0]
DATUMS = ("CGCS2000", "WGS84", "GCJ02", "BD09")
_NUMBER = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]+)?")
_SEXAGESIMAL = re.compile(r"[0-9]{1,3}\s*[°度].*")


class CoordinateError(WrongCell):
    type = "coordinate"
    title = "Coordinate"
    description = "A place lies in its region, and the reference system of its coordinates is declared"


@attrs.define(kw_only=True, repr=False)
class Coordinate(Check):
    """Longitude and latitude of one row. `datum`: the column that declares the reference system, or the system of all rows
    itself (CGCS2000, WGS84, GCJ02, BD09). `region`: west, south, east, north; China if it is not said.
    Reasons: `form`, `dms`, `alone` (one of the two is missing), `zero`, `swapped`, `outside`, `undeclared`."""

    type = "coordinate"
    Errors: ClassVar[Kinds] = [CoordinateError]
    metadata_profile_patch: ClassVar[Profile] = {
        "required": ["longitude", "latitude"],
        "properties": {
            **TYPE_PROFILE["properties"],
            "longitude": {"type": "string"},
            "latitude": {"type": "string"},
            "datum": {"type": "string"},
            "region": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        },
    }

    longitude: str
    latitude: str
    datum: str = ""
    region: list[float] = attrs.field(factory=lambda: list(CHINA))
    _places: tuple[int | None, ...] = attrs.field(default=(None, None, None), init=False)
    _missing: frozenset[str] = attrs.field(default=frozenset(), init=False)

    def validate_start(self) -> Iterable[Any]:
        schema = self.resource.schema
        names = schema.field_names
        wanted = (self.longitude, self.latitude, self.datum)
        self._places = tuple(names.index(name) if name in names else None for name in wanted)
        self._missing = frozenset([*schema.missing_values, ""])
        yield from ()

    def validate_row(self, row: Any) -> Iterable[Any]:
        if None in self._places[:2]:
            return
        x, y, datum = (self._cell(row, place) for place in self._places)
        if x == "" and y == "":
            return
        found = self._judge(x, y, datum)
        if found is None:
            return
        first, reason, note = found
        name, place, cell = (
            (self.longitude, self._places[0], x) if first else (self.latitude, self._places[1], y)
        )
        yield wrong_cell(
            CoordinateError, row, name, cell, (place or 0) + 1, note, reason, {"region": self.region}
        )

    def _cell(self, row: Any, place: int | None) -> str:
        cell = (cell_at(row, place) or "").strip()
        return "" if cell in self._missing else cell

    def _judge(self, x: str, y: str, datum: str) -> tuple[bool, str, str] | None:
        """(whether it is the longitude's cell, reason, note)"""
        for first, cell in ((True, x), (False, y)):
            if not cell:
                return first, "alone", "longitude and latitude must both be there"
            if not _NUMBER.fullmatch(cell):
                if _SEXAGESIMAL.fullmatch(cell):
                    return first, "dms", "degrees must be decimal, as in 120.894291"
                return first, "form", "it is no number of degrees"
        lon, lat = float(x), float(y)
        if lon == 0 or lat == 0:
            return lon == 0, "zero", "zero stands for a place that is not known"
        if not self._inside(lon, lat):
            if self._inside(lat, lon):
                return True, "swapped", "longitude and latitude are swapped"
            return not self.region[0] <= lon <= self.region[2], "outside", f"it lies outside of {self.region}"
        declared = datum or (self.datum if self._places[2] is None else "")
        if declared not in DATUMS:
            return True, "undeclared", f"the reference system must be declared: {', '.join(DATUMS)}"
        return None

    def proof(self, columns: Sequence[pl.Expr]) -> pl.Expr | None:
        """True for rows whose place is right for certain; None where only the check itself can say."""
        if any(place is not None and place >= len(columns) for place in self._places):
            return None
        if self._places[0] is None or self._places[1] is None:
            return pl.repeat(True, pl.len())
        missing = list(self._missing)
        x, y = columns[self._places[0]], columns[self._places[1]]
        west, south, east, north = self.region
        lon, lat = (text.cast(pl.Float64, strict=False) for text in (x, y))
        plain = [text.str.contains(f"^{_NUMBER.pattern}$") & ~text.is_in(missing) for text in (x, y)]
        inside = lon.is_between(west, east) & lat.is_between(south, north) & (lon != 0) & (lat != 0)
        right = pl.all_horizontal([*plain, inside, self._declared(columns)])
        return right.fill_null(False) | (x.is_in(missing) & y.is_in(missing))

    def _declared(self, columns: Sequence[pl.Expr]) -> pl.Expr:
        known = [name for name in DATUMS if name not in self._missing]
        return (
            pl.lit(self.datum in DATUMS) if self._places[2] is None else columns[self._places[2]].is_in(known)
        )

    def _inside(self, lon: float, lat: float) -> bool:
        west, south, east, north = self.region
        return west <= lon <= east and south <= lat <= north
