"""Our reports are frictionless' own: the same descriptor for every case of tests/support/differential.py."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import differential
import differential_checks
import differential_sheets
import differential_types
import pytest
from differential import Case, Tables
from frictionless import Package, errors, system
from hypothesis import given, settings
from hypothesis import strategies as st

import opendata.validation
from opendata.tabular.plain import text
from opendata.validation.proof import feed, validating
from opendata.validation.proof.rows import quick
from opendata.validation.service import READERS

PARTS = (
    differential.files, differential_types.types, differential.headers, differential.dialects, differential.keys,
    differential.encodings, differential.ragged, differential.mutations, differential.checklists, differential.limits,
    differential.endings, differential_checks.odd_cells, differential_checks.formulas, differential_checks.ready,
    differential_sheets.sheets, differential_sheets.layouts,
)  # fmt: skip

shares = pytest.mark.parametrize(
    "every",
    [
        pytest.param(1, id="all", marks=pytest.mark.heavy),
        pytest.param(11, id="an eleventh", marks=pytest.mark.sample),
    ],
)
"""Of the cases of a part."""


@pytest.fixture(autouse=True)
def trusted() -> Iterator[None]:
    """Paths of the test's own folder are absolute; frictionless' deprecations are its own."""
    with system.use_context(trusted=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Spy(feed.Feed):
    """Counts the tables of which rows were left out: equality of what was never proved would say nothing."""

    left_out = 0

    def _doubtful(self) -> Iterator[feed.Numbered]:
        given = 0
        for row in super()._doubtful():
            given += 1
            yield row
        Spy.left_out += (self._resource.stats.rows or 0) > given


def without_time(report: Any) -> dict[str, Any]:
    described: dict[str, Any] = report.to_descriptor()
    for part in (described, *described["tasks"]):
        part["stats"].pop("seconds")
    return described


def difference(case: Case) -> str:
    """ "" if the reports are equal; where frictionless crashes, if ours carries that as its error."""
    try:
        expected = without_time(case.resource().validate(case.checklist(), **case.limits))
    except Exception as crash:
        report = opendata.validation.validate(case.resource(), case.checklist(), **case.limits)
        return (
            "" if not report.valid and report.stats["errors"] >= 1 else f"{case.name}: {crash!r} is not said"
        )
    found = without_time(opendata.validation.validate(case.resource(), case.checklist(), **case.limits))
    if found == expected:
        return ""
    of = [
        (a, b)
        for a, b in zip(expected["tasks"][0]["errors"], found["tasks"][0]["errors"], strict=False)
        if a != b
    ]
    return f"{case.name}: {expected['tasks'][0]['stats']} {found['tasks'][0]['stats']} {of[:1]}"


@shares
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_reports_are_those_of_frictionless(part: Any, tmp_path: Path, every: int) -> None:
    cases = islice(part(Tables(tmp_path)), 0, None, every)
    assert [found for case in cases if (found := difference(case))] == []


def test_there_are_a_thousand_cases(tmp_path: Path) -> None:
    assert len({case.name for part in PARTS for case in part(Tables(tmp_path))}) > 3000


@pytest.mark.parametrize(
    "part",
    [differential.dialects, differential_checks.formulas, differential_checks.ready],
    ids=lambda part: part.__name__,
)
def test_rows_are_left_out(part: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of most tables: else the equality would be that of frictionless with itself."""
    monkeypatch.setattr(validating, "Feed", Spy)
    monkeypatch.setattr(Spy, "left_out", 0)
    cases = list(islice(part(Tables(tmp_path)), 0, None, 3))
    assert [found for case in cases if (found := difference(case))] == []
    assert Spy.left_out > len(cases) / 2


@shares
@pytest.mark.parametrize(
    "part",
    [
        differential.encodings,
        differential.mutations,
        differential.limits,
        differential.endings,
        differential_checks.odd_cells,
    ],
    ids=lambda part: part.__name__,
)
def test_many_frames(part: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """The same over small blocks and chunks, so that rows, quotes and characters are cut by their edges. Of odd cells, of which each
    table has all, a third."""
    monkeypatch.setattr(text, "BLOCK", 8192)
    monkeypatch.setattr(feed, "CHUNK", 7)
    step = every * 3 if part is differential_checks.odd_cells else every
    cases = islice(part(Tables(tmp_path)), 0, None, step)
    assert [found for case in cases if (found := difference(case))] == []


CELLS = st.sampled_from(
    ["1", "2", "-3", "x", "", " 4", "5.0", '"', 'a"b', "甲", "\n", "2026-01-01", "0" * 9000]
)
SCHEMA = differential.schema(
    differential.column("a", "integer", maximum=9),
    differential.column("b", maxLength=3),
    differential.column("c", "any", required=True),
)


@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12),
    st.sampled_from([{}, {"primaryKey": ["a"]}, {"primaryKey": ["b", "c"]}]),
    st.integers(0, 4),
)
@settings(max_examples=100, deadline=None)
def test_any_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], rest: dict[str, Any], limit: int
) -> None:
    path = Tables(tmp_path_factory.mktemp("any")).write(
        "a,b,c\n" + "".join(",".join(row) + "\n" for row in rows)
    )
    assert difference(Case("any", path, {"schema": SCHEMA | rest}, {"limit_errors": limit})) == ""


class TestAround:
    def table(self, tmp_path: Path, rows: int = 20_000) -> Case:
        path = Tables(tmp_path).write("a,b,c\n" + "1,x,y\n" * rows)
        return Case("table", path, {"schema": SCHEMA})

    @pytest.mark.parametrize("key", [[], ["c"]], ids=["plain", "keyed"])
    def test_progress_and_an_end_on_demand(
        self, key: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(text, "BLOCK", 8192)
        path = Tables(tmp_path).write("a,b,c\n" + "".join(f"1,x,{n}\n" for n in range(20_000)))
        case, seen = Case("table", path, {"schema": SCHEMA | {"primaryKey": key}}), []
        assert opendata.validation.validate(case.resource(), progress=seen.append).valid
        assert len(seen) > 10
        assert seen[-1] == 20_000

        def stop(rows: int) -> None:
            if rows > 5000:
                raise opendata.validation.Cancelled

        with pytest.raises(opendata.validation.Cancelled):
            opendata.validation.validate(case.resource(), progress=stop)
        with pytest.raises(opendata.validation.Cancelled):
            opendata.validation.validate(case.resource(), progress=stop, limit_rows=15_000)

    @pytest.mark.parametrize("kind", [errors.TypeError, errors.ConstraintError])
    def test_errors_made_quickly_are_the_same(self, kind: Any) -> None:
        values = {
            "note": "{cell} is {0}", "cells": ["{x}", ""], "row_number": 3, "cell": "{note}", "field_name": "a", "field_number": 1,
        }  # fmt: skip
        made, own = quick(kind)(**values), kind(**values)
        assert vars(made) == vars(own)
        slots = [name for part in kind.__mro__ for name in vars(part).get("__slots__", ())]
        named = {name: getattr(own, name) for name in slots if not name.startswith("__")}
        assert {name: getattr(made, name) for name in named} == named
        assert (made.to_descriptor(), type(made)) == (own.to_descriptor(), type(own))

    def test_the_reader_is_named(self) -> None:
        """Another frictionless may say something else about the same bytes."""
        assert version("frictionless") in READERS[-1]

    def test_the_dialect_is_left_as_it_was(self, tmp_path: Path) -> None:
        resource = self.table(tmp_path, 10).resource()
        opendata.validation.validate(resource)
        assert "read_enumerated_content_stream" not in vars(resource.dialect)
        assert resource.closed
        assert resource.stats.rows == 10

    def test_a_package(self, tmp_path: Path) -> None:
        tables = Tables(tmp_path)
        codes = {
            "name": "codes",
            "path": str(tables.write("code,name\n1,a\n2,b\n")),
            "schema": differential.schema(
                differential.column("code", "integer"), differential.column("name")
            ),
        }
        link = {"fields": ["a"], "reference": {"resource": "codes", "fields": ["code"]}}
        table = {
            "name": "table",
            "path": str(tables.write("a,b\n1,x\n3,y\n2,\n")),
            "schema": differential.schema(
                differential.column("a", "integer"), differential.column("b"), foreignKeys=[link]
            ),
        }
        described = {"resources": [table, codes]}
        expected = without_time(Package.from_descriptor(described).validate())
        assert (
            without_time(opendata.validation.validate_package(Package.from_descriptor(described))) == expected
        )
        assert [error["type"] for error in expected["tasks"][0]["errors"]] == ["foreign-key"]
        one = opendata.validation.validate_package(Package.from_descriptor(described), name="codes")
        assert (one.valid, len(one.tasks)) == (True, 1)
        broken = Package.from_descriptor(described)
        broken.resources.clear()
        assert without_time(opendata.validation.validate_package(broken)) == without_time(broken.validate())
