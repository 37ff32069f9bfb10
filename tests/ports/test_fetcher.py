"""The guarded client against real servers on this machine, which it may reach only because the tests allow it to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from opendata.ports.fetcher import addresses
from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.ports.fetcher.port import Fetched, FetchFailed, FetchLimits

LIMITS = FetchLimits(size=10_000, seconds=3.0)


class Site(BaseHTTPRequestHandler):
    """`answers`: what each path sends."""

    answers: ClassVar[dict[str, Callable[[Site], None]]] = {}
    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append({"path": self.path, **dict(self.headers.items())})
        self.answers[self.path.partition("?")[0]](self)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append({"path": self.path, "body": body.decode(), **dict(self.headers.items())})
        self.answers[self.path](self)

    do_PUT = do_DELETE = do_POST

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[str]:
    """`host:port` of a server."""
    Site.answers, Site.seen = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fetch(site: str, path: str, limits: FetchLimits = LIMITS, **more: Any) -> tuple[Fetched, bytes]:
    found = bytearray()
    fetched = GuardedFetcher([site], **more).fetch(f"http://{site}{path}", found.extend, limits)
    return fetched, bytes(found)


def failure(act: Callable[[], Any]) -> str:
    with pytest.raises(FetchFailed) as caught:
        act()
    return caught.value.code


class TestFetching:
    def test_bytes_name_and_type(self, site: str) -> None:
        Site.answers["/data/%E7%AB%99.csv"] = lambda s: s.say(
            200, b"a,b\n", Content_Type="text/csv; charset=utf-8"
        )
        fetched, body = fetch(site, "/data/%E7%AB%99.csv?x=1")
        assert (fetched.name, fetched.media_type, fetched.size, body) == ("站.csv", "text/csv", 4, b"a,b\n")
        Site.answers["/get"] = lambda s: s.say(200, b"", Content_Disposition='attachment; filename="b.xlsx"')
        assert fetch(site, "/get")[0].name == "b.xlsx"

    def test_nothing_of_ours_is_sent(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        Site.answers["/a"] = lambda s: s.say(200, b"x", Set_Cookie="a=b")
        fetch(site, "/a", agent="opendata (+http://x)")
        fetch(site, "/a")
        first, second = Site.seen
        assert sorted(first) == ["Accept", "Accept-Encoding", "Connection", "Host", "User-Agent", "path"]
        assert (first["Host"], first["User-Agent"]) == (site, "opendata (+http://x)")
        assert "Cookie" not in second

    def test_chunked(self, site: str) -> None:
        def send(s: Site) -> None:
            s.protocol_version = "HTTP/1.1"
            s.say(200, b"3\r\na,b\r\n2\r\n\n1\r\n0\r\n\r\n", Transfer_Encoding="chunked")

        Site.answers["/a.csv"] = send
        assert fetch(site, "/a.csv")[1] == b"a,b\n1"

    def test_redirects_are_followed_and_each_is_checked(self, site: str) -> None:
        Site.answers["/1"] = lambda s: s.say(302, Location="/2")
        Site.answers["/2"] = lambda s: s.say(307, Location=f"http://{site}/a.csv")
        Site.answers["/a.csv"] = lambda s: s.say(200, b"x")
        assert fetch(site, "/1")[0].url.endswith("/a.csv")
        Site.answers["/loop"] = lambda s: s.say(301, Location="/loop")
        assert failure(lambda: fetch(site, "/loop")) == "fetch_redirects"
        for inside in ("http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data"):
            Site.answers["/in"] = lambda s, inside=inside: s.say(302, Location=inside)
            assert failure(lambda: fetch(site, "/in")) == "address_private"
        for wrong in (
            "file:///etc/passwd",
            "gopher://x/",
            "http://example.org:22/",
            "http://a:b@example.org/",
        ):
            Site.answers["/in"] = lambda s, wrong=wrong: s.say(302, Location=wrong)
            assert failure(lambda: fetch(site, "/in")) == "address_wrong"

    def test_what_is_no_file(self, site: str) -> None:
        Site.answers["/404"] = lambda s: s.say(404, b"secret words")
        Site.answers["/gz"] = lambda s: s.say(200, b"\x1f\x8b", Content_Encoding="gzip")
        Site.answers["/cut"] = lambda s: s.say(200, b"abc", Content_Length="10")
        assert failure(lambda: fetch(site, "/404")) == "fetch_status"
        assert failure(lambda: fetch(site, "/gz")) == "fetch_encoded"
        assert failure(lambda: fetch(site, "/cut")) == "fetch_broken"

    @pytest.mark.parametrize("status", [429, 503])
    def test_when_a_server_wants_to_be_asked_again(self, site: str, status: int) -> None:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=900), usegmt=True)
        past = "Wed, 21 Oct 2015 07:28:00 GMT"
        given = {
            "120": 120,
            later: 900,
            past: 0,
            "soon": None,
            "-5": None,
            "²": None,
            "9" * 20: None,
            "": None,
        }
        for told, seconds in given.items():
            Site.answers["/busy"] = lambda s, told=told: s.say(status, Retry_After=told)
            for ask in (lambda: fetch(site, "/busy"), lambda: post(site, "/busy")):
                with pytest.raises(FetchFailed) as caught:
                    ask()
                found = caught.value.retry_after
                assert found == seconds or abs((found or 0) - (seconds or 0)) < 30, told
                assert caught.value.headers["retry-after"] == told

    def test_nobody_answers(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        assert failure(lambda: fetch(f"127.0.0.1:{port}", "/")) == "fetch_refused"


def post(site: str, path: str, limits: FetchLimits = LIMITS) -> int:
    return GuardedFetcher([site]).deliver(f"http://{site}{path}", b"{}", limits, {"X-Signed": "yes"})


class TestPosting:
    def test_the_body_arrives_and_the_status_is_told(self, site: str) -> None:
        Site.answers["/in"] = lambda s: s.say(202, b"thanks")
        assert post(site, "/in") == 202
        (seen,) = Site.seen
        assert (seen["body"], seen["X-Signed"], seen["Content-Length"]) == ("{}", "yes", "2")

    def test_what_is_no_good_answer_or_leads_elsewhere(self, site: str) -> None:
        Site.answers["/moved"] = lambda s: s.say(307, Location="/in")
        Site.answers["/broken"] = lambda s: s.say(500)
        for path, status in (("/moved", 307), ("/broken", 500)):
            with pytest.raises(FetchFailed) as told:
                post(site, path)
            assert (told.value.code, told.value.params) == ("fetch_status", {"status": status})
        assert [seen["path"] for seen in Site.seen] == ["/moved", "/broken"]

    def test_an_endless_answer_is_not_read_to_its_end(self, site: str) -> None:
        def stall(s: Site) -> None:
            s.say(200, b"x", Content_Length="1000000")
            time.sleep(30)

        Site.answers["/in"] = stall
        assert failure(lambda: post(site, "/in", FetchLimits(size=100, seconds=1.0))) == "fetch_too_slow"

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
    def test_never_to_this_machine(self, host: str) -> None:
        told = failure(lambda: GuardedFetcher().deliver(f"http://{host}/in", b"{}", LIMITS, {}))
        assert told == "address_private"


class TestExchanging:
    """Calls of another platform's API."""

    def test_method_body_and_whatever_is_answered(self, site: str) -> None:
        Site.answers["/thing"] = lambda s: s.say(422, '{"msg": "名称必填"}'.encode(), Retry_After="7")
        found = GuardedFetcher([site]).exchange(
            "PUT", f"http://{site}/thing", b"{}", LIMITS, {"X-Token": "t"}
        )
        assert (found.status, found.body.decode(), found.retry_after) == (422, '{"msg": "名称必填"}', 7)
        (seen,) = Site.seen
        assert (seen["body"], seen["X-Token"]) == ("{}", "t")

    def test_a_redirect_is_an_answer_and_is_not_followed(self, site: str) -> None:
        Site.answers["/moved"] = lambda s: s.say(308, Location="/thing")
        found = GuardedFetcher([site]).exchange("DELETE", f"http://{site}/moved", b"", LIMITS, {})
        assert (found.status, [seen["path"] for seen in Site.seen]) == (308, ["/moved"])

    def test_limits_and_places_hold_here_too(self, site: str) -> None:
        Site.answers["/big"] = lambda s: s.say(200, b"x" * 10_001)
        Site.answers["/cut"] = lambda s: s.say(200, b"abc", Content_Length="10")

        def ask(path: str) -> str:
            url = f"http://{site}{path}"
            return failure(lambda: GuardedFetcher([site]).exchange("POST", url, b"{}", LIMITS, {}))

        assert (ask("/big"), ask("/cut")) == ("fetch_too_large", "fetch_broken")
        inside = failure(lambda: GuardedFetcher().exchange("GET", "http://127.0.0.1/", None, LIMITS, {}))
        assert inside == "address_private"


class TestLimits:
    def test_size_is_counted(self, site: str) -> None:
        Site.answers["/big"] = lambda s: s.say(200, b"x" * 10_001)
        assert failure(lambda: fetch(site, "/big")) == "fetch_too_large"

    def test_what_announces_too_much_is_not_read(self, site: str) -> None:
        def stall(s: Site) -> None:
            s.say(200, b"x", Content_Length="10001", ETag='"v1"')
            time.sleep(30)

        Site.answers["/big"] = stall
        with pytest.raises(FetchFailed) as caught:
            fetch(site, "/big")
        assert caught.value.code == "fetch_too_large", "and not too slow"
        assert caught.value.headers["etag"] == '"v1"'

    @pytest.mark.parametrize("where", ["headers", "body"])
    def test_a_server_that_drips_is_cut_off_in_time(self, site: str, where: str) -> None:
        def drip(s: Site) -> None:
            if where == "body":
                s.send_response(200)
                s.end_headers()
            try:
                for _ in range(100):
                    s.wfile.write(b"X" if where == "body" else b"H")
                    s.wfile.flush()
                    time.sleep(0.1)
            except OSError:
                return

        Site.answers["/slow"] = drip
        began = time.monotonic()
        assert failure(lambda: fetch(site, "/slow", FetchLimits(10_000, seconds=0.6))) == "fetch_too_slow"
        assert time.monotonic() - began < 5


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
            "255.255.255.255", "192.0.0.8", "198.18.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
            "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:53aa:64c::1", "::127.0.0.1", "fec0::1", "no address",
        ],
    )  # fmt: skip
    def test_what_only_we_can_reach(self, address: str) -> None:
        assert not addresses.is_public(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
    def test_what_everybody_can(self, address: str) -> None:
        assert addresses.is_public(address)

    @pytest.mark.parametrize(
        "url",
        [
            "", "x", "ftp://example.org/a", "file:///etc/passwd", "http://", "http:///a", "http://example.org:8080/",
            "http://user@example.org/", "http://example.org/a b", "http://example.org/\r\nX: y", "http://exa\\mple.org/",
            "http://[::1", "http://example.org:99999/", "http://a_%41/", "javascript:alert(1)", "http://" + "a" * 2000,
        ],
    )  # fmt: skip
    def test_what_is_no_address(self, url: str) -> None:
        assert failure(lambda: addresses.target(url)) == "address_wrong"

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://[::ffff:127.0.0.1]/", "http://localhost/"],
    )  # fmt: skip
    def test_this_machine_by_any_other_name(self, url: str) -> None:
        assert failure(lambda: GuardedFetcher().fetch(url, bytearray().extend, LIMITS)) in (
            "address_private",
            "address_unknown",
        )

    def test_one_private_address_among_public_ones_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", answering(["8.8.8.8", "10.0.0.1"]))
        assert failure(lambda: GuardedFetcher().fetch("http://data.test/", bytearray().extend, LIMITS)) == (
            "address_private"
        )

    def test_a_name_is_looked_up_once(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Or its owner could answer the check with one address and the connection with another."""
        asked: list[Any] = []
        monkeypatch.setattr(socket, "getaddrinfo", answering(["127.0.0.1"], asked))
        port = site.rpartition(":")[2]
        Site.answers["/a"] = lambda s: s.say(200, b"x")
        found = bytearray()
        GuardedFetcher([f"data.test:{port}"]).fetch(f"http://data.test:{port}/a", found.extend, LIMITS)
        assert found == b"x"
        assert [host for host in asked if not host[0].isdigit()] == ["data.test"]
        assert Site.seen[0]["Host"] == f"data.test:{port}"

    def test_names_in_chinese(self) -> None:
        assert addresses.target("http://例子.中国/a").host == "xn--fsqu00a.xn--fiqs8s"


_look_up = socket.getaddrinfo


def answering(known: list[str], asked: list[Any] | None = None) -> Callable[..., Any]:
    """A resolver that knows these addresses for every name; addresses themselves stay what they are."""

    def resolve(host: str, port: int, *args: Any, **more: Any) -> Any:
        if asked is not None:
            asked.append(host)
        if host[0].isdigit():
            return _look_up(host, port, *args, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known]

    return resolve
