"""The file behind a link: whether it changes is noticed by what its server tells of it, told to everybody, and counts as the
dataset's update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from remote_site import Answer, Asked, RemoteSite, remote_site
from starlette.testclient import TestClient

from opendata.core.clock import FixedClock
from opendata.supervision import schedule
from opendata.supervision.links import checking
from opendata.supervision.links.noticing import Facts, facts

Settle = Callable[[], None]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteSite]:
    monkeypatch.setattr(checking, "PAUSE_SECONDS", 0.0)
    with remote_site() as site:
        yield site


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(datetime(2026, 11, 2, 2, tzinfo=UTC))
    return app.place.clock


def published(office: Any, settle: Settle, url: str, **fields: Any) -> str:
    """The link's id."""
    dataset = office.draft(title="外部文件", name="elsewhere", **fields)["id"]
    made = office.editor.post(f"/datasets/{dataset}/resources", json={"url": url})
    assert made.status_code == 201, made.text
    office.publish(dataset, settle)
    found: str = made.json()["id"]
    return found


def days(office: Any, clock: FixedClock, site: RemoteSite, count: int = 1) -> None:
    for _day in range(count):
        clock.advance(hours=24)
        checking.check(office.app.place, site.fetcher)
        schedule.inspect(office.app.place)


def told(client: TestClient, resource: str, **headers: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/resources/{resource}/link-checks", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def dated(month: int, day: int, body: bytes = b"a\n1\n", **headers: str) -> Answer:
    """A file of that day of 2026."""
    modified = format_datetime(datetime(2026, month, day, 1, tzinfo=UTC), usegmt=True)
    return Answer(body, headers={"Last-Modified": modified, **headers})


def test_a_change_is_noticed_on_its_day(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    resource = published(office, settle, f"{site.url}/a.csv")
    before = told(client, resource)
    assert (before["reached"], before["changed_on"], before["total"]) == (None, None, 0)
    site.pages["/a.csv"] = dated(10, 20, ETag='"1"')
    days(office, clock, site, 2)
    assert told(client, resource)["changed_on"] == "2026-10-20"
    site.pages["/a.csv"] = dated(11, 5, b"a\n1\n2\n", ETag='"2"')
    days(office, clock, site)
    site.pages["/a.csv"] = Answer(status=500)
    days(office, clock, site)
    found = told(client, resource)
    assert (found["reached"], found["broken"], found["changed_on"], found["size"]) == (
        False,
        False,
        "2026-11-05",
        6,
    )
    looks = [(look["day"], look["outcome"], look["status"], look["changed"]) for look in found["results"]]
    assert looks == [
        ("2026-11-06", "fetch_status", 500, False),
        ("2026-11-05", "reached", None, True),
        ("2026-11-04", "reached", None, False),
        ("2026-11-03", "reached", None, False),
    ]
    assert "500" in found["results"][0]["detail"]
    assert (
        told(client, resource, **{"Accept-Language": "zh"})["results"][1]["detail"]
        == "链接可以访问，其文件已变更。"
    )
    page = client.get(f"/api/v1/resources/{resource}/link-checks?offset=1&limit=1").json()
    assert ([look["day"] for look in page["results"]], page["total"]) == (["2026-11-05"], 4)


def test_what_is_known_is_named_and_an_unchanged_file_does_not_travel(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    def conditional(asked: Asked) -> Answer:
        same = asked.headers.get("if-none-match") == '"v1"'
        return Answer(status=304) if same else dated(10, 1, ETag='"v1"')

    site.pages["/a.csv"] = conditional
    resource = published(office, settle, f"{site.url}/a.csv")
    days(office, clock, site, 3)
    asked = [(one.headers.get("if-none-match"), one.headers.get("if-modified-since")) for one in site.asked]
    assert asked == [(None, None), *[('"v1"', "Thu, 01 Oct 2026 01:00:00 GMT")] * 2]
    found = told(client, resource)
    assert [look["outcome"] for look in found["results"]] == ["reached"] * 3
    assert (found["changed_on"], found["size"]) == ("2026-10-01", 4)


def test_a_large_file_is_known_by_its_headers(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    site.pages["/a.csv"] = dated(10, 1, b"x" * 100_000)
    resource = published(office, settle, f"{site.url}/a.csv")
    days(office, clock, site)
    found = told(client, resource)
    assert (found["reached"], found["size"], found["changed_on"]) == (True, 100_000, "2026-10-01")


def test_a_page_is_no_file(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    site.pages["/a"] = dated(1, 1, **{"Content-Type": "text/html; charset=utf-8"})
    resource = published(office, settle, f"{site.url}/a", update_cycle="daily")
    days(office, clock, site)
    assert told(client, resource)["changed_on"] is None
    assert missed(office) == [], "and its date is not that of the data"


def missed(office: Any) -> list[dict[str, Any]]:
    found = office.admin.get("/rectifications", headers={"Accept-Language": "zh"}).json()["results"]
    return [order for order in found if order["cause"] == "update_missed"]


def test_a_remote_file_that_stands_still_is_late_as_ours_would_be(
    office: Any, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    site.pages["/a.csv"] = dated(10, 30)
    published(office, settle, f"{site.url}/a.csv", update_cycle="weekly")
    days(office, clock, site, 6)
    assert missed(office) == [], "due on 8 November"
    days(office, clock, site)
    [order] = missed(office)
    for day in ("2026-10-30", "2026-11-08"):
        assert day in order["demand"]
    site.pages["/a.csv"] = dated(11, 9)
    days(office, clock, site)
    assert [order["state"] for order in missed(office)] == ["answered"]
    days(office, clock, site, 8)
    assert [order["state"] for order in missed(office)] == ["answered"], "due on 18 November"


def test_without_a_date_the_day_counts_on_which_the_change_was_seen(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    site.pages["/a.csv"] = Answer(b"a\n", headers={"ETag": '"1"'})
    resource = published(office, settle, f"{site.url}/a.csv", update_cycle="weekly")
    days(office, clock, site, 8)
    assert told(client, resource)["changed_on"] == "2026-11-03", "the first look: it is no younger"
    site.pages["/a.csv"] = Answer(b"b\n", headers={"ETag": '"2"'})
    days(office, clock, site, 2)
    assert told(client, resource)["changed_on"] == "2026-11-11"
    assert missed(office) == []


def test_the_page_of_a_link(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    site.pages["/a.csv"] = dated(10, 20)
    resource = published(office, settle, f"{site.url}/a.csv")
    path = f"dataset/elsewhere/resource/{resource}"
    assert "尚未检查" in client.get(f"/zh/{path}/link-checks").text
    assert f"/zh/{path}/link-checks" in client.get(f"/zh/{path}").text
    days(office, clock, site)
    site.pages["/a.csv"] = Answer(status=429, headers={"Retry-After": "3600"})
    days(office, clock, site)
    zh, en = (client.get(f"/{language}/{path}/link-checks").text for language in ("zh", "en"))
    for shown in ("2026年10月20日", "429", "2026年11月4日 11:00", f"{site.url}/a.csv", "可访问"):
        assert shown in zh
    for shown in ("20 Oct 2026", "429", "The link answers.", "reached"):
        assert shown in en
    site.pages["/a.csv"] = Answer(status=404)
    days(office, clock, site, 3)
    assert ">broken<" in client.get(f"/en/{path}/link-checks").text
    assert told(client, resource)["broken"] is True


def test_who_may_see_it(
    office: Any, client: TestClient, settle: Settle, clock: FixedClock, site: RemoteSite
) -> None:
    """As the report of a file: of data that is open on a condition, its people alone."""
    resource = published(
        office, settle, f"{site.url}/a.csv", openness="conditional", open_condition="须申请后使用"
    )
    days(office, clock, site)
    for door in (
        f"/api/v1/resources/{resource}/link-checks",
        f"/zh/dataset/elsewhere/resource/{resource}/link-checks",
    ):
        answer = client.get(door)
        assert answer.status_code == 403, answer.text
        assert "/a.csv" not in answer.text
    assert office.editor.get(f"/resources/{resource}/link-checks").json()["total"] == 1
    file = office.draft(title="本地文件", name="here")["id"]
    own = office.upload(file, b"a\n1\n")["id"]
    office.publish(file, settle)
    answer = client.get(f"/api/v1/resources/{own}/link-checks")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_link")
    assert client.get(f"/zh/dataset/here/resource/{own}/link-checks").status_code == 404


@pytest.mark.parametrize(
    ("before", "now", "differs"),
    [
        (Facts('"1"'), Facts('"2"'), True),
        (Facts('W/"1"'), Facts('"1"'), False),
        (Facts("", "Mon", 5), Facts("", "Mon", 6), True),
        (Facts('"1"', "Mon", 5), Facts('"2"', "Mon", 5), False),
        (Facts('"1"', "Mon", 5), Facts('"1"', "Tue", 5), True),
        (Facts('"1"', "Mon"), Facts('"2"', "Mon"), True),
        (Facts('"1"'), Facts("", "Mon", 5), False),
    ],
)
def test_what_counts_as_another_file(before: Facts, now: Facts, differs: bool) -> None:
    assert now.differs(before) is differs


def test_odd_headers() -> None:
    odd = facts({"etag": "x" * 201, "last-modified": "1" * 61, "content-length": "²"})
    assert not odd
    assert facts({"etag": '"\u00e9"'}) == Facts()
    for wrong in ("yesterday", "", "Mon, 99 Foo 2026 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"):
        assert Facts("", wrong).day(date(2026, 11, 1)) is None
