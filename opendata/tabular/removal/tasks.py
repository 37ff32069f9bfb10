"""Sandbox task: a file without the rows that orders hide."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.containers import zipped
from opendata.tabular.layout import SHEETS, Layout, content, layout
from opendata.tabular.removal import archives, geopackages, texts, workbooks
from opendata.tabular.removal.matching import Found, Matcher, Order
from opendata.tabular.shape import naming
from opendata.tabular.stream import frames, write_csv

_PINNED = ("encoding", "delimiter", "sheet", "member")
_Writer = Callable[[Path, Layout, Matcher, Path], None]
_WRITERS: Mapping[str, _Writer] = {
    "csv": texts.delimited,
    "tsv": texts.delimited,
    "json": texts.document,
    "geojson": texts.document,
    "ndjson": texts.ndjson,
    "parquet": texts.parquet,
}
_NO_ROWS = frozenset(("not_a_table", "file_empty", "sheet_empty"))
"""Errors of members that hold no rows, or none that anybody could read as such."""


@dataclass
class _Wanted:
    orders: Sequence[Order]
    key: bytes
    today: date
    schema: Mapping[str, Any] | None
    found: Found
    looked: list[tuple[Layout, Matcher]] = field(default_factory=list)
    """Every table that was looked at."""
    unread: list[str] = field(default_factory=list)
    """Members of an archive that are no tables: nobody has looked into them."""

    def matcher(self, table: Layout) -> Matcher:
        made = Matcher(_names(table, self.schema), self.orders, self.key, self.today, self.found)
        self.looked.append((table, made))
        return made

    def removed(self, table: Layout) -> int:
        """Rows that went from a table."""
        return sum(matcher.hidden for known, matcher in self.looked if known is table)


def remove(
    path: str,
    name: str,
    options: Mapping[str, Any],
    schema: Mapping[str, Any] | None,
    orders: list[dict[str, Any]],
    key: str,
    today: str,
    output: str,
    readings: int = 1,
) -> dict[str, Any]:
    """Writes the file without the rows of `orders` to the folder `output`, in its own format and encoding where we can write
    it: a workbook as XLSX with values alone, an archive member by member, a KML or a Shapefile as a UTF-8 CSV.

    Answers {file: its name there, None where no row goes; suffix: of its name; counts, undated: rows by order; fits: orders
    whose columns the file has; next_on: when another row expires; options: how the new file is read, None for as before;
    trouble: {code, params} where an archive holds what is no table, empty else}.

    Errors besides those of reading: TaskError `several_tables_in_file`(name), which are read in several ways (`readings`), and
    cannot be any more; `member_not_rewritable`(name, member, format), beside others in an archive."""
    source, folder = Path(path), Path(output)
    table = layout(source, name, options)
    found = Found()
    wanted = _Wanted(orders, bytes.fromhex(key), date.fromisoformat(today), schema, found)
    made, suffix = _File(source, name, table, wanted, folder).write()
    answer = {
        "counts": dict(found.counts),
        "undated": dict(found.undated),
        "fits": sorted(found.fits),
        "next_on": found.next_on.isoformat() if found.next_on else None,
        "trouble": _unsearched(name, wanted.unread),
    }
    if not found.counts:
        return {**answer, "file": None, "suffix": "", "options": None}
    asked = _options(options, table, wanted.removed(table), suffix)
    now = _pinned(made, name, suffix, asked, options, table)
    if readings > 1 and (suffix == "csv" or now is not None or not _are_alike(made, name, suffix, wanted)):
        raise TaskError("several_tables_in_file", name=name)
    return {**answer, "file": made.name, "suffix": suffix, "options": now}


def _unsearched(name: str, members: Sequence[str]) -> dict[str, Any]:
    if not members:
        return {}
    told = TaskError("members_not_searched", name=name, members=[member[:100] for member in members[:20]])
    return {"code": told.code, "params": dict(told.params)}


@dataclass
class _File:
    """A file on its way to the same file without some rows. `table`: what its resource reads of it."""

    path: Path
    name: str
    table: Layout
    wanted: _Wanted
    folder: Path

    def write(self) -> tuple[Path, str]:
        """The file, and the ending of its name; empty where it stays what it was."""
        if self.table.member is None:
            if (written := self._written(self.table, self.folder)) is not None:
                return written
        elif len(self.table.members) > 1 or _is_rewritable(self.table):
            made = self.folder / "rows.zip"
            archives.write(self.path, self._member, made)
            return made, ""
        made = self.folder / "rows.csv"
        write_csv(self.path, self.table, made, source=self._frames(self.table))
        return made, "csv"

    def _written(self, table: Layout, folder: Path) -> tuple[Path, str] | None:
        """The file that holds the table, written in its format; None where we cannot."""
        made = folder / f"rows.{table.format}"
        inside = content(self.path, table)
        if table.format in SHEETS:
            made = folder / "rows.xlsx"
            workbooks.write(inside, table.format, lambda sheet: self._sheet(table, sheet), made)
            return made, "" if table.format == "xlsx" else "xlsx"
        if table.format == "gpkg":
            geopackages.write(inside, self.name, lambda layer: self._sheet(table, layer), made)
            return made, ""
        if (writer := _writer(table)) is None:
            return None
        writer(inside, table, self.wanted.matcher(table), made)
        return made, ""

    def _sheet(self, table: Layout, sheet: str) -> workbooks.Hides | None:
        """A person may stand on each sheet of a workbook, which goes out whole."""
        place = {"sheet": sheet, **({"member": table.member} if table.member is not None else {})}
        try:
            one = table if sheet == table.sheet else layout(self.path, self.name, place)
        except TaskError:
            return None  # an empty one, or a cover
        matcher = self.wanted.matcher(one)

        def hides(number: int, cells: list[str]) -> bool:
            inside = number > one.header_end and (one.last_row is None or number <= one.last_row)
            return inside and matcher.hides(cells)

        return hides

    def _member(self, member: str) -> Path | None:
        """A member of an archive, written again where a row goes."""
        if (table := self._table_in(member)) is None:
            return None
        before = sum(self.wanted.found.counts.values())
        if _is_rewritable(table):
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            written = self._written(table, folder)
        else:
            written = None
            for _frame in self._frames(table):
                pass
        if sum(self.wanted.found.counts.values()) == before:
            return None
        if written is None:
            raise TaskError("member_not_rewritable", name=self.name, member=member, format=table.format)
        return written[0]

    def _table_in(self, member: str) -> Layout | None:
        if member == self.table.member:
            return self.table
        if member not in self.table.members:
            if not zipped.is_part(member, self.table.members):
                self.wanted.unread.append(member)
            return None
        try:
            return layout(self.path, self.name, {"member": member})
        except TaskError as error:
            if error.code not in _NO_ROWS:
                raise
        self.wanted.unread.append(member)
        return None

    def _frames(self, table: Layout) -> Iterator[pl.DataFrame]:
        matcher = self.wanted.matcher(table)
        for frame in frames(self.path, table):
            kept = [not matcher.hides(row) for row in frame.iter_rows()]
            yield frame.filter(pl.Series(kept, dtype=pl.Boolean))


def _is_rewritable(table: Layout) -> bool:
    """As a member of an archive, whose name has to stay: an XLS would come back as an XLSX."""
    return _writer(table) is not None or table.format in ("xlsx", "gpkg")


def _writer(table: Layout) -> _Writer | None:
    """None for a file of several tables too: what stands beside this one may be about the same people; and for one whose
    rows together prove how it is read, as fewer may not."""
    if len(table.sheets) > 1 or table.places is not None or table.has_corner:
        return None
    return _WRITERS.get(table.format)


def _options(options: Mapping[str, Any], table: Layout, removed: int, suffix: str) -> dict[str, Any]:
    """How the new file is read. The number of the last row moves up; a CSV of ours needs no word."""
    if suffix == "csv":
        return {}
    kept = {
        name: value for name, value in options.items() if not suffix or name not in ("format", "encoding")
    }
    if kept.get("last_row"):
        kept["last_row"] = max(table.header_end + 1, int(kept["last_row"]) - removed)
    return kept


def _are_alike(made: Path, name: str, suffix: str, wanted: _Wanted) -> bool:
    """Whether every table that lost rows is laid out as before: others read them without a word of ours."""
    name = f"{name}.{suffix}" if suffix else name
    for table, matcher in wanted.looked:
        place = {key: value for key in ("member", "sheet") if (value := getattr(table, key)) is not None}
        try:
            now = layout(made, name, place)
        except TaskError:
            return False
        if matcher.hidden and (now.header_end, now.labels) != (table.header_end, table.labels):
            return False
    return True


def _pinned(
    made: Path, name: str, suffix: str, asked: dict[str, Any], options: Mapping[str, Any], table: Layout
) -> dict[str, Any] | None:
    """With what was found out before, where the fewer rows let us guess otherwise; None for no other options than before."""
    name = f"{name}.{suffix}" if suffix else name
    try:
        now: Layout | None = layout(made, name, asked)
    except TaskError:
        now = None
    same = now is not None and _as_read(now) == (
        (None, None, 1, 1, table.columns) if suffix == "csv" else _as_read(table)
    )
    if not same and not suffix:
        asked |= {key: getattr(table, key) for key in _PINNED if getattr(table, key)}
        asked |= {"header_row": table.header_row, "header_rows": table.header_rows}
    return None if asked == dict(options) else asked


def _as_read(table: Layout) -> tuple[Any, ...]:
    """Which table, and where it stands."""
    return table.member, table.sheet, table.header_row, table.header_rows, table.columns


def _names(layout: Layout, schema: Mapping[str, Any] | None) -> dict[str, int]:
    """The number of a column by every name that it has: its header, what its publisher calls it, its field's name and title."""
    found: dict[str, int] = {}
    called = naming.called(layout.columns, schema, layout.own) if schema else layout.columns
    fields = {str(f["name"]): f for f in (schema or {}).get("fields", [])}
    for names in (called, layout.columns, layout.labels):
        for place, text in enumerate(names):
            found.setdefault(naming.plain(str(text)), place)
    for place, text in enumerate(called):
        if title := fields.get(str(text), {}).get("title"):
            found.setdefault(naming.plain(str(title)), place)
    return found
