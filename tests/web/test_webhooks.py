"""Webhooks at the desk: made, the secret shown once, watched, sent again, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from receiver import Receiver, receiving

from opendata.application import do_due
from opendata.changes.webhooks import delivering
from opendata.work.actor import Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
HERE = "/zh/console/webhooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def overrides(receiver: Receiver) -> dict[str, Any]:
    return {"fetch_allowed": receiver.place}


def turn(office: Any) -> None:
    office.app.queue.drain(retry=True)
    do_due(office.app)
    office.app.queue.drain()


def test_an_administrator_keeps_them_on_pages(
    office: Any,
    browser: Callable[..., Any],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivering, "PAUSES", ())
    office.person("keeper", Role.ADMIN)
    keeper = browser("keeper")
    assert HERE in keeper.see("/zh/console")
    wrong = keeper.send(HERE, HERE, url="http://127.0.0.1/x", agency="housing")
    assert wrong.status_code == 422
    assert 'id="e-url"' in wrong.text
    not_mine = keeper.send(HERE, HERE, url=receiver.url, agency="")
    assert not_mine.status_code == 422
    made = keeper.send(HERE, HERE, url=receiver.url, agency="housing", events=["created", "withdrawn"])
    assert made.status_code == 200
    assert "whsec_" in made.text
    assert "whsec_" not in keeper.see(HERE)
    receiver.answer = lambda _message: 503
    office.publish(office.link(name="parking"), lambda: turn(office))
    turn(office)
    hook = office.admin.get("/webhooks").json()["results"][0]["id"]
    page = keeper.see(f"{HERE}/{hook}?state=dead")
    assert "parking" in page
    assert "503" in page
    (dead,) = office.admin.get(f"/webhooks/{hook}/deliveries?state=dead").json()["results"]
    receiver.answer = lambda _message: 200
    act = f"{HERE}/{hook}/deliveries/{dead['id']}/replay"
    assert keeper.send(f"{HERE}/{hook}", act).status_code == 303
    turn(office)
    assert receiver.got[-1].id == dead["event"]
    assert "已送达" in keeper.see(f"{HERE}/{hook}")
    assert keeper.send(f"{HERE}/{hook}", f"{HERE}/{hook}/removal").status_code == 303
    assert "尚未登记" in keeper.see(HERE)


def test_others_do_not(office: Any, browser: Callable[..., Any]) -> None:
    for who in ("editor", "content"):
        assert browser(who).get(HERE).status_code == 403
        assert HERE not in browser(who).see("/zh/console")
    assert browser().get(HERE).status_code == 303
    assert "/api/v1/webhooks" in browser().see("/en/about")
