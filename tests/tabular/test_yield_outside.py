"""The same for tables that others publish: from packages of npm and PyPI, as their makers wrote them (outside/manifest.json says
whose they are, and under which licence). What is true of a file is read by other means: csv, json, and the library of shapes."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
import pytest
import shapefile

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.tasks import profile, to_parquet
from tests.support.figures import FIGURE
from tests.tabular.test_yield import assert_said, texts

HERE = Path(__file__).parent / "outside"
MANIFEST = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
FREE = {"MIT", "ISC", "BSD-3-Clause", "CC0-1.0"}
ALONE = 0.99
BLANKS = "aligned by blanks"
SAY_WHY_NOT = {
    BLANKS: "columns that blanks keep apart, under a header with a name for one of three",
}
"""What is not read, and known."""
Grid = list[list[str]]


def test_whose_they_are() -> None:
    packages = {one["name"]: one for one in MANIFEST["packages"]}
    with zipfile.ZipFile(HERE / "tables.zip") as archive:
        names = set(archive.namelist())
        assert sum(one.file_size for one in archive.infolist()) < 3_000_000
    for file in MANIFEST["files"]:
        assert file["file"] in names
        assert packages[file["package"]]["licence"] in FREE
    for name in {file["package"] for file in MANIFEST["files"]}:
        told = {f"{name}/LICENSE", f"{name}/package.json"} & names
        assert told or packages[name]["licence"] == "CC0-1.0", name


def cases(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """(name in the archive, file, what it is called)."""
    with zipfile.ZipFile(HERE / "tables.zip") as archive:
        for file in MANIFEST["files"]:
            inside = PurePosixPath(file["file"])
            path = folder / "file"
            if inside.suffix != ".shp":
                path.write_bytes(archive.read(str(inside)))
                yield str(inside), path, inside.name
                continue
            with zipfile.ZipFile(path, "w") as made:
                for name in archive.namelist():
                    if PurePosixPath(name).with_suffix("") == inside.with_suffix(""):
                        made.writestr(PurePosixPath(name).name, archive.read(name))
            yield str(inside), path, f"{inside.stem}.zip"


def truth(path: Path, name: str) -> tuple[list[str] | None, int, Grid | None]:
    """(header, rows, cells) by other means; None where those do not tell."""
    kind = PurePosixPath(name).suffix
    if kind == ".zip":
        with zipfile.ZipFile(path) as archive:
            parts = {PurePosixPath(one).suffix: io.BytesIO(archive.read(one)) for one in archive.namelist()}
        found = shapefile.Reader(shp=parts[".shp"], dbf=parts[".dbf"], encoding="latin-1")
        return None, len(found), None
    data = path.read_bytes().decode("utf-8-sig")
    if kind == ".json":
        return of_json(json.loads(data))
    if kind in (".dat", ".txt"):
        header, *rows = [line.split() for line in data.splitlines() if line.strip()]
        corner = [""] if data[0] == " " and {len(header) + 1} == set(map(len, rows)) else []
        return [*corner, *header], len(rows), rows
    if data.startswith("#"):  # remarks, a blank line, no header
        data = data[data.index("\n\n") + 2 :]
    if not {",", "\t"} & set(data):
        header, *rows = [line.split() for line in data.splitlines() if line.strip()]
        return header, len(rows), rows
    tabs = "\t" in data.partition("\n")[0]
    lines = csv.reader(
        io.StringIO(data, newline=""), delimiter="\t" if tabs else ",", quotechar="'" if tabs else '"'
    )
    header, *rows = without_titles([row for row in lines if row])
    # More cells than the header has are found by the validation.
    return header, len(rows), [[*row, *[""] * len(header)][: len(header)] for row in rows]


def without_titles(rows: Grid) -> Grid:
    """From the first row on that is as wide as most of them are at least."""
    width = Counter(map(len, rows)).most_common(1)[0][0]
    return rows[next(place for place, row in enumerate(rows) if len(row) >= width) :]


def of_json(document: Any) -> tuple[list[str] | None, int, Grid | None]:
    if isinstance(document, list):
        keys = list(dict.fromkeys(key for one in document if isinstance(one, dict) for key in one))
        return keys or None, len(document), None
    several = document.get("holidays", document)  # the first of the tables in one document
    inner = document.get("countries", several)
    return None, len(inner), None


def outcome(path: Path, name: str, folder: Path) -> str:
    """`alone`; the code that says why not; BLANKS; `wrong`."""
    header, count, cells = truth(path, name)
    try:
        found = profile(str(path), name)
    except TaskError as error:
        assert_said(error.code, error.params)
        return error.code
    if (name.endswith((".dat", ".txt")) and found["layout"]["columns"] != header) or is_aligned(cells, found):
        return BLANKS
    if found["rows"] != count or (header is not None and found["layout"]["columns"] != header):
        return "wrong"
    return "alone" if cells is None or loaded(path, name, found, folder) == cells else "wrong"


def is_aligned(cells: Grid | None, found: Mapping[str, Any]) -> bool:
    """One column was found where the lines have more words."""
    return cells is not None and len(found["columns"]) == 1 and max(map(len, cells), default=1) > 1


def loaded(path: Path, name: str, found: Mapping[str, Any], folder: Path) -> Grid:
    to_parquet(str(path), name, {}, {**found["schema"], "fields": texts(found)}, str(folder))
    return [list(row) for row in pl.read_parquet(folder / "table.parquet").fill_null("").rows()]


def test_the_yield_of_what_others_publish(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outcomes = [(name, outcome(path, called, tmp_path)) for name, path, called in cases(tmp_path)]
    counted = Counter(found for _, found in outcomes)
    share = counted["alone"] / len(outcomes)
    others = {found: count for found, count in counted.items() if found != "alone"}
    record_property(
        FIGURE,
        f"{len(outcomes)} tables of {len(MANIFEST['packages'])} packages of npm and PyPI: {share:.1%} give their rows without a"
        f" person; not read, and said: {others}",
    )
    assert [one for one in outcomes if one[1] == "wrong"] == []
    assert counted.keys() - {"alone"} <= SAY_WHY_NOT.keys(), outcomes
    assert share >= ALONE, outcomes


class TestShapesOfJson:
    """What such files taught."""

    @pytest.mark.parametrize(
        ("document", "columns", "rows"),
        [
            ({"CN": {"name": "China"}, "DE": {"name": "Germany"}, "FR": {"name": "France"}}, ["key", "name"], [["CN", "China"], ["DE", "Germany"], ["FR", "France"]]),
            ({"CN": {"key": 1}, "DE": {"key": 2}, "FR": {"key": 3}}, ["_key", "key"], [["CN", "1"], ["DE", "2"], ["FR", "3"]]),
            ({"CN": "China", "DE": "Germany", "FR": ["France", "Gaul"]}, ["key", "value"], [["CN", "China"], ["DE", "Germany"], ["FR", '["France","Gaul"]']]),
            ({"locale": "en", "names": {"CN": "China", "DE": "Germany", "FR": "France"}}, ["key", "value"], [["CN", "China"], ["DE", "Germany"], ["FR", "France"]]),
            ([["AF", "AFG"], ["AX", "ALA"]], ["column1", "column2"], [["AF", "AFG"], ["AX", "ALA"]]),
            ({"year": 2026, "on": [{"d": "1"}], "off": {"2": "x"}, "none": []}, ["d"], [["1"]]),
            ([["code", "n"], ["AF", 1], ["AX", None]], ["code", "n"], [["AF", "1"], ["AX", ""]]),
        ],
    )  # fmt: skip
    def test_each_is_a_table(self, tmp_path: Path, document: Any, columns: list[str], rows: Grid) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        found = profile(str(path), "a.json")
        assert (found["layout"]["columns"], found["sample"]) == (columns, rows)

    @pytest.mark.parametrize(
        "document",
        [
            {"name": "x", "version": "1", "private": True},
            {"scripts": {"a": "b"}, "files": {"c": "d"}, "engines": {"e": "f"}},
            {"type": "Topology", "objects": {}, "arcs": []},
            {"a": "x", "b": "y"},
            {"a": [1], "b": [2], "c": [3]},
            {"on": [{"d": "1"}], "off": [1, 2]},
            {"a": {"a": {"a": {"on": [{"d": "1"}], "off": [{"d": "2"}]}}}},
        ],
    )
    def test_one_thing_with_properties_is_none(self, tmp_path: Path, document: Any) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(TaskError, match="json_no_records"):
            profile(str(path), "a.json")

    def test_of_several_tables_each_may_be_chosen(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        path.write_text(json.dumps({"on": [{"d": "1"}], "off": {"2": "x"}}), encoding="utf-8")
        layout = profile(str(path), "a.json")["layout"]
        assert (layout["sheet"], layout["sheets"]) == ("on", ["on", "off"])
        assert layout["notes"] == [{"code": "other_sheets", "read": "on", "sheets": 2, "likely": None}]
        assert profile(str(path), "a.json", {"sheet": "off"})["sample"] == [["2", "x"]]
        with pytest.raises(TaskError, match="sheet_missing"):
            profile(str(path), "a.json", {"sheet": "elsewhere"})
