"""How a remote is asked: limits, another try, what is known already, and nobody's secret to another host."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opendata.harvest.asking import Hosts, Limits, Remote
from opendata.harvest.pages import KnownPages
from opendata.harvest.record import SourceBroken
from tests.support.remote_site import Answer, Asked, RemoteSite, remote_site

QUICK = Limits(page_bytes=1000, page_seconds=60, pause=0.01)


@pytest.fixture
def site() -> Iterator[RemoteSite]:
    with remote_site() as site:
        yield site


def remote(
    site: RemoteSite, limits: Limits = QUICK, pages: KnownPages | None = None, secret: str = ""
) -> Remote:
    return Remote(site.fetcher, site.url, secret=secret, limits=limits, pages=pages)


def broken(asking: Remote, url: str) -> str:
    with pytest.raises(SourceBroken) as caught:
        asking.get(url)
    return caught.value.code


def test_a_page_with_its_headers(site: RemoteSite) -> None:
    site.pages["/a"] = Answer(b"{}", headers={"Content-Type": "application/json", "Link": "<b>; rel=next"})
    page = remote(site).get(f"{site.url}/a?x=1", accept="application/json")
    assert (page.body, page.media_type, page.headers["link"]) == (b"{}", "application/json", "<b>; rel=next")
    assert site.asked[0].headers["accept"] == "application/json"


def test_another_try_where_it_may_help(site: RemoteSite) -> None:
    tries = iter([Answer(status=503, headers={"Retry-After": "0"}), Answer(status=500), Answer(b"x")])
    site.pages["/a"] = lambda _: next(tries)
    assert remote(site).get(f"{site.url}/a").body == b"x"
    site.pages["/down"] = Answer(status=500)
    site.pages["/forbidden"] = Answer(status=403)
    site.pages["/later"] = Answer(status=503, headers={"Retry-After": "86400"})
    site.pages["/cut"] = Answer(b"abc", length=10)
    for path, code, times in (
        ("/down", "fetch_status", 3),
        ("/forbidden", "fetch_status", 1),
        ("/later", "fetch_status", 1),
        ("/cut", "fetch_broken", 3),
    ):
        site.asked.clear()
        assert broken(remote(site), site.url + path) == code
        assert len(site.asked) == times


def test_what_is_known_is_not_sent_again(site: RemoteSite, tmp_path: Path) -> None:
    def page(asked: Asked) -> Answer:
        same = asked.headers.get("if-none-match") == '"1"'
        return Answer(status=304) if same else Answer(b"long", headers={"ETag": '"1"', "X-Total": "9"})

    site.pages["/a"] = page
    site.pages["/b"] = Answer(b"cannot tell")
    for _ in range(2):
        asking = remote(site, pages=KnownPages(tmp_path / "pages"))
        assert (asking.get(f"{site.url}/a").body, asking.get(f"{site.url}/a").headers["x-total"]) == (
            b"long",
            "9",
        )
        assert asking.get(f"{site.url}/b").body == b"cannot tell"
    assert [asked.headers.get("if-none-match") for asked in site.asked if asked.path == "/a"] == [
        None,
        *['"1"'] * 3,
    ]
    later = KnownPages(tmp_path / "pages")
    later.forget_unused()
    assert list((tmp_path / "pages").iterdir()) == []


def test_304_is_no_answer_to_whoever_did_not_ask(site: RemoteSite) -> None:
    site.pages["/a"] = Answer(status=304)
    assert broken(remote(site), f"{site.url}/a") == "fetch_status"


def test_limits_of_a_page_and_of_a_run(site: RemoteSite) -> None:
    site.pages["/big"] = Answer(b"x" * 1001)
    site.pages["/bomb"] = Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    site.pages["/a"] = Answer(b"x" * 600)
    assert broken(remote(site), f"{site.url}/big") == "fetch_too_large"
    assert broken(remote(site), f"{site.url}/bomb") == "fetch_encoded"
    asking = remote(site, Limits(run_bytes=1000, pause=0))
    asking.get(f"{site.url}/a")
    assert broken(asking, f"{site.url}/a") == "harvest_run_too_large"
    asking = remote(site, Limits(run_requests=1, pause=0))
    asking.get(f"{site.url}/a")
    assert broken(asking, f"{site.url}/a") == "harvest_run_too_many_requests"
    assert broken(remote(site, Limits(run_seconds=0)), f"{site.url}/a") == "harvest_run_too_long"


def test_a_redirect_into_our_own_network_is_not_followed(site: RemoteSite) -> None:
    site.pages["/in"] = Answer(status=302, headers={"Location": "http://127.0.0.1/"})
    assert broken(remote(site), f"{site.url}/in") == "address_private"


def test_the_secret_goes_to_the_source_alone(site: RemoteSite) -> None:
    with remote_site() as other:
        other.pages["/a"] = site.pages["/a"] = Answer(b"x")
        site.pages["/moved"] = Answer(status=302, headers={"Location": f"{other.url}/a"})
        fetcher = type(site.fetcher)([site.place, other.place])
        asking = Remote(fetcher, site.url, secret="s3cret", limits=QUICK)
        for url in (f"{site.url}/a", f"{other.url}/a", f"{site.url}/moved"):
            asking.get(url, headers={"Authorization": "Bearer s3cret", "X-Plain": "1"})
        assert [asked.headers.get("authorization") for asked in site.asked] == ["Bearer s3cret"] * 2
        assert [asked.headers.get("authorization") for asked in other.asked] == [None, None]


def test_one_host_is_left_alone_between_two_requests() -> None:
    hosts = Hosts()
    assert hosts.turn("http://a.example/1", 5.0) == 0.0
    assert hosts.turn("http://b.example/1", 5.0) == 0.0
    assert 4.0 < hosts.turn("http://A.example:8080/2", 5.0) <= 5.0
    assert 9.0 < hosts.turn("http://a.example/3", 5.0) <= 10.0


def test_whoever_cancels_does_not_wait(site: RemoteSite) -> None:
    def go_on() -> None:
        if time.monotonic() > cancelled:
            raise SourceBroken("harvest_cancelled")

    site.pages["/a"] = Answer(status=503, headers={"Retry-After": "50"})
    cancelled = time.monotonic() + 0.3
    asking = Remote(site.fetcher, site.url, limits=QUICK, go_on=go_on)
    assert broken(asking, f"{site.url}/a") == "harvest_cancelled"
    assert len(site.asked) == 1
