"""Who may do what: every role against every call of the journey, and what strangers are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.work.actor import Role

API = "/api/v1"
PEOPLE = ("editor", "content", "secrecy", "manager", "stranger", "root", "public")
# For each call the status that each of PEOPLE gets; hidden things are 404 for strangers, whatever they may be.
MATRIX: dict[str, tuple[int, ...]] = {
    "see the draft": (200, 200, 200, 200, 404, 200, 404),
    "edit": (200, 403, 403, 200, 404, 200, 401),
    "add a link": (201, 403, 403, 201, 404, 201, 401),
    "submit": (202, 403, 403, 202, 404, 202, 401),
    "make a dataset": (201, 403, 403, 201, 403, 201, 401),
    "make a line": (201, 403, 403, 201, 403, 201, 401),
    "see the members": (403, 403, 403, 200, 403, 200, 401),
    "edit the body": (403, 403, 403, 200, 403, 200, 401),
    "delete": (204, 403, 403, 204, 404, 204, 401),
}


@pytest.fixture
def crowd(office: Any) -> Any:
    office.person("manager", Role.ADMIN)
    office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
    office.person("stranger", Role.EDITOR, Role.ADMIN, agency="water")
    return office


def call(office: Any, client: TestClient, who: str, what: str, dataset: str) -> int:
    method, path, body = {
        "see the draft": ("GET", f"/datasets/{dataset}", None),
        "edit": ("PATCH", f"/datasets/{dataset}", {"title": who}),
        "add a link": ("POST", f"/datasets/{dataset}/resources", {"url": "https://example.org/a.csv"}),
        "submit": ("POST", f"/datasets/{dataset}/releases", None),
        "make a dataset": ("POST", "/datasets", {"agency": "housing", "title": "x"}),
        "make a line": ("POST", "/inventory", {"agency": "housing", "title": "x"}),
        "see the members": ("GET", "/agencies/housing/members", None),
        "edit the body": ("PATCH", "/agencies/housing", {"office": who}),
        "delete": ("DELETE", f"/datasets/{dataset}", None),
    }[what]
    headers = {} if who == "public" else {"Authorization": office.people[who].token}
    found: int = client.request(method, f"{API}{path}", json=body, headers=headers).status_code
    return found


@pytest.mark.parametrize("what", MATRIX)
def test_the_matrix_of_roles(crowd: Any, client: TestClient, what: str) -> None:
    got = {}
    for who in PEOPLE:
        dataset = crowd.draft()["id"]
        if what == "submit":
            crowd.editor.post(f"/datasets/{dataset}/resources", json={"url": "https://example.org/a"})
        got[who] = call(crowd, client, who, what, dataset)
    assert got == dict(zip(PEOPLE, MATRIX[what], strict=True))


@pytest.fixture
def waiting(crowd: Any, settle: Callable[[], None]) -> dict[str, Any]:
    dataset = crowd.draft()["id"]
    crowd.upload(dataset, b"a,b\n1,2\n")
    release: dict[str, Any] = crowd.submit(dataset)
    settle()
    return release


def decide(person: Any, release: dict[str, Any], kind: str, **changed: Any) -> Any:
    body = {"kind": kind, "outcome": "approve", "content_hash": release["content_hash"]} | changed
    return person.post(f"/releases/{release['id']}/decisions", json=body)


@pytest.mark.parametrize(
    ("who", "kind", "status", "code"),
    [
        ("editor", "content", 403, "reviewer_role_missing"),
        ("manager", "secrecy", 403, "reviewer_role_missing"),
        ("root", "content", 403, "reviewer_role_missing"),
        ("content", "secrecy", 403, "reviewer_role_missing"),
        ("stranger", "content", 404, "release_not_found"),
        ("content", "content", 201, None),
    ],
)
def test_who_decides(
    crowd: Any, waiting: dict[str, Any], who: str, kind: str, status: int, code: str | None
) -> None:
    answer = decide(crowd.people[who], waiting, kind)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


def test_one_person_with_both_roles_decides_once(crowd: Any, waiting: dict[str, Any]) -> None:
    both = crowd.person("both", Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)
    queue = both.get("/reviews").json()
    assert [entry["for_me"] for entry in queue] == [["content", "secrecy"]]
    assert decide(both, waiting, "content").status_code == 201
    assert decide(both, waiting, "content").json()["code"] == "already_decided"
    again = decide(both, waiting, "secrecy")
    assert (again.status_code, again.json()["code"]) == (403, "same_reviewer_twice")
    assert [entry["for_me"] for entry in both.get("/reviews").json()] == [[]]


def test_an_author_with_the_role_does_not_decide(crowd: Any, settle: Callable[[], None]) -> None:
    writer = crowd.person("writer", Role.EDITOR, Role.CONTENT_REVIEWER)
    dataset = crowd.draft()["id"]
    assert writer.patch(f"/datasets/{dataset}", json={"keywords": ["x"]}).status_code == 200
    crowd.upload(dataset, b"a,b\n1,2\n")
    release = crowd.submit(dataset)
    settle()
    answer = decide(writer, release, "content")
    assert (answer.status_code, answer.json()["code"]) == (403, "reviewer_is_author")


def test_a_hash_that_is_not_the_content_s_is_a_409(crowd: Any, waiting: dict[str, Any]) -> None:
    answer = decide(crowd.content, waiting, "content", content_hash="0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_content_hash")


def test_an_edit_after_an_approval_makes_it_void(
    crowd: Any, waiting: dict[str, Any], settle: Callable[[], None]
) -> None:
    assert decide(crowd.content, waiting, "content").status_code == 201
    dataset = crowd.editor.get(f"/releases/{waiting['id']}").json()["dataset"]["id"]
    same = crowd.editor.get(f"/datasets/{dataset}").json()["draft"]["title"]
    assert crowd.editor.patch(f"/datasets/{dataset}", json={"title": same}).status_code == 200
    assert crowd.editor.get(f"/releases/{waiting['id']}").json()["state"] == "in_review", "nothing changed"
    assert crowd.editor.patch(f"/datasets/{dataset}", json={"title": "另一个"}).status_code == 200
    found = crowd.editor.get(f"/releases/{waiting['id']}").json()
    assert found["state"] == "draft"
    assert [d["void"] for d in found["decisions"]] == [True]
    again = crowd.submit(dataset)
    settle()
    assert again["content_hash"] != waiting["content_hash"]
    assert decide(crowd.secrecy, again, "secrecy").status_code == 201
    settle()
    assert crowd.client.get(f"{API}/datasets/{dataset}").status_code == 404


def test_a_rejection_needs_a_reason_and_goes_back_to_the_author(crowd: Any, waiting: dict[str, Any]) -> None:
    bare = decide(crowd.secrecy, waiting, "secrecy", outcome="reject")
    assert bare.json()["errors"][0]["code"] == "rejection_needs_reason"
    assert decide(crowd.secrecy, waiting, "secrecy", outcome="reject", reason="涉密").status_code == 201
    found = crowd.editor.get(f"/releases/{waiting['id']}").json()
    assert found["state"] == "returned"
    assert "涉密" in found["sentence"]


def test_an_idempotency_key_belongs_to_the_token(crowd: Any, client: TestClient) -> None:
    """A token that may see less is not answered with what another one of the same person got."""
    more = crowd.editor.post("/tokens", json={"scopes": ["read", "write"], "days": 3}).json()["token"]
    body, key = {"agency": "housing", "title": "x"}, {"Idempotency-Key": "k1"}
    first = crowd.editor.post("/datasets", json=body, headers=key).json()["id"]
    assert crowd.editor.post("/datasets", json=body, headers=key).json()["id"] == first
    bare = client.post(f"{API}/datasets", json=body, headers={"Authorization": crowd.editor.token, **key})
    assert bare.json()["id"] == first
    other = client.post(f"{API}/datasets", json=body, headers={"Authorization": f"Bearer {more}", **key})
    assert (other.status_code, "idempotent-replayed" in other.headers) == (201, False)
    assert other.json()["id"] != first


def test_reviewers_are_inherited_from_the_body_above(crowd: Any, settle: Callable[[], None]) -> None:
    manager = crowd.people["manager"]
    assert (
        manager.post("/agencies", json={"name": "office", "title": "办公室", "parent": "housing"}).status_code
        == 201
    )
    clerk = crowd.person("clerk", Role.EDITOR, agency="office")
    dataset = clerk.post(
        "/datasets", json={"agency": "office", "title": "x", "contact_email": "a@b.c"}
    ).json()["id"]
    clerk.post(f"/datasets/{dataset}/resources", files={"file": ("a.csv", b"a,b\n1,2\n")})
    release = clerk.post(f"/datasets/{dataset}/releases").json()
    settle()
    assert crowd.editor.patch(f"/datasets/{dataset}", json={"title": "y"}).status_code == 404, (
        "editors are not inherited"
    )
    assert decide(crowd.content, release, "content").status_code == 201
    assert decide(crowd.secrecy, release, "secrecy").status_code == 201
    settle()
    assert crowd.client.get(f"{API}/datasets/{dataset}").status_code == 200


def test_a_token_does_what_its_scopes_say_and_makes_none_that_does_more(
    crowd: Any, client: TestClient
) -> None:
    made = crowd.editor.post("/tokens", json={"scopes": ["read"], "days": 3, "agency": "housing"}).json()
    reader = {"Authorization": f"Bearer {made['token']}"}
    dataset = crowd.draft()["id"]
    assert client.get(f"{API}/datasets/{dataset}", headers=reader).status_code == 200
    edit = client.patch(f"{API}/datasets/{dataset}", json={"title": "x"}, headers=reader)
    assert edit.status_code == 403
    more = client.post(f"{API}/tokens", json={"scopes": ["write"]}, headers=reader)
    assert (more.status_code, more.json()["code"]) == (403, "token_beyond_yours")
    other = client.post(f"{API}/tokens", json={"scopes": ["read"], "agency": "water"}, headers=reader)
    assert other.status_code == 403
    listed = crowd.editor.get("/tokens").json()
    assert made["id"] in {t["id"] for t in listed}
    assert "token" not in listed[0]
    assert crowd.editor.delete(f"/tokens/{made['id']}").status_code == 204
    assert client.get(f"{API}/me", headers=reader).status_code == 401
