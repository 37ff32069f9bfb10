"""A dataset keeps the short name that it has at its source, where nobody here has it: given once, never changed by a run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from opendata.catalog import queries as catalog
from opendata.harvest.models import HarvestSource
from opendata.harvest.record import Record
from opendata.harvest.running import applying, planning
from tests.harvest.runs.conftest import Harvest, counted
from tests.support.mini_ckan import MiniCkan, package

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
TAKEN = "which the dataset has at the source, is taken here"


def names(harvest: Harvest) -> dict[str, str]:
    return {title: one["name"] for title, one in harvest.datasets().items()}


def told(run: dict[str, Any]) -> dict[str, str]:
    return {one["title"]: " ".join(one["told"]) for one in run["outcomes"]["results"]}


def test_the_name_of_the_source_is_kept(harvest: Harvest, ckan: MiniCkan) -> None:
    harvest.run()
    assert names(harvest) == {f"Dataset set-{n}": f"set-{n}" for n in range(1, 9)}
    shown = harvest.office.client.get("/zh/dataset/set-1")
    assert shown.status_code == 200, shown.text
    ckan.packages[0].update(name="renamed", notes="Other words.")
    assert counted(harvest.run()) == {"updated": 1, "unchanged": 7}
    assert names(harvest)["Dataset set-1"] == "set-1"
    ckan.packages[1]["name"] = "renamed-too"
    assert counted(harvest.run()) == {"unchanged": 8}


def test_a_name_that_is_taken_is_told_in_the_plan_and_in_the_report(harvest: Harvest, ckan: MiniCkan) -> None:
    office = harvest.office
    assert office.editor.post("/datasets", json={"agency": "housing", "title": "街道", "name": "set-1"}).status_code == 201  # fmt: skip
    ckan.packages.append(package("set-2", title="Twice", id="second"))
    planned = told(harvest.run(dry_run=True))
    assert sorted(title for title, words in planned.items() if TAKEN in words) == ["Dataset set-1", "Twice"]
    run = harvest.run()
    assert counted(run) == {"created": 9}
    found = names(harvest)
    assert (found["街道"], found["Dataset set-2"]) == ("set-1", "set-2")
    assert found["Dataset set-1"].startswith("dataset-set-1-")
    assert found["Twice"].startswith("twice-")
    assert told(run) == planned


@light
def test_a_name_that_is_free_by_then_is_not_told_as_taken(
    harvest: Harvest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the report says is what came of it, not what the plan expected."""
    monkeypatch.setattr(catalog, "taken_names", lambda work, names: set(names))
    assert TAKEN in told(harvest.run(dry_run=True))["Dataset set-1"]
    run = harvest.run()
    assert names(harvest)["Dataset set-1"] == "set-1"
    assert TAKEN not in told(run)["Dataset set-1"]


@light
def test_who_takes_the_name_in_the_same_moment_does_not_break_the_run(
    harvest: Harvest, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, failed = applying.write, []

    def write(*args: Any) -> None:
        written(*args)
        if not failed:
            failed.append(True)
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed: dataset.name"))

    monkeypatch.setattr(applying, "write", write)
    run = harvest.run()
    assert (run["status"], counted(run)) == ("done", {"created": 8})
    assert len(names(harvest)) == 8


@light
@pytest.mark.parametrize(
    "name",
    ["", "x", "Streets", "a b", "../etc", "街道", "n" * 101, "0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071", None, 7],
)
def test_what_is_no_name_here_is_made_from_the_title(harvest: Harvest, ckan: MiniCkan, name: Any) -> None:
    ckan.packages[:] = [package("set-1", name=name)]
    run = harvest.run()
    assert counted(run) == {"created": 1}
    assert names(harvest)["Dataset set-1"].startswith("dataset-set-1-")
    assert TAKEN not in told(run)["Dataset set-1"]


def test_the_name_is_no_part_of_what_is_compared() -> None:
    """So what was harvested before names were kept is unchanged at the next run."""
    source = HarvestSource(licence="", copy_files=False)
    record = Record("a", {"title": "A"}, page="https://county.example/a")
    assert planning.mark(record, source) == planning.mark(dataclasses.replace(record, name="streets"), source)
