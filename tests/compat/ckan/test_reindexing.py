"""The index follows what is written: at once for those who write, for the public a moment later; and a new owner is found."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]


def found(caller: Any, q: str) -> list[str]:
    return [package["name"] for package in caller.ok("package_search", q=q)["results"]]


def test_a_search_sees_the_caller_s_own_write(callers: Any) -> None:
    """Nothing is waited for between the calls."""
    callers.create("streets", title="Boulevards", notes="n", tags=[{"name": "roads"}])
    assert found(callers.editor, "boulevards") == found(callers.editor, "tags:roads") == ["streets"]
    callers.editor.ok("package_patch", id="streets", title="Alleys")
    assert (found(callers.editor, "alleys"), found(callers.editor, "boulevards")) == (["streets"], [])
    callers.create("hidden", title="Alleys too", private=True)
    assert found(callers.editor, "alleys") == ["streets"]
    callers.editor.ok("package_delete", id="streets")
    assert found(callers.editor, "alleys") == found(callers.public, "alleys") == []


def test_a_new_owner_is_found(callers: Any) -> None:
    """CKAN does not reindex it, and the next package_patch puts the old organization back."""
    for number in range(3):
        callers.create(f"streets-{number}")
    callers.settle()
    callers.root.ok("package_owner_org_update", id="streets-1", organization_id="water")
    callers.settle()
    answer = callers.public.ok("package_search", q="organization:water", **{"facet.field": ["organization"]})
    assert [p["organization"]["name"] for p in answer["results"]] == ["water"]
    facet = callers.public.ok("package_search", **{"facet.field": ["organization"]})["facets"]["organization"]
    assert facet == {"housing": 2, "water": 1}
    assert sorted(found(callers.public, "organization:housing")) == ["streets-0", "streets-2"]
    callers.stranger.ok("package_patch", id="streets-1", title="Of the water bureau")
    callers.settle()
    assert found(callers.public, "organization:water") == ["streets-1"]
    assert callers.public.ok("package_show", id="streets-1")["organization"]["name"] == "water"
