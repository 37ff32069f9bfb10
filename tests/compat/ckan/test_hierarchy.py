"""What is above an organization or a group, as CKAN's clients read and write it: the key `groups`."""

from __future__ import annotations

from typing import Any

import pytest

from opendata.work.actor import Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
ABOVE = [{"capacity": "public", "name": "housing"}]


def test_an_organization_below_another_one(callers: Any, office: Any) -> None:
    root = callers.root
    made = root.ok("organization_create", name="tenancy", title="Tenancy", groups=[{"name": "housing"}])
    assert made["groups"] == ABOVE
    root.ok("organization_create", name="deposits", title="Deposits", groups=[{"id": made["id"]}])
    assert office.admin.get("/agencies/deposits").json()["parent"] == "tenancy"
    assert root.ok("organization_update", id="tenancy", title="Rents")["groups"] == ABOVE
    assert root.ok("organization_patch", id="tenancy", groups=[])["groups"] == []
    listed = root.ok("organization_list", all_fields=True, include_groups=True)
    assert {o["name"]: [g["name"] for g in o["groups"]] for o in listed} == {
        "housing": [], "water": [], "tenancy": [], "deposits": ["tenancy"],
    }  # fmt: skip


def test_who_moves_takes_those_below_along(callers: Any, office: Any, app: Any) -> None:
    """Reviewers of a body decide for all below it, so where these are is no small matter."""
    root = callers.root
    root.ok("organization_create", name="tenancy", title="Tenancy")
    root.ok("organization_create", name="deposits", title="Deposits", groups=[{"name": "tenancy"}])
    root.ok("organization_patch", id="tenancy", groups=[{"name": "housing"}])
    reviewer = office.person("above", Role.ADMIN)
    assert reviewer.patch("/agencies/deposits", json={"office": "x"}).status_code == 200
    root.ok("organization_patch", id="tenancy", groups=[])
    assert reviewer.patch("/agencies/deposits", json={"office": "y"}).status_code == 403


def test_no_circles_and_no_strangers(callers: Any, office: Any) -> None:
    root = callers.root
    loop = {
        "groups": [{"name": ["This parent would create a loop in the hierarchy"]}],
        "__type": "Validation Error",
    }
    for kind in ("organization", "group"):
        root.ok(f"{kind}_create", name=f"{kind}-a")
        root.ok(f"{kind}_create", name=f"{kind}-b", groups=[{"name": f"{kind}-a"}])
        assert root.fails(409, f"{kind}_patch", id=f"{kind}-a", groups=[{"name": f"{kind}-b"}]) == loop
        assert root.fails(409, f"{kind}_patch", id=f"{kind}-a", groups=[{"name": f"{kind}-a"}]) == loop
        wrong = root.fails(409, f"{kind}_patch", id=f"{kind}-a", groups=[{"name": "nobody"}])
        assert wrong["groups"] == [{"name": [f"There is no such {kind}"]}]
        for bad in ([{}], [7], "x", [{"name": {"a": 1}}], 7):
            status = root.post(f"{kind}_patch", id=f"{kind}-a", groups=bad).status_code
            assert status in (400, 409), bad
    admin = office.person("boss", Role.ADMIN)
    answer = admin.client.post(
        "/api/3/action/organization_patch",
        json={"id": "housing", "groups": [{"name": "water"}]},
        headers={"Authorization": admin.token},
    )
    assert answer.status_code == 403


def test_groups_below_groups(callers: Any) -> None:
    root = callers.root
    for name in ("roads", "city"):
        root.ok("group_create", name=name)
    made = root.ok("group_create", name="lanes", groups=[{"name": "roads"}, {"name": "city"}])
    assert [g["name"] for g in made["groups"]] == ["roads", "city"]
    assert [g["name"] for g in root.ok("group_update", id="lanes", title="x")["groups"]] == ["roads", "city"]
    root.ok("group_delete", id="city")
    assert [g["name"] for g in callers.public.ok("group_show", id="lanes")["groups"]] == ["roads"]
    assert root.ok("group_patch", id="lanes", groups=[])["groups"] == []
