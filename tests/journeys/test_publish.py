"""The main road over HTTP: from a clerk's file to the public's rows, and out again. On both shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

API = "/api/v1"
ROWS = 2500
FIRST = "代码,名称,面积\n" + "".join(f"{n:06d},街道{n},{n / 2}\n" for n in range(1, ROWS + 1))
SECOND = "代码,名称,面积\n" + "".join(f"{n:06d},新街道{n},{n / 2}\n" for n in range(1, 11))
TITLE = "南通市街道代码表"


def doors(client: TestClient, dataset: dict[str, Any], resource: str) -> dict[str, bool]:
    """Every public door, and whether the dataset can be seen through it."""

    def text(path: str, **params: Any) -> str:
        answer = client.get(path, params=params)
        assert answer.status_code < 500, (path, answer.text)
        return answer.text if answer.status_code == 200 else ""

    def found(*paths: str, **params: Any) -> bool:
        marks = (dataset["id"], dataset["name"], resource, TITLE, "街道1,", '"街道1"')
        return any(mark in text(path, **params) for path in paths for mark in marks)

    seen = {
        "list": found(f"{API}/datasets"),
        "list of the body": found(f"{API}/datasets", agency="housing"),
        "by id": found(f"{API}/datasets/{dataset['id']}"),
        "by name": found(f"{API}/datasets/{dataset['name']}"),
        "releases": client.get(f"{API}/datasets/{dataset['id']}/releases").status_code == 200,
        "resource": found(f"{API}/resources/{resource}"),
        "download": client.get(f"{API}/resources/{resource}/download").status_code == 200,
        "download head": client.head(f"{API}/resources/{resource}/download").status_code == 200,
        "download conditional": client.get(
            f"{API}/resources/{resource}/download", headers={"If-None-Match": "*"}
        ).status_code
        == 304,
        "download of the release": client.get(f"{API}/resources/{resource}/releases/1/download").status_code
        == 200,
        "rows": found(f"{API}/resources/{resource}/rows"),
        "report": client.get(f"{API}/resources/{resource}/report").status_code == 200,
        "search": found(f"{API}/search"),
        "search by words": found(f"{API}/search", q="街道"),
        "search count": client.get(f"{API}/search").json()["total"] > 0,
        "facets": '"count"' in text(f"{API}/search"),
    }
    return seen | other_faces(client, dataset, resource, found)


def other_faces(
    client: TestClient, dataset: dict[str, Any], resource: str, found: Callable[..., bool]
) -> dict[str, bool]:
    """Doors of the faces that this installation has (CKAN's API, feeds): a face answers its plainest call."""
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "ckan show": ("/api/3/action/package_show", {"id": dataset["id"]}),
        "ckan list": ("/api/3/action/package_list", {}),
        "ckan search": ("/api/3/action/package_search", {"q": "街道"}),
        "ckan resource": ("/api/3/action/resource_show", {"id": resource}),
        "ckan rows": ("/api/3/action/datastore_search", {"resource_id": resource}),
        "catalogue": ("/catalog.jsonld", {}),
        "data.json": ("/data.json", {}),
        "feed of it": ("/dataset/" + dataset["id"] + ".jsonld", {}),
        "sitemap": ("/sitemap-1.xml", {}),
    }
    present = {"/api/3/": "/api/3/action/status_show", "/": "/catalog.jsonld"}
    here = {start for start, probe in present.items() if client.get(probe).status_code == 200}
    return {
        name: found(path, **params)
        for name, (path, params) in wanted.items()
        if ("/api/3/" if path.startswith("/api/3/") else "/") in here
    }


@pytest.fixture
def road(office: Any) -> tuple[Any, dict[str, Any], str]:
    """An inventory line, a dataset that opens it, and its file in the draft."""
    line = office.editor.post("/inventory", json={"agency": "housing", "title": TITLE}).json()
    dataset = office.draft(title=TITLE, keywords=["行政区划"], inventory=[line["resource_code"]])
    resource = office.upload(dataset["id"], FIRST.encode(), "街道.csv")
    return office, dataset, resource["id"]


def test_nothing_is_visible_before_the_second_approval_and_all_is_after(
    road: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    office, dataset, resource = road
    assert not any(doors(client, dataset, resource).values()), "the draft"
    release = office.submit(dataset["id"])
    assert not any(doors(client, dataset, resource).values()), "submitted"
    settle()
    state = office.editor.get(f"/releases/{release['id']}").json()
    assert state["state"] == "in_review", state
    assert [v["valid"] for v in state["validation"]] == [True]
    assert not any(doors(client, dataset, resource).values()), "in review"
    assert office.decide(release, "content").status_code == 201
    settle()
    assert not any(doors(client, dataset, resource).values()), "one approval"
    assert office.decide(release, "secrecy").status_code == 201
    settle()
    shut = [name for name, is_open in doors(client, dataset, resource).items() if not is_open]
    assert not shut, shut


def test_the_bytes_and_all_rows_come_back(road: Any, client: TestClient, settle: Callable[[], None]) -> None:
    office, dataset, resource = road
    office.publish(dataset["id"], settle)
    answer = client.get(f"{API}/resources/{resource}/download")
    assert answer.content == FIRST.encode()
    assert answer.headers["etag"].strip('"') == hashlib.sha256(FIRST.encode()).hexdigest()
    assert "filename*=UTF-8''%E8%A1%97%E9%81%93.csv" in answer.headers["content-disposition"]
    rows: list[dict[str, Any]] = []
    address: str | None = f"{API}/resources/{resource}/rows?limit=999"
    while address:
        page = client.get(address).json()
        assert page["total_count"] == ROWS
        rows += page["results"]
        address = page["links"]["next"]
    assert [row["代码"] for row in rows] == [f"{n:06d}" for n in range(1, ROWS + 1)]
    one = client.get(f"{API}/resources/{resource}/rows", params={"代码": "000320"}).json()
    assert [row["名称"] for row in one["results"]] == ["街道320"]
    schema = client.get(f"{API}/resources/{resource}/report").json()["schema"]
    assert {f["name"]: f["type"] for f in schema["fields"]}["代码"] == "string"


def test_an_edit_is_reviewed_while_the_old_release_stays(
    road: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    office, dataset, resource = road
    office.publish(dataset["id"], settle)
    before = client.get(f"{API}/datasets/{dataset['id']}").json()
    changed = office.editor.patch(f"/datasets/{dataset['id']}", json={"title": "改名的代码表"})
    assert changed.status_code == 200, changed.text
    answer = office.editor.put(
        f"/resources/{resource}/file?name=new.csv",
        content=SECOND.encode(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 200, answer.text
    release = office.submit(dataset["id"])
    settle()
    office.decide(release, "content")
    settle()
    assert client.get(f"{API}/datasets/{dataset['id']}").json() == before
    assert client.get(f"{API}/resources/{resource}/download").content == FIRST.encode()
    assert client.get(f"{API}/search", params={"q": "改名"}).json()["total"] == 0
    assert office.editor.get(f"/datasets/{dataset['id']}").json()["draft"]["title"] == "改名的代码表"
    draft = office.editor.get(f"/resources/{resource}/download", params={"draft": "true"})
    assert draft.content == SECOND.encode()
    office.decide(release, "secrecy")
    settle()
    after = client.get(f"{API}/datasets/{dataset['name']}").json()
    assert (after["id"], [r["id"] for r in after["resources"]]) == (before["id"], [resource])
    assert after["release"]["number"] == 2
    assert client.get(f"{API}/resources/{resource}/download").content == SECOND.encode()
    assert client.get(f"{API}/resources/{resource}/releases/1/download").content == FIRST.encode()
    assert client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 10
    assert [
        r["number"] for r in client.get(f"{API}/datasets/{dataset['id']}/releases").json()["results"]
    ] == [2, 1]
    assert client.get(f"{API}/search", params={"q": "改名"}).json()["total"] == 1


def test_a_withdrawal_shuts_every_door_and_says_why(
    road: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    office, dataset, resource = road
    office.publish(dataset["id"], settle)
    assert all(doors(client, dataset, resource).values())
    answer = office.editor.post(f"/datasets/{dataset['id']}/withdraw", json={"reason": "数据有误"})
    assert answer.status_code == 200, answer.text
    assert client.get(f"{API}/resources/{resource}/download").status_code == 410
    gone = client.get(f"{API}/datasets/{dataset['id']}")
    assert gone.status_code == 410
    assert "数据有误" in gone.text
    settle()
    still = [name for name, is_open in doors(client, dataset, resource).items() if is_open]
    assert not still, still
    sha256 = hashlib.sha256(FIRST.encode()).hexdigest()
    assert sha256 not in {o.sha256 for o in office.app.stores.public.objects()}
    assert sha256 in {o.sha256 for o in office.app.stores.inbox.objects()}
    assert office.editor.get(f"/datasets/{dataset['id']}").json()["state"] == "withdrawn"


def test_a_new_release_after_a_withdrawal_does_not_bring_the_old_ones_back(
    road: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    office, dataset, resource = road
    office.publish(dataset["id"], settle)
    office.editor.post(f"/datasets/{dataset['id']}/withdraw", json={"reason": "数据有误"})
    settle()
    office.editor.put(
        f"/resources/{resource}/file?name=new.csv",
        content=SECOND.encode(),
        headers={"Content-Type": "application/octet-stream"},
    )
    office.publish(dataset["id"], settle)
    assert client.get(f"{API}/resources/{resource}/download").content == SECOND.encode()
    assert client.get(f"{API}/resources/{resource}/releases/1/download").status_code == 404
    listed = client.get(f"{API}/datasets/{dataset['id']}/releases").json()["results"]
    assert [r["number"] for r in listed] == [2]
