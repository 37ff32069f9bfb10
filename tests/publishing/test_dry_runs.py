"""What a dry run shows, what an editor finds again, and which inventory lines a dataset opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.work.actor import Role

API = "/api/v1"
pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


def changed(answer: Any) -> dict[str, tuple[Any, Any]]:
    """{field: (old, new)}"""
    assert answer.status_code == 200, answer.text
    assert answer.json()["dry_run"] is True
    return {entry["field"]: (entry["old"], entry["new"]) for entry in answer.json()["changes"]}


def line(office: Any, title: str) -> dict[str, str]:
    answer = office.editor.post("/inventory", json={"agency": "housing", "title": title})
    assert answer.status_code == 201, answer.text
    return {"id": answer.json()["id"], "resource_code": answer.json()["resource_code"]}


def test_the_inventory_lines_of_a_dataset(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    first, second = line(office, "甲"), line(office, "乙")
    dataset = office.draft(inventory=[first["resource_code"]])
    assert dataset["inventory"] == [first]
    here = f"/datasets/{dataset['id']}"
    dry = office.editor.patch(f"{here}?dry_run=true", json={"inventory": [second["id"], first["id"]]})
    codes = [first["resource_code"], second["resource_code"]]
    assert changed(dry) == {"inventory": ([codes[0]], codes)}
    assert office.editor.get(here).json()["inventory"] == [first]
    edited = office.editor.patch(here, json={"inventory": [second["id"], second["resource_code"]]})
    assert edited.json()["inventory"] == [second]
    office.upload(dataset["id"], b"a,b\n1,2\n")
    office.publish(dataset["id"], settle)
    assert client.get(f"{API}{here}").json()["inventory"] == [second]
    assert client.get(f"{API}/datasets").json()["results"][0]["inventory"] == [second]
    office.editor.patch(here, json={"inventory": []})
    assert client.get(f"{API}{here}").json()["inventory"] == []


def test_a_dry_run_of_each_step_shows_what_would_change(office: Any, settle: Callable[[], None]) -> None:
    dataset = office.draft()
    here = f"/datasets/{dataset['id']}"
    office.upload(dataset["id"], b"a,b\n1,2\n")
    assert changed(office.editor.post(f"{here}/releases?dry_run=true")) == {
        "release_state": ("draft", "submitted")
    }
    assert office.editor.get(here).json()["draft"]["release_state"] == "draft"
    office.publish(dataset["id"], settle)
    dry = office.editor.post(f"{here}/withdraw?dry_run=true", json={"reason": "wrong"})
    own = office.editor.get(here).json()["inventory"][0]["resource_code"]
    assert changed(dry) == {
        "state": ("active", "withdrawn"),
        "release_state": ("published", "withdrawn"),
        "inventory": ([own], None),  # the line that was made of its own words goes with it
    }
    dry = office.editor.delete(f"{here}?dry_run=true&reason=wrong")
    assert changed(dry)["state"] == ("active", "deleted")
    office.editor.patch(here, json={"title": "另一标题"})
    assert changed(office.editor.delete(f"{here}/draft?dry_run=true"))["title"] == (
        "另一标题",
        "住房租赁企业名单",
    )
    assert office.editor.get(here).json()["draft"]["title"] == "另一标题"
    assert office.client.get(f"{API}{here}").status_code == 200


def test_an_editor_finds_the_own_drafts_again(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    assert office.admin.post("/agencies", json={"name": "water", "title": "水利局"}).status_code == 201
    stranger = office.person("stranger", Role.EDITOR, agency="water")
    out, under_way = office.draft(title="已公开"), office.draft(title="在办")
    for dataset in (out, under_way):
        office.upload(dataset["id"], b"a,b\n1,2\n")
    office.publish(out["id"], settle)
    office.editor.patch(f"/datasets/{out['id']}", json={"title": "已公开二"})
    office.submit(under_way["id"])
    settle()
    told = office.editor.get("/datasets?agency=housing&drafts=true").json()
    assert told["total"] == 2
    states = {
        r["id"]: (r["title"], r["draft"]["title"], r["draft"]["release_state"]) for r in told["results"]
    }
    assert states == {
        out["id"]: ("已公开", "已公开二", "draft"),
        under_way["id"]: ("在办", "在办", "in_review"),
    }
    assert office.editor.get("/datasets?drafts=true&limit=1").json()["total"] == 2
    assert stranger.get("/datasets?agency=housing&drafts=true").json() == {"total": 0, "results": []}
    assert client.get(f"{API}/datasets?drafts=true").status_code == 401
    assert [r["id"] for r in client.get(f"{API}/datasets").json()["results"]] == [out["id"]]
