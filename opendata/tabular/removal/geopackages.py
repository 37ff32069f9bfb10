"""A GeoPackage written again: the same file, of whose layers rows were deleted and overwritten."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.containers import geopackage
from opendata.tabular.containers.geopackage import quoted

Hides = Callable[[int, list[str]], bool]
"""Whether a row goes: its number from 1 (the header's), and its cells as text."""
_INDEX = "rtree_{layer}_{column}"


def write(path: Path, name: str, hides: Callable[[str], Hides | None], out: Path) -> None:
    """`hides` tells of each layer what goes of it; None: nothing. Errors: TaskError `geopackage_broken`,
    `member_not_rewritable`(name, member, format) where rows of a layer could stand in an index of an extension that we do not
    know."""
    shutil.copyfile(path, out)
    gone = {
        layer: _numbers(path, layer, asked) for layer in geopackage.layers(path) if (asked := hides(layer))
    }
    try:
        with closing(sqlite3.connect(out, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA secure_delete = ON")
            for layer, numbers in gone.items():
                if numbers:
                    _delete(connection, name, layer, numbers)
            connection.execute("VACUUM")
    except (sqlite3.Error, ValueError, OverflowError):
        raise TaskError("geopackage_broken") from None


def _numbers(path: Path, layer: str, hides: Hides) -> list[int]:
    return [
        number
        for place, (number, cells) in enumerate(geopackage.numbered(path, layer), start=2)
        if hides(place, cells)
    ]


def _delete(connection: sqlite3.Connection, name: str, layer: str, numbers: Sequence[int]) -> None:
    """No trigger of a stranger runs: those of the layer are taken away meanwhile. What they keep by the standard, the index of
    places, the extent and the count, is kept here."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE"
    triggers = connection.execute(query, (layer,)).fetchall()
    indexes = _indexes(connection, name, layer)
    connection.execute("BEGIN")
    for trigger, _sql in triggers:
        connection.execute(f'DROP TRIGGER "{quoted(trigger)}"')
    for table, column in [(layer, "rowid"), *((index, "id") for index in indexes)]:
        deletion = f'DELETE FROM "{quoted(table)}" WHERE {column} = ?'  # noqa: S608 - names of its own, quoted
        connection.executemany(deletion, [(number,) for number in numbers])
    for _trigger, sql in triggers:
        connection.execute(sql)
    nothing = "min_x = NULL, min_y = NULL, max_x = NULL, max_y = NULL"
    connection.execute(f"UPDATE gpkg_contents SET {nothing} WHERE table_name = ?", (layer,))  # noqa: S608 - a text of ours
    if _exists(connection, "gpkg_ogr_contents"):
        counted = f'(SELECT count(*) FROM "{quoted(layer)}")'  # noqa: S608 - as above
        connection.execute(
            f"UPDATE gpkg_ogr_contents SET feature_count = {counted} WHERE table_name = ?",  # noqa: S608 - a text of ours
            (layer,),
        )
    connection.execute("COMMIT")


def _indexes(connection: sqlite3.Connection, name: str, layer: str) -> list[str]:
    """The layer's indexes of places. Any other virtual table could hold words of its rows."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
    virtual = {str(row[0]).casefold(): str(row[0]) for row in connection.execute(query)}
    shapes = connection.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
    known = {_INDEX.format(layer=table, column=column).casefold(): str(table) for table, column in shapes}
    if strange := sorted(virtual.keys() - known.keys()):
        raise TaskError("member_not_rewritable", name=name, member=virtual[strange[0]], format="gpkg")
    return [virtual[index] for index in sorted(virtual) if known[index].casefold() == layer.casefold()]


def _exists(connection: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (table,)).fetchone() is not None
