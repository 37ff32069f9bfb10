"""`POST /validate` with an address in place of a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.validation import trial

API = "/api/v1"
STOPS = "线路编号,方向,站序,站点编号,站点名称\nNT001,左,1,S1,火车站\n".encode()


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/stops") else 404)
        self.send_header("Content-Type", "text/csv")
        self.end_headers()
        self.wfile.write(STOPS)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.fixture
def overrides(server: str) -> dict[str, Any]:
    return {"fetch_allowed": server}


def post(client: TestClient, path: str = f"{API}/validate", **fields: str) -> Any:
    return client.post(path, files={name: (None, value) for name, value in fields.items()})


@pytest.mark.parametrize("settings", ["light"], indirect=True)
class TestByAddress:
    @pytest.mark.parametrize("path", ["/stops.csv", "/stops"])
    def test_a_file_on_the_web_is_tried(self, client: TestClient, server: str, path: str) -> None:
        answer = post(client, url=f"http://{server}{path}", schema_name="bus_stop").json()
        assert [g["rule"] for g in answer["findings"]["groups"]] == ["constraint-error.enum"]

    def test_what_is_wrong_with_an_address_is_said(self, client: TestClient, server: str) -> None:
        for url, code in (
            (f"http://{server}/nothing", "fetch_status"),
            ("http://127.0.0.1/", "address_private"),
            ("ftp://example.org/", "address_wrong"),
        ):
            answer = post(client, url=url)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
            assert answer.json()["errors"][0]["code"] == code

    def test_a_file_or_an_address(self, client: TestClient, server: str) -> None:
        both = client.post(
            f"{API}/validate", files={"file": ("a.csv", b"a\n1\n")}, data={"url": f"http://{server}/stops"}
        )
        assert both.json()["errors"][0]["code"] == "file_or_url"
        neither = post(client, schema_name="bus_stop")
        assert [(e["field"], e["code"]) for e in neither.json()["errors"]] == [("file", "missing")]

    def test_a_large_one_is_cut_off(
        self, client: TestClient, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trial, "MOST_BYTES", 10)
        assert post(client, url=f"http://{server}/stops").json()["errors"][0]["code"] == "fetch_too_large"

    def test_on_the_page(self, client: TestClient, server: str) -> None:
        answer = post(client, "/zh/validate", url=f"http://{server}/stops.csv", schema_name="bus_stop")
        assert "不在允许的取值中" in answer.text
        wrong = post(client, "/zh/validate", url="http://127.0.0.1/x")
        assert wrong.status_code == 422
        assert "内部网络" in wrong.text
        assert 'value="http://127.0.0.1/x"' in wrong.text
