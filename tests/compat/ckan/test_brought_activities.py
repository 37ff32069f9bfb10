"""Activities of the platform that was left: told among our own, with their own dates."""

from __future__ import annotations

from typing import Any

import pytest

from opendata.work.actor import SYSTEM

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize(
        "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
    ),
]
STREETS = "aaaaaaaa-0000-4000-8000-{:012}"


@pytest.fixture
def brought(callers: Any, office: Any) -> dict[str, Any]:
    """A dataset with six entries of an earlier life, the second one shown to its people alone; and a group with one."""
    made = callers.create("streets", title="Streets", notes="n")
    group = callers.root.ok("group_create", name="roads")
    editor = callers.editor.ok("user_show")["id"]

    def entry(n: int, kind: str, **more: Any) -> dict[str, Any]:
        at = f"20{10 + n}-01-01T00:00:00.000000"
        return {"id": STREETS.format(n), "at": at, "type": kind, "by": editor, "public": n != 1, **more}

    with office.app.place.writing(SYSTEM) as work:
        first = [
            entry(0, "new package", title="Lanes"),
            entry(1, "changed package"),
            entry(2, "changed package"),
        ]
        work.record("history.brought", "dataset", made["id"], entries=first)
        work.record(
            "history.brought", "group", group["id"], entries=[entry(6, "new group", by="somebody-gone")]
        )
        more = [entry(3, "new resource view"), entry(4, "changed package"), entry(5, "changed package")]
        work.record("history.brought", "dataset", made["id"], entries=more)
    callers.settle()
    return {"dataset": made, "group": group, "editor": editor}


def years(caller: Any, action: str, **args: Any) -> list[int]:
    """The years of the entries, 0 for an activity of this platform."""
    told = caller.ok(action, **args)
    return [int(one["timestamp"][2:4]) if one["id"].startswith("aaaa") else 0 for one in told]


def test_the_old_history_follows_our_own(callers: Any, brought: dict[str, Any]) -> None:
    assert years(callers.editor, "package_activity_list", id="streets") == [0, 15, 14, 13, 12, 11, 10]
    assert years(callers.public, "package_activity_list", id="streets") == [0, 15, 14, 13, 12, 10]
    assert years(callers.stranger, "package_activity_list", id="streets") == [0, 15, 14, 13, 12, 10]
    assert years(callers.public, "recently_changed_packages_activity_list") == [0, 15, 14, 13, 12, 10]
    assert years(callers.public, "organization_activity_list", id="housing")[-5:] == [15, 14, 13, 12, 10]
    assert years(callers.public, "group_activity_list", id="roads") == [0, 16]
    assert years(callers.stranger, "user_activity_list", id="editor")[-5:] == [15, 14, 13, 12, 10]
    assert years(callers.stranger, "user_activity_list", id="stranger") == [0]
    assert years(callers.editor, "dashboard_activity_list")[-6:] == [15, 14, 13, 12, 11, 10]
    assert not any(one["is_new"] for one in callers.editor.ok("dashboard_activity_list") if one["id"] < "ab")


def test_an_entry_says_who_did_what_and_when(callers: Any, brought: dict[str, Any]) -> None:
    key = STREETS.format(0)
    told = callers.stranger.ok("activity_show", id=key)
    assert told == {
        "id": key,
        "timestamp": "2010-01-01T00:00:00.000000",
        "user_id": brought["editor"],
        "object_id": brought["dataset"]["id"],
        "activity_type": "new package",
        "data": {"package": {"title": "Lanes"}, "actor": "editor"},
        "permission_labels": ["public"],
    }
    assert callers.stranger.ok("package_activity_list", id="streets")[-1] == told
    assert callers.public.ok("activity_show", id=key)["data"] == {"package": {"title": "Lanes"}}
    assert callers.public.ok("activity_data_show", id=key, object_type="package") == {"title": "Lanes"}
    callers.public.fails(404, "activity_diff", id=STREETS.format(2), object_type="package")
    gone = callers.stranger.ok("group_activity_list", id="roads")[-1]
    assert (gone["user_id"], gone["data"]) == ("somebody-gone", {"actor": None})


def test_what_was_not_for_everybody_is_for_its_own_people(callers: Any, brought: dict[str, Any]) -> None:
    for caller in (callers.public, callers.stranger):
        caller.fails(404, "activity_show", id=STREETS.format(1))
    hidden = callers.editor.ok("activity_show", id=STREETS.format(1))
    assert "public" not in hidden["permission_labels"]
    callers.editor.ok("package_patch", id="streets", private=True)
    for caller in (callers.public, callers.stranger):
        caller.fails(404, "activity_show", id=STREETS.format(0))
        assert years(caller, "recently_changed_packages_activity_list") == []
    assert sum(years(callers.stranger, "user_activity_list", id="editor")) == 0
    assert years(callers.editor, "package_activity_list", id="streets")[-6:] == [15, 14, 13, 12, 11, 10]


def test_pages_times_and_types(callers: Any, brought: dict[str, Any]) -> None:
    whole = years(callers.editor, "package_activity_list", id="streets")
    for size in (1, 2, 3, 5):
        pages = [
            years(callers.editor, "package_activity_list", id="streets", limit=size, offset=start)
            for start in range(0, len(whole) + size, size)
        ]
        assert [year for page in pages for year in page] == whole
    moment = {n: 1262304000 + n * 31557600 for n in range(7)}  # about new year's day of 2010 + n
    late, early = moment[4] - 86400 * 30, moment[1] + 86400 * 30
    asked = {"id": "streets", "limit": 2}
    assert years(callers.editor, "package_activity_list", **asked, before=late) == [13, 12]
    assert years(callers.editor, "package_activity_list", **asked, after=early) == [13, 12]
    assert years(callers.editor, "package_activity_list", **asked, after=late) == [15, 14]
    assert years(callers.editor, "package_activity_list", **asked, after=early, before=moment[6]) == [15, 14]
    kinds = {"activity_types": ["new package", "new resource view"]}
    assert years(callers.editor, "package_activity_list", id="streets", **kinds) == [0, 13, 10]
    without = {"exclude_activity_types": ["changed package"]}
    assert years(callers.editor, "package_activity_list", id="streets", **without) == [0, 13, 10]


def test_they_are_counted(callers: Any, brought: dict[str, Any]) -> None:
    counts = callers.root.ok("activity_delete_counts")
    assert counts["older_than_365_days"] == counts["older_than_1_day"] == 7
    assert counts["total"] > 7
