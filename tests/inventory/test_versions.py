"""Versions of lines and of a body's list, and lines that are withheld from the public."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.work.actor import Role

API = "/api/v1"
SECRET = "zqxsecret"
CLOSED = {"openness": "closed", "open_condition": "《中华人民共和国保守国家秘密法》第十三条"}


def line(office: Any, title: str = "公园名录", **fields: Any) -> dict[str, Any]:
    answer = office.editor.post("/inventory", json={"agency": "housing", "title": title} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def differences(client: Any, since: str, until: str) -> list[tuple[str, str, str]]:
    answer = client.get(
        f"{API}/agencies/housing/inventory/differences", params={"since": since, "until": until}
    )
    assert answer.status_code == 200, answer.text
    return [(d["kind"], d["resource_code"], d["title"]) for d in answer.json()]


def test_d03_an_old_version_stays_readable_and_the_difference_says_what_changed(
    office: Any, client: TestClient
) -> None:
    made = line(office)
    path = f"/inventory/{made['resource_code']}"
    office.editor.patch(path, json={"title": "公园与绿地名录", "update_cycle": "yearly"})
    office.editor.patch(path, json={"title": "公园与绿地名录"})  # nothing differs: no version
    told = client.get(f"{API}{path}/versions").json()
    assert [(v["edition"], v["action"], v["by"]) for v in told] == [(2, "edited", None), (1, "created", None)]
    assert told[0]["changes"] == [
        {"element": "title", "before": "公园名录", "after": "公园与绿地名录"},
        {"element": "update_cycle", "before": "irregular", "after": "yearly"},
    ]
    assert client.get(f"{API}{path}/versions/1").json()["content"]["title"] == "公园名录"
    assert client.get(f"{API}{path}/versions/9").status_code == 404
    assert office.editor.get(f"{path}/versions").json()[0]["by"] == "editor"


def test_d03_the_difference_of_a_list_shows_what_came_changed_and_went(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    stays, changed = line(office, "甲"), line(office, "乙")
    gone = office.draft(title="丙")
    office.upload(gone["id"], b"a,b\n1,2\n")
    office.publish(gone["id"], settle)  # it gets a line of its own
    began = now()
    line(office, "丁")
    office.editor.patch(f"/inventory/{changed['id']}", json={"title": "乙二"})
    answer = office.editor.post(f"/datasets/{gone['id']}/withdraw", json={"reason": "错误"})
    assert answer.status_code == 200, answer.text
    ended = now()
    assert differences(client, began, ended) == [
        ("changed", "306001/000002", "乙二"),
        ("removed", "306001/000003", ""),
        ("added", "306001/000004", "丁"),
    ]
    assert differences(client, ended, now()) == []
    inside = office.editor.get("/agencies/housing/inventory/differences", params={"since": began})
    assert [d["title"] for d in inside.json()] == ["乙二", "丙", "丁"]
    listed = client.get(f"{API}/agencies/housing/inventory/versions").json()
    assert [v["action"] for v in listed["results"]] == ["removed", "edited", "created", "created", "created"]
    assert listed["total"] == 5
    assert "丙" not in str(listed)
    assert stays["resource_code"] == "306001/000001"


def test_d03_what_a_withdrawn_dataset_said_stays_gone_when_it_comes_back(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft(title=SECRET)
    office.upload(dataset["id"], b"a,b\n1,2\n")
    office.publish(dataset["id"], settle)
    office.editor.post(f"/datasets/{dataset['id']}/withdraw", json={"reason": "错误"})
    answer = office.editor.patch(
        f"/datasets/{dataset['id']}", json={"title": "改好了", "description": "改好了"}
    )
    assert answer.status_code == 200, answer.text
    office.publish(dataset["id"], settle)
    (found,) = client.get(f"{API}/inventory").json()["results"]
    assert found["title"] == "改好了"
    for path in (f"inventory/{found['id']}/versions", "agencies/housing/inventory/versions"):
        assert SECRET not in client.get(f"{API}/{path}").text
    assert differences(client, "2000-01-01T00:00:00Z", now()) == [
        ("changed", found["resource_code"], "改好了")
    ]


@pytest.fixture
def withheld(office: Any) -> dict[str, Any]:
    made = line(office, SECRET, abstract=SECRET, **CLOSED)
    line(office, "公园名录")
    ground = {"ground": "涉密单位，经保密委员会审定"}
    answer = office.secrecy.put(f"/inventory/{made['resource_code']}/withheld", json=ground)
    assert answer.status_code == 200, answer.text
    assert answer.json()["withheld_ground"] == ground["ground"]
    return made


def test_d08_a_withheld_line_leaves_by_no_door(
    office: Any, client: TestClient, withheld: dict[str, Any]
) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
    stranger = office.person("stranger", *Role, agency="water")
    for who in (client, stranger):
        prefix = API if who is client else ""
        listed = who.get(f"{prefix}/inventory?agency=housing").json()
        assert (listed["total"], [found["title"] for found in listed["results"]]) == (1, ["公园名录"])
        assert who.get(f"{prefix}/inventory?openness=closed").json()["total"] == 0
        versions = who.get(f"{prefix}/agencies/housing/inventory/versions").json()
        assert versions["total"] == 1
        for path in (
            f"/inventory/{withheld['id']}",
            f"/inventory/{withheld['resource_code']}",
            f"/inventory/{withheld['id']}/versions",
            f"/inventory/{withheld['id']}/versions/1",
        ):
            missing = who.get(f"{prefix}{path.replace(withheld['id'], '0' * 36)}")
            assert who.get(f"{prefix}{path}").status_code == 404
            assert missing.status_code == 404
    assert differences(client, "2000-01-01T00:00:00Z", now()) == [("added", "306001/000002", "公园名录")]
    for path in ("/zh/agency/housing", "/en/inventory", "/zh/inventory?openness=closed"):
        assert SECRET not in client.get(path).text
    edit = stranger.patch(f"/inventory/{withheld['id']}", json={"title": "x"})
    assert (edit.status_code, edit.json()["code"]) == (404, "line_not_found")


def test_d08_the_bodys_people_see_it_and_edit_it_but_it_stays_closed(
    office: Any, withheld: dict[str, Any]
) -> None:
    path = f"/inventory/{withheld['id']}"
    assert office.editor.get("/inventory").json()["total"] == 2
    assert office.editor.patch(path, json={"lead_unit": "市保密局"}).status_code == 200
    answer = office.editor.patch(path, json={"openness": "unconditional"})
    assert answer.json()["errors"][0]["code"] == "withheld_must_be_closed"


def test_d54_only_a_secrecy_reviewer_withholds_and_says_why(office: Any, client: TestClient) -> None:
    made, open_one = line(office, SECRET, **CLOSED), line(office)
    body = {"ground": "涉密单位"}
    for person in (office.editor, office.content, office.admin):
        assert person.put(f"/inventory/{made['id']}/withheld", json=body).status_code == 403
    assert client.put(f"{API}/inventory/{made['id']}/withheld", json=body).status_code == 401
    for bad in ({"ground": "无"}, {"ground": ""}, {}):
        assert office.secrecy.put(f"/inventory/{made['id']}/withheld", json=bad).status_code == 422
    refused = office.secrecy.put(f"/inventory/{open_one['id']}/withheld", json=body)
    assert refused.json()["errors"][0]["code"] == "withheld_must_be_closed"
    entered = {"agency": "housing", "title": SECRET, "withheld_ground": "涉密单位", **CLOSED}
    assert office.editor.post("/inventory", json=entered).status_code == 403
    both = office.person("both", Role.EDITOR, Role.SECRECY_REVIEWER)
    answer = both.post("/inventory", json=entered)
    assert answer.status_code == 201, answer.text
    assert client.get(f"{API}/inventory/{answer.json()['id']}").status_code == 404


def test_d08_a_revealed_line_is_public_again_without_what_was_written_meanwhile(
    office: Any, client: TestClient, withheld: dict[str, Any]
) -> None:
    path = f"/inventory/{withheld['id']}"
    office.editor.patch(path, json={"abstract": "只在内部"})
    office.editor.patch(path, json={"abstract": "可以公开", "title": "新名称"})
    assert office.editor.delete(f"{path}/withheld?reason=x").status_code == 403
    assert office.secrecy.delete(f"{path}/withheld?reason=已解密").status_code == 200
    told = client.get(f"{API}{path}/versions").json()
    assert [v["action"] for v in told] == ["revealed", "created"]
    assert "只在内部" not in str(told)
    assert [c["element"] for c in told[0]["changes"]] == ["title", "abstract"]
    again = office.secrecy.delete(f"{path}/withheld?reason=x")
    assert (again.status_code, again.json()["code"]) == (409, "line_not_withheld")
