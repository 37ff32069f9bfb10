"""A site on this machine that a test makes up, path by path, and that can be made to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from opendata.ports.fetcher.guarded import GuardedFetcher


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""
    """Of a POST."""


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """What is announced, where that is not what is sent."""


Page = Answer | Callable[[Asked], Answer]


def as_json(value: Any, **headers: str) -> Answer:
    return Answer(orjson.dumps(value), headers={"Content-Type": "application/json", **headers})


@dataclass
class RemoteSite:
    place: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    @property
    def fetcher(self) -> GuardedFetcher:
        """One that may come here although the address is private."""
        return GuardedFetcher([self.place])

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        page = self.pages.get(asked.path, Answer(status=404))
        return page if isinstance(page, Answer) else page(asked)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a server on loopback, for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def remote_site() -> Iterator[RemoteSite]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = self.rfile.read(int(headers.get("content-length", 0)))
            answer = site.answer(Asked(parts.path, dict(parse_qsl(parts.query)), headers, sent))
            self.send_response(answer.status)
            length = len(answer.body) if answer.length is None else answer.length
            for name, value in {"Content-Length": str(length), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with serving(Handler) as port:
        site = RemoteSite(f"127.0.0.1:{port}")
        yield site
