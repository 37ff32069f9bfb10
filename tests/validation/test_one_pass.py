"""The profile that is made while a file is validated is the one that is made alone, and so is the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook as Book

from opendata.tabular import sheets
from opendata.tabular.layout import layout
from opendata.tabular.plain import text
from opendata.tabular.profiling.whole import Onlooker
from opendata.tabular.tasks import profile
from opendata.validation.judging import judge_file, validate_file

FIELDS = [
    {"name": "id", "type": "integer"}, {"name": "name", "type": "string"}, {"name": "day", "type": "date"},
    {"name": "amount", "type": "number", "constraints": {"maximum": 900}},
]  # fmt: skip
ROWS = "".join(f"{n},南通{n % 7},2026-01-{n % 28 + 1:02d},{n * 37 % 1000 / 10}\n" for n in range(1100))
"""More than the errors that are told, and than the values of a column that are looked at for their form."""
HEADER = "id,name,day,amount\n"
FILES = {
    "clean": HEADER + ROWS,
    "wrong cells": HEADER + ROWS + "x,a,2026-13-01,1\n" * 40 + ROWS,
    "blank rows": HEADER + ROWS + ",,,\n" * 3 + ROWS,
    "quoted": HEADER + ROWS + '1,"a,b",2026-01-01,1\n' + ROWS,
    "uneven": HEADER + ROWS + "1,a\n1,a,2026-01-01,1,5\n\n" + ROWS,
    "too many wrong cells": HEADER + "x,a,2026-13-01,1\n" * 2000,
    "title": "公示表,,,\n" + HEADER + ROWS,
    "header alone": HEADER,
    "another header": "id,name,day\n1,a,2026-01-01\n",
}
ONE_PASS = {"clean", "wrong cells", "blank rows", "quoted", "title", "header alone"}


def told(report: dict[str, Any]) -> dict[str, Any]:
    for part in (report, *report["tasks"]):
        part["stats"].pop("seconds")
    return report


@pytest.mark.parametrize(
    "schema", [{"fields": FIELDS}, {"fields": FIELDS, "primaryKey": ["id"]}], ids=["plain", "keyed"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", FILES)
def test_both_are_those_made_alone(
    name: str, encoding: str, schema: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", 4096)
    path = tmp_path / "a.csv"
    path.write_bytes(FILES[name].encode(encoding))
    both = judge_file(path, path.name, None, schema)
    assert both["profile"] == profile(str(path), path.name)
    assert told(both["report"]) == told(validate_file(path, path.name, None, schema))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", FILES)
def test_without_a_schema_the_inferred_one_holds_even_if_the_first_rows_said_otherwise(
    name: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", 4096)
    path = tmp_path / "a.csv"
    path.write_bytes(FILES[name].encode(encoding))
    both, alone = judge_file(path, path.name, None, None), profile(str(path), path.name)
    assert both["profile"] == alone
    assert told(both["report"]) == told(validate_file(path, path.name, None, alone["schema"]))


@pytest.mark.parametrize("key", [[], ["id"]], ids=["plain", "keyed"])
@pytest.mark.parametrize("name", FILES)
def test_it_is_one_pass_where_rows_are_read_by_columns(name: str, key: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(FILES[name])
    onlooker = Onlooker(layout(path, path.name))
    validate_file(path, path.name, None, {"fields": FIELDS, "primaryKey": key}, onlooker=onlooker)
    # For its keys a table is read to its end before the first error.
    expected = ONE_PASS | {"too many wrong cells"} if key else ONE_PASS
    assert (onlooker.result() is not None) == (name in expected)


def test_a_workbook_is_read_once_for_its_layout_its_verdict_and_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, path, opened = Book(), tmp_path / "a.xlsx", []
    for line in FILES["clean"].splitlines():
        book.active.append(line.split(","))
    book.save(path)
    own = sheets.Workbook.__init__
    monkeypatch.setattr(
        sheets.Workbook, "__init__", lambda self, source: (opened.append(source), own(self, source))[1]
    )
    both = judge_file(path, path.name, None, None)
    assert opened == [path]
    assert both["profile"] == profile(str(path), path.name)
    alone = validate_file(path, path.name, None, both["profile"]["schema"])
    assert told(both["report"]) == told(alone)
    assert len(opened) == 3
