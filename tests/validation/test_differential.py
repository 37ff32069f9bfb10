"""Our reports are frictionless' own: the same descriptor for every case of tests/support/differential.py."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import differential
import differential_checks
import differential_sheets
import differential_types
import pytest
from differential import Case, Tables
from frictionless import Error, Field, Package, Report, errors, system
from frictionless.resources import TableResource
from frictionless.vendors import stringcase
from hypothesis import given, settings
from hypothesis import strategies as st

import opendata.validation
from opendata.tabular.plain import text
from opendata.validation.checks.cells import WrongCell, WrongRow
from opendata.validation.checks.making import descriptor_of, quick
from opendata.validation.checks.plugin import CHECKS
from opendata.validation.proof import feed, validating
from opendata.validation.service import READERS

Part = Callable[[Tables], Iterator[Case]]
PARTS: tuple[Part, ...] = (
    differential.files, differential_types.types, differential.headers, differential.dialects, differential.keys,
    differential.encodings, differential.ragged, differential.mutations, differential.checklists, differential.limits,
    differential.endings, differential_checks.odd_cells, differential_checks.formulas, differential_checks.ready,
    differential_sheets.sheets, differential_sheets.layouts,
)  # fmt: skip
PROVED = {differential.dialects, differential_checks.formulas, differential_checks.ready}
"""Of most of their tables rows are left out."""


class Cut(NamedTuple):
    """Also read in small blocks; of odd cells, of which each table has all, a third."""

    block: int
    each: int = 1


CUT: dict[Part, Cut] = {
    differential.encodings: Cut(8192), differential.mutations: Cut(8192), differential.limits: Cut(8192),
    differential.endings: Cut(8192), differential_checks.odd_cells: Cut(2048, 3),
}  # fmt: skip
"""8 KiB is what frictionless decodes at once: less would do where no bytes are broken."""

shares = pytest.mark.parametrize(
    "every",
    [
        pytest.param(1, id="all", marks=pytest.mark.heavy),
        pytest.param(11, id="an eleventh", marks=pytest.mark.sample),
    ],
)
"""Of the cases of a part."""


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Paths of the test's own folder are absolute; frictionless' deprecations are its own. How a name is written in Python, it finds
    out anew for each property of each error, a third of its time: asked once of each name. Whether a field is described well, it
    asks at each copy that it makes of one, a tenth: those that were are not asked about again."""
    monkeypatch.setattr(stringcase, "snakecase", cache(stringcase.snakecase))
    monkeypatch.setattr(Field, "metadata_validate", classmethod(well_described))
    with system.use_context(trusted=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


_validate_field = vars(Field)["metadata_validate"].__func__
_well: set[tuple[type[Field], str, str | None]] = set()


def well_described(kind: type[Field], descriptor: dict[str, Any], *, context: Any = None) -> Iterator[Error]:
    key = (kind, repr(descriptor), context and context.datapackage_version)
    if key not in _well:
        found = list(_validate_field(kind, descriptor, context=context))
        yield from found
        if not found:
            _well.add(key)


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


def without_errors(report: Any) -> tuple[dict[str, Any], list[Error]]:
    """The descriptor, and the errors of the only task apart from it."""
    (task,) = report.tasks
    found, task.errors = task.errors, []
    return without_time(report), found


def are_equal(ours: Error, own: Error) -> bool:
    """Whether their descriptors are equal, which are made of the type and the values: a long way, if all of those are equal."""
    return is_same(ours, own) or ours.to_descriptor() == own.to_descriptor()


def is_same(ours: Error, own: Error) -> bool:
    return (
        type(ours) is type(own)
        and vars(ours) == vars(own)
        and all(getattr(ours, name) == getattr(own, name) for name in slots(type(own)))
    )


@cache
def slots(kind: type[Error]) -> list[str]:
    named = [name for part in kind.__mro__ for name in vars(part).get("__slots__", ())]
    return [name for name in named if not name.startswith("__")]


def told(case: Case) -> Report | Exception:
    """By frictionless."""
    try:
        report: Report = case.resource().validate(case.checklist(), **case.limits)
    except Exception as crash:
        return crash
    return report


def difference(case: Case, own: Report | Exception) -> str:
    """ "" if the reports are equal; where frictionless crashes, if ours carries that as its error."""
    report = opendata.validation.validate(case.resource(), case.checklist(), **case.limits)
    if isinstance(own, Exception):
        is_said = not report.valid and report.stats["errors"] >= 1
        return "" if is_said else f"{case.name}: {own!r} is not said"
    (expected, wanted), (described, found) = without_errors(own), without_errors(report)
    own.tasks[0].errors = wanted
    of = [pair for pair in zip(found, wanted, strict=False) if not are_equal(*pair)]
    if described == expected and len(found) == len(wanted) and not of:
        return ""
    return f"{case.name}: {expected['tasks'][0]['stats']} {described['tasks'][0]['stats']} {of[:1]}"


@shares
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_reports_are_those_of_frictionless(
    part: Part, tmp_path: Path, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over small blocks and chunks, where rows, quotes and characters are to be cut by their edges; and rows are left out of
    most tables: else the equality would be that of frictionless with itself."""
    monkeypatch.setattr(validating, "Feed", Spy)
    monkeypatch.setattr(Spy, "left_out", 0)
    found, count = [], 0
    for count, case in enumerate(islice(part(Tables(tmp_path)), 0, None, every), start=1):
        own = told(case)
        found.append(difference(case, own))
        if part in CUT and count % CUT[part].each == 0:
            left_out = Spy.left_out
            with monkeypatch.context() as small:
                small.setattr(text, "BLOCK", CUT[part].block)
                small.setattr(feed, "CHUNK", 7)
                found.append(difference(case, own))
            Spy.left_out = left_out
    assert [one for one in found if one] == []
    assert part not in PROVED or Spy.left_out > count / 2


def test_there_are_a_thousand_cases(tmp_path: Path) -> None:
    assert len({case.name for part in PARTS for case in part(Tables(tmp_path))}) > 3000


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
    case = Case("any", path, {"schema": SCHEMA | rest}, {"limit_errors": limit})
    assert difference(case, told(case)) == ""


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

    @pytest.mark.parametrize(
        "kind",
        [errors.TypeError, errors.ConstraintError, *(kind.Error for kind in CHECKS.values())],
        ids=lambda kind: kind.type,
    )
    def test_errors_made_and_described_quickly_are_the_same(self, kind: Any) -> None:
        values: dict[str, Any] = {"note": "{cell} is {0}", "cells": ["{x}", ""], "row_number": 3}
        if issubclass(kind, errors.CellError):
            values |= {"cell": "{note}", "field_name": "a", "field_number": 1}
        if issubclass(kind, WrongCell | WrongRow):
            values |= {"reason": "form", "params": {"most": [1]}}
        made, own = quick(kind)(**values), kind(**values)
        assert is_same(made, own)
        assert {"note", "cells", "row_number"} <= set(slots(kind))
        assert (made.to_descriptor(), type(made)) == (own.to_descriptor(), type(own))
        report = Report.from_validation_task(TableResource(data=[]), time=0.5, errors=[made, own])
        assert descriptor_of(report) == report.to_descriptor()
        assert report.tasks[0].errors == [made, own]

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
