"""Webhooks over HTTP, with a real receiver on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from receiver import Receiver, receiving
from starlette.testclient import TestClient

from opendata.application import Application, do_due
from opendata.changes.webhooks import delivering
from opendata.work.actor import Role

Settle = Callable[[], None]
light = pytest.mark.parametrize("settings", ["light"], indirect=True)
pytestmark = light


@pytest.fixture
def settle(app: Application) -> Settle:
    """One turn of everything: what waits for its next attempt is tried once, and may go on waiting."""

    def turn() -> None:
        app.queue.drain(retry=True)
        do_due(app)
        app.queue.drain()
        app.indexer.drain()

    return turn


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def overrides(receiver: Receiver) -> dict[str, Any]:
    return {"fetch_allowed": receiver.place}


def hook(person: Any, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    answer = person.post("/webhooks", json={"url": receiver.url, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def withdraw(office: Any, dataset: str) -> None:
    answer = office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "有误"})
    assert answer.status_code == 200, answer.text


def deliveries(office: Any, made: dict[str, Any], state: str = "") -> list[dict[str, Any]]:
    query = f"?state={state}" if state else ""
    found: list[dict[str, Any]] = office.admin.get(f"/webhooks/{made['id']}/deliveries{query}").json()[
        "results"
    ]
    return found


def test_changes_come_in_order_signed_and_once(office: Any, receiver: Receiver, settle: Settle) -> None:
    before = office.link(title="先前")
    office.publish(before, settle)
    made = hook(office.admin, receiver)
    dataset = office.link(title="停车场", name="parking")
    release = office.publish(dataset, settle)
    withdraw(office, dataset)
    settle()
    settle()
    assert receiver.kinds() == ["dataset.created", "dataset.withdrawn"]
    assert all(message.is_signed_with(made["secret"]) for message in receiver.got)
    first = receiver.got[0].told["data"]
    assert first == {
        "id": dataset, "name": "parking", "agency": "housing", "revision": 1,
        "content_hash": first["content_hash"], "url": f"http://testserver/api/v1/datasets/{dataset}",
    }  # fmt: skip
    assert first["content_hash"] in (release["content_hash"], None)
    log = office.client.get("/api/v1/changes").json()["results"]
    assert [message.id for message in receiver.got] == [change["event"] for change in log[1:]]
    assert not receiver.got[0].is_signed_with("whsec_" + "A" * 43 + "=")


def test_the_secret_is_shown_once(office: Any, receiver: Receiver) -> None:
    made = hook(office.admin, receiver)
    assert made["secret"].startswith("whsec_")
    for path in ("/webhooks", f"/webhooks/{made['id']}"):
        assert made["secret"] not in office.admin.get(path).text


def test_only_the_kinds_and_the_body_asked_for(office: Any, receiver: Receiver, settle: Settle) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "市水务局"})
    hook(office.admin, receiver, agency="water")
    office.publish(office.link(title="一"), settle)
    settle()
    assert receiver.got == []
    made = hook(office.admin, receiver, events=["withdrawn"])
    dataset = office.link(title="二")
    office.publish(dataset, settle)
    withdraw(office, dataset)
    settle()
    settle()
    assert receiver.kinds() == ["dataset.withdrawn"]
    assert office.admin.get(f"/webhooks/{made['id']}").json()["behind"] == 0


def test_what_fails_is_tried_again_and_the_others_wait_their_turn(
    office: Any, receiver: Receiver, settle: Settle
) -> None:
    made = hook(office.admin, receiver)
    receiver.answer = lambda _message: 500
    dataset = office.link(title="停车场")
    office.publish(dataset, settle)
    withdraw(office, dataset)
    settle()
    assert set(receiver.kinds()) == {"dataset.created"}
    (waiting,) = deliveries(office, made)
    assert (waiting["state"], waiting["failure"], waiting["status"]) == ("waiting", "fetch_status", 500)
    assert waiting["attempts"] == len(receiver.got)
    assert waiting["next_at"] > waiting["last_at"]
    again = office.admin.post(f"/webhooks/{made['id']}/deliveries/{waiting['id']}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "delivery_waiting")
    receiver.answer = lambda _message: 200
    settle()
    settle()
    assert receiver.kinds()[-2:] == ["dataset.created", "dataset.withdrawn"]
    assert len({message.id for message in receiver.got}) == 2
    assert [one["state"] for one in deliveries(office, made)] == ["delivered", "delivered"]


def test_the_dead_are_listed_and_replayed(
    office: Any, receiver: Receiver, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "PAUSES", (1, 1))
    made = hook(office.admin, receiver)
    receiver.answer = lambda message: 302 if message.told["type"] == "dataset.created" else 200
    dataset = office.link(title="停车场")
    office.publish(dataset, settle)
    for _ in range(4):
        settle()
    (dead,) = deliveries(office, made, "dead")
    assert (dead["attempts"], dead["status"], dead["next_at"]) == (3, 302, None)
    withdraw(office, dataset)
    settle()
    settle()
    assert receiver.kinds() == ["dataset.created"] * 3 + ["dataset.withdrawn"]
    assert office.admin.get(f"/webhooks/{made['id']}").json()["dead"] == 1
    receiver.answer = lambda _message: 200
    replayed = office.admin.post(f"/webhooks/{made['id']}/deliveries/{dead['id']}/replay")
    assert (replayed.status_code, replayed.json()["state"]) == (202, "waiting")
    settle()
    assert receiver.got[-1].id == dead["event"]
    assert [one["state"] for one in deliveries(office, made)] == ["delivered", "delivered"]


def test_a_deleted_one_gets_nothing_more(office: Any, receiver: Receiver, settle: Settle) -> None:
    made = hook(office.admin, receiver)
    receiver.answer = lambda _message: 500
    office.publish(office.link(), settle)
    settle()
    tried = len(receiver.got)
    assert tried > 0
    assert office.admin.delete(f"/webhooks/{made['id']}").status_code == 204
    settle()
    settle()
    assert len(receiver.got) == tried
    assert office.admin.get("/webhooks").json() == {"results": []}
    assert office.admin.get(f"/webhooks/{made['id']}").status_code == 404


def test_who_keeps_them(office: Any, receiver: Receiver) -> None:
    keeper = office.person("keeper", Role.ADMIN)
    mine = hook(keeper, receiver, agency="housing")
    refused = keeper.post("/webhooks", json={"url": receiver.url})
    assert (refused.status_code, refused.json()["code"]) == (403, "webhook_role")
    for person in (office.editor, office.content):
        assert person.post("/webhooks", json={"url": receiver.url, "agency": "housing"}).status_code == 403
        assert person.get(f"/webhooks/{mine['id']}").status_code == 404
        assert person.get("/webhooks").json() == {"results": []}
    others = hook(office.admin, receiver)
    assert [one["id"] for one in keeper.get("/webhooks").json()["results"]] == [mine["id"]]
    for path in ("", "/deliveries"):
        assert keeper.get(f"/webhooks/{others['id']}{path}").status_code == 404
    assert keeper.delete(f"/webhooks/{others['id']}").status_code == 404
    assert office.client.get("/api/v1/webhooks").status_code == 401


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1/x", "address_private"), ("http://[::1]/x", "address_private"), ("http://10.0.0.1/", "address_private"),
        ("http://example.org:8080/", "address_wrong"), ("https://a:b@example.org/", "address_wrong"),
        ("ftp://example.org/", "not_web_address"), ("x", "not_web_address"), ("http://[::ffff:169.254.169.254]/", "address_private"),
    ],
)  # fmt: skip
def test_addresses_that_are_never_asked(office: Any, url: str, code: str) -> None:
    answer = office.admin.post("/webhooks", json={"url": url, "events": ["nothing"]})
    assert answer.status_code == 422
    found = {
        error["path"] if "path" in error else error["field"]: error["code"]
        for error in answer.json()["errors"]
    }
    if code == "not_web_address":
        assert found["url"] == code
        return
    answer = office.admin.post("/webhooks", json={"url": url})
    assert [error["code"] for error in answer.json()["errors"]] == [code]


def test_a_name_that_leads_home_is_refused_when_it_is_asked(
    office: Any, client: TestClient, receiver: Receiver, settle: Settle
) -> None:
    """`localhost` is no address that is looked up when the webhook is made, and no public one when it is sent to."""
    made = office.admin.post("/webhooks", json={"url": "http://localhost/hook"}).json()
    office.publish(office.link(), settle)
    settle()
    (one,) = deliveries(office, made)
    assert (one["state"], one["failure"]) == ("waiting", "address_private")
