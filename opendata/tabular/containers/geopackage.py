"""GeoPackage: a layer is a table of SQLite. Nothing of it is run: views and triggers of strangers are not asked."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.sheets import cell_text

LAYERS = 1000
_DEGREES = frozenset((4326, 4490, 4979, 4480))
"""Reference systems whose coordinates are longitude and latitude (WGS 84, CGCS2000)."""
_ENVELOPES = (0, 32, 48, 48, 64)
_KINDS = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection"}  # fmt: skip
_READS = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA))
_DEEPEST = 8


def layers(path: Path) -> list[str]:
    """Its tables of features and attributes, real ones only. Errors: TaskError `geopackage_broken`."""
    query = (
        "SELECT c.table_name, m.sql FROM gpkg_contents c JOIN sqlite_master m ON m.name = c.table_name "
        "AND m.type = 'table' WHERE c.data_type IN ('features', 'attributes') ORDER BY c.rowid LIMIT ?"
    )
    found = _ask(path, query, (LAYERS,))
    return [str(name) for name, sql in found if not str(sql).upper().startswith("CREATE VIRTUAL")]


def rows(path: Path, layer: str) -> Iterator[list[str]]:
    """The header, then the rows of a layer that `layers` names: geometry as GeoJSON at the end, and before it the coordinates
    of points: `lon` and `lat`, or `x` and `y` in other reference systems. Errors: as `layers`."""
    plain, shapes, pair = _columns(path, layer)
    yield [*plain, *pair, *shapes]
    named = ", ".join(f'"{quoted(name)}"' for name in [*plain, *shapes])
    for row in _ask(path, f'SELECT {named} FROM "{quoted(layer)}"', ()):  # noqa: S608 - names of its own, quoted
        yield _cells(row, len(plain), with_point=bool(pair))


def numbered(path: Path, layer: str) -> Iterator[tuple[int, list[str]]]:
    """The same rows, without the header, each with SQLite's number of it."""
    plain, shapes, pair = _columns(path, layer)
    named = ", ".join(f'"{quoted(name)}"' for name in [*plain, *shapes])
    for number, *row in _ask(path, f'SELECT rowid, {named} FROM "{quoted(layer)}"', ()):  # noqa: S608 - as above
        yield int(number), _cells(row, len(plain), with_point=bool(pair))


def quoted(name: str) -> str:
    return name.replace('"', '""')


def _columns(path: Path, layer: str) -> tuple[list[str], list[str], list[str]]:
    """Those with plain values, those of shapes, and what the coordinates of points are called."""
    shape = "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?"
    known = {str(name): srs for name, srs in _ask(path, shape, (layer,))}
    columns = [str(row[1]) for row in _ask(path, f'PRAGMA table_info("{quoted(layer)}")', ())]
    if not columns:
        raise TaskError("geopackage_broken")
    shapes = [name for name in columns if name in known]
    pair = (["lon", "lat"] if known[shapes[0]] in _DEGREES else ["x", "y"]) if shapes else []
    return [name for name in columns if name not in known], shapes, pair


def _cells(row: Sequence[Any], plain: int, *, with_point: bool) -> list[str]:
    geometry = [_geometry(blob) for blob in row[plain:]]
    cells = [value.hex() if isinstance(value, bytes) else cell_text(value) for value in row[:plain]]
    point = map(cell_text, _point(geometry[0])) if with_point else ()
    return [*cells, *point, *(json.dumps(one, separators=(",", ":")) if one else "" for one in geometry)]


def _ask(path: Path, query: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.set_authorizer(_authorize)
            yield from connection.execute(query, values)
    except (sqlite3.Error, UnicodeDecodeError, ValueError, OverflowError):
        raise TaskError("geopackage_broken") from None


def _authorize(action: int, *_what: Any) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _point(geometry: dict[str, Any] | None) -> list[Any]:
    """Its two coordinates; blank for another shape."""
    return geometry["coordinates"][:2] if geometry and geometry["type"] == "Point" else ["", ""]


def _geometry(blob: Any) -> dict[str, Any] | None:
    """GeoJSON of a GeoPackage blob; None for an empty or odd one."""
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8:
        return None
    envelope = blob[3] >> 1 & 7
    if blob[3] & 16 or envelope >= len(_ENVELOPES):
        return None
    try:
        return _Shape(blob, 8 + _ENVELOPES[envelope]).read()
    except (struct.error, KeyError, RecursionError, MemoryError):
        return None


class _Shape:
    """Well-known binary at a place of a blob."""

    def __init__(self, blob: bytes, place: int) -> None:
        self._blob, self._place = blob, place
        self._order = "<"
        self._size = 2

    def read(self, depth: int = 0) -> dict[str, Any]:
        self._order = "<" if self._take("B") else ">"
        code = self._take("I")
        kind = _KINDS[code % 1000] if depth < _DEEPEST else _KINDS[-1]
        self._size = 2 + (1 if code // 1000 in (1, 2) else 2 if code // 1000 == 3 else 0)
        if kind == "Point":
            return {"type": kind, "coordinates": self._position()}
        if kind == "LineString":
            return {"type": kind, "coordinates": self._line()}
        count = self._count(4)
        if kind == "Polygon":
            return {"type": kind, "coordinates": [self._line() for _ in range(count)]}
        parts = [self.read(depth + 1) for _ in range(count)]
        if kind == "GeometryCollection":
            return {"type": kind, "geometries": parts}
        return {"type": kind, "coordinates": [part["coordinates"] for part in parts]}

    def _line(self) -> list[list[float]]:
        return [self._position() for _ in range(self._count(8 * self._size))]

    def _position(self) -> list[float]:
        return [self._take("d") for _ in range(self._size)]

    def _count(self, least: int) -> int:
        """A number of parts, each at least so many bytes long: no more than the blob can hold."""
        count = int(self._take("I"))
        if count * least > len(self._blob) - self._place:
            raise struct.error
        return count

    def _take(self, kind: str) -> Any:
        (value,) = struct.unpack_from(self._order + kind, self._blob, self._place)
        self._place += struct.calcsize(self._order + kind)
        return value
