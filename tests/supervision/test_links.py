"""D17: a link that leads nowhere is found by itself, and its repair answers the order; whoever is busy is left alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from remote_site import Answer, RemoteSite, remote_site
from sqlalchemy import select

from opendata.core.clock import FixedClock
from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.supervision import schedule
from opendata.supervision.links import checking, queries
from opendata.supervision.links.models import LinkCheck
from opendata.work.actor import SYSTEM

Settle = Callable[[], None]
GOOD = Answer(b"a,b\n1,2\n")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSite]:
    monkeypatch.setattr(checking, "PAUSE_SECONDS", 0.0)
    with remote_site() as site:
        yield site


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(datetime(2026, 11, 23, 2, tzinfo=UTC))
    return app.place.clock


def publish_link(office: Any, settle: Settle, url: str, title: str) -> tuple[str, str]:
    dataset = office.draft(title=title)["id"]
    made = office.editor.post(f"/datasets/{dataset}/resources", json={"url": url})
    assert made.status_code == 201, made.text
    office.publish(dataset, settle)
    return dataset, made.json()["id"]


def days(office: Any, clock: FixedClock, site: RemoteSite, count: int = 1) -> None:
    """So many days pass, each with its walk and its check."""
    for _day in range(count):
        clock.advance(hours=24)
        checking.check(office.app.place, site.fetcher)
        schedule.inspect(office.app.place)


def paths(site: RemoteSite) -> list[str]:
    return [asked.path for asked in site.asked]


def orders(office: Any) -> list[dict[str, Any]]:
    found = office.admin.get("/rectifications", headers={"Accept-Language": "zh"}).json()["results"]
    return [order for order in found if order["cause"] == "link_broken"]


def test_d17_a_broken_link_becomes_an_order_and_its_repair_answers_it(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    publish_link(office, settle, f"{site.url}/gone.csv", "失效链接")
    publish_link(office, settle, f"{site.url}/large.csv", "大文件")
    site.pages["/large.csv"] = Answer(b"x" * 200_000)
    days(office, clock, site, 2)
    assert orders(office) == [], "two bad days can be a bad weekend"
    days(office, clock, site)
    [order] = orders(office)
    assert (order["agency"], order["state"], order["automatic"]) == ("housing", "open", True)
    for told in ("失效链接", f"{site.url}/gone.csv", "2026-11-24", "HTTP 404"):
        assert told in order["demand"]
    days(office, clock, site)
    assert len(orders(office)) == 1
    site.pages["/gone.csv"] = GOOD
    days(office, clock, site)
    assert orders(office)[0]["state"] == "answered"
    with office.app.place.reading(SYSTEM) as work:
        looks = work.session.execute(select(LinkCheck.url, LinkCheck.outcome, LinkCheck.status)).all()
    found = {(url.rpartition("/")[2], outcome, status) for url, outcome, status in looks}
    assert len(looks) == 10, "a row for each look"
    assert found == {
        ("gone.csv", "fetch_status", 404),
        ("gone.csv", "reached", None),
        ("large.csv", "reached", None),
    }


def test_d17_another_address_starts_anew(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    dataset, resource = publish_link(office, settle, f"{site.url}/a.csv", "会更换的链接")
    site.pages |= {"/a.csv": Answer(status=500), "/b.csv": GOOD}
    days(office, clock, site, 3)
    assert len(orders(office)) == 1
    office.editor.patch(f"/resources/{resource}", json={"url": f"{site.url}/b.csv"})
    office.publish(dataset, settle)
    days(office, clock, site)
    assert orders(office)[0]["state"] == "answered"


def test_links_are_asked_once_a_day_and_only_those_that_are_public(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    publish_link(office, settle, f"{site.url}/a.csv", "公开的")
    draft = office.draft(title="草稿")["id"]
    office.editor.post(f"/datasets/{draft}/resources", json={"url": f"{site.url}/draft.csv"})
    withdrawn, _ = publish_link(office, settle, f"{site.url}/withdrawn.csv", "撤回的")
    office.editor.post(f"/datasets/{withdrawn}/withdraw", json={"reason": "x"})
    for _again in range(2):
        checking.check(office.app.place, site.fetcher)
    assert paths(site) == ["/a.csv"]


def busy(office: Any, settle: Settle, site: RemoteSite, told: str | None, status: int = 429) -> None:
    """Three links of one host, which wants to be left alone."""
    for number in range(3):
        publish_link(office, settle, f"{site.url}/{number}.csv", f"链接{number}")
        headers = {} if told is None else {"Retry-After": told}
        site.pages[f"/{number}.csv"] = Answer(status=status, headers=headers)


def test_a_server_that_is_busy_is_left_alone(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    busy(office, settle, site, None)
    days(office, clock, site)
    assert len(site.asked) == 1
    days(office, clock, site, 4)
    assert orders(office) == []
    assert sorted(set(paths(site))) == ["/0.csv", "/1.csv", "/2.csv"], "nobody's turn is missed for ever"


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_is_left_alone_for_as_long_as_it_says(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite, status: int
) -> None:
    busy(office, settle, site, str(50 * 3600), status)
    days(office, clock, site)
    assert len(site.asked) == 1
    days(office, clock, site, 2)
    assert len(site.asked) == 1, "49 hours are not over"
    site.pages |= {f"/{number}.csv": GOOD for number in range(3)}
    days(office, clock, site)
    assert len(site.asked) == 4
    assert orders(office) == []


def test_no_server_is_left_alone_for_ever(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    busy(office, settle, site, "99999999")
    days(office, clock, site, 7)
    assert len(site.asked) == 1
    days(office, clock, site, 2)
    assert len(site.asked) == 2


def test_a_server_that_is_busy_for_a_moment_is_asked_again_in_the_same_walk(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    busy(office, settle, site, "0")
    days(office, clock, site)
    assert len(site.asked) == 2, "twice busy is enough for a day"
    first = iter([Answer(status=503, headers={"Retry-After": "0"})])
    site.pages |= dict.fromkeys([f"/{number}.csv" for number in range(3)], lambda _: next(first, GOOD))
    site.asked.clear()
    days(office, clock, site)
    assert len(site.asked) == 3


def test_a_server_that_is_busy_for_weeks_gives_its_file_to_nobody(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    """One answer in between begins the count anew."""
    _, resource = publish_link(office, settle, f"{site.url}/a.csv", "忙碌的链接")

    def checks() -> dict[str, Any]:
        found = office.admin.get(f"/resources/{resource}/link-checks", params={"limit": 1})
        return dict(found.json())

    site.pages["/a.csv"] = Answer(status=503)
    days(office, clock, site, 13)
    site.pages["/a.csv"] = GOOD
    days(office, clock, site)
    site.pages["/a.csv"] = Answer(status=503)
    days(office, clock, site, 14)
    assert checks()["reached"] is True
    days(office, clock, site)
    last = checks()
    assert (last["reached"], last["broken"]) == (False, False)
    assert last["results"][0]["outcome"] == "fetch_status"
    assert "503" in last["results"][0]["detail"]
    days(office, clock, site, 2)
    assert checks()["broken"] is True
    [order] = orders(office)
    assert "忙碌的链接" in order["demand"]


def test_private_addresses_are_never_asked(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    publish_link(office, settle, f"{site.url}/inside.csv", "内网地址")
    for _day in range(3):
        clock.advance(hours=24)
        checking.check(office.app.place, GuardedFetcher())
    schedule.inspect(office.app.place)
    assert site.asked == []
    assert "address_" in orders(office)[0]["demand"]


def test_hosts_take_turns() -> None:
    def link(host: str, number: int) -> queries.Link:
        return queries.Link(f"{host}{number}", "d", "d", "d", "a", f"https://{host}/{number}")

    waiting = [link("a.example", n) for n in range(3)] + [link("b.example", 0), link("busy.example", 0)]
    turns = checking.Turns(waiting, {"busy.example": 3600.0})
    found = []
    while (one := turns.next(ends=time.monotonic() + 60)) is not None:
        found.append(one.resource_id)
        turns.asked(one, 0.0)
    assert found == ["a.example0", "b.example0", "a.example1", "a.example2"]


@pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
def test_our_own_dump_of_written_rows_is_no_link(office: Any, settle: Settle, clock: FixedClock) -> None:
    headers = {"Authorization": office.editor.token}
    dataset = office.draft(title="由客户端写入的表")["id"]
    body = {
        "resource": {"package_id": dataset},
        "fields": [{"id": "a", "type": "text"}],
        "records": [{"a": "x"}],
    }
    made = office.client.post("/api/3/action/datastore_create", json=body, headers=headers)
    assert made.status_code == 200, made.text
    settle()
    office.submit(dataset)
    settle()
    with office.app.place.reading(SYSTEM) as work:
        shown = office.client.get(f"/api/v1/datasets/{dataset}").json()["resources"]
        assert [r["id"] for r in shown] == [made.json()["result"]["resource_id"]]
        assert queries.links(work) == []
