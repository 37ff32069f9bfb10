"""The real server as a process of its own that may die at any moment, and clients that repeat what nobody acknowledged."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from nursery import Nursery, environment, nursery

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.agencies import service as agencies
from opendata.application import record_policy
from opendata.core.failpoints import POINTS
from opendata.settings import Settings
from opendata.wiring import build, migrate
from opendata.work.actor import SYSTEM, Role

PATIENCE = 600
"""Seconds after which something that never comes fails the test instead of hanging it. No speed is asserted."""
HTTP = httpx.Client(
    trust_env=False,
    verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    limits=httpx.Limits(max_keepalive_connections=0),
)
"""A connection for each call, since the other end dies. A client for each would read the machine's certificates each time,
which takes longer than most answers."""
PEOPLE = {
    "editor": Role.EDITOR,
    "content": Role.CONTENT_REVIEWER,
    "secrecy": Role.SECRECY_REVIEWER,
    "second": Role.SECRECY_REVIEWER,
    "keeper": Role.ADMIN,
}


def points_of(*jobs: str) -> list[str]:
    """The failpoints of these jobs, in the order in which a server comes to them."""
    return [point for job in jobs for point in POINTS if point.partition(".")[0] == job]


def make_place(folder: Path) -> dict[str, str]:
    """A migrated data folder with a body and its three people; their tokens by name."""
    settings = Settings(data_dir=folder)
    migrate(settings)
    app = build(settings)
    try:
        record_policy(app)
        found = {}
        with app.place.writing(SYSTEM) as work:
            agency = agencies.create(
                work,
                name="housing",
                title="市住房和城乡建设局",
                region_code="320600",
                contact_email="housing@example.org",
            )
            for name, role in PEOPLE.items():
                user = accounts.create_user(work, name, email=f"{name}@example.org")
                agencies.grant(work, agency, user, role)
                found[name] = tokens.create(work, user, name="test")[1]
        return found
    finally:
        app.close()


def copy_place(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


@cache
def _ports() -> Iterator[int]:
    """Below those that the system gives to connections: a server that is started again finds its own still free. Each process
    that runs tests takes them from a thousand of its own."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return count(20_000 + 1000 * process)


def free_port() -> int:
    for port in _ports():
        with socket.socket() as tried, suppress(OSError):
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable")


def wait_for(done: Callable[[], Any], what: str, pause: float = 0.05) -> Any:
    """The first true value of `done`."""
    deadline = time.monotonic() + PATIENCE
    while not (found := done()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(pause)
    return found


@dataclass
class Server:
    """`python -m opendata.start serve` over a data folder."""

    folder: Path
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    nursery: Nursery = field(default_factory=lambda: nursery())
    pid: int = 0
    code: int | None = 0
    """How it ended; None while it lives."""
    _asking: Any = field(default_factory=threading.Lock)

    def environment(self) -> dict[str, str]:
        return environment(self.folder, {"OPENDATA_SITE_URL": self.url, **self.settings})

    def start(self, failpoint: str = "") -> None:
        given = {**self.environment(), "OPENDATA_FAILPOINT": failpoint}
        command = ["serve", "--port", str(self.port)]
        log = str(self.log)
        answer = self.nursery.ask(spawn=command, environment=given, out=log, log=log)
        self.pid, self.code = answer["pid"], None

    def lives(self) -> bool:
        with self._asking:
            if self.code is None:
                self.code = self.nursery.ask(poll=self.pid)["code"]
        return self.code is None

    def answers(self) -> bool:
        try:
            return HTTP.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def until_up(self) -> None:
        """Blocks until it answers, or has died."""
        wait_for(lambda: not self.lives() or self.answers(), "the server's first answer")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it in good order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.lives():
            os.kill(self.pid, how)
            wait_for(lambda: not self.lives(), f"the server's end after {how.name}")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """An operator's command over the same folder."""
        return self.nursery.run(*arguments, environment=self.environment())


@dataclass
class Deaths:
    """A server that dies at these failpoints, one after the other, and is started again each time."""

    server: Server
    points: list[str]
    died_at: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        self.server.start(self._next())

    def revive(self) -> None:
        """Starts the server again if it has died, as it should have: at the point that was asked for."""
        with self._lock:
            if self.server.lives():
                return
            name = self._next()
            # Another thread may have had the time for a line of its own behind it.
            lines = self.server.log.read_text("utf-8", "replace").splitlines()
            reached = [line for line in lines if line.startswith("failpoint ")]
            assert (self.server.code, reached[-1:]) == (-9, [f"failpoint {name}"]), lines[-3:]
            self.died_at.append(name)
            self.server.start(self._next())

    def over(self) -> bool:
        return len(self.died_at) == len(self.points)

    def _next(self) -> str:
        rest = self.points[len(self.died_at) :]
        return rest[0] if rest else ""


@dataclass
class Person:
    """Calls the API until somebody answers. What was not acknowledged is sent again, under the same key."""

    url: str
    token: str
    revive: Callable[[], None] = lambda: None

    def call(self, method: str, path: str, key: str = "", **arguments: Any) -> httpx.Response:
        headers: dict[str, str] = arguments.pop("headers", {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key

        def answer() -> httpx.Response | None:
            self.revive()
            try:
                found = HTTP.request(
                    method, f"{self.url}/api/v1{path}", headers=headers, timeout=60, **arguments
                )
            except httpx.LocalProtocolError:
                raise
            except httpx.TransportError:
                return None
            running = found.status_code == 409 and found.json()["code"] == "request_running"
            return None if running or found.status_code == 503 else found

        found: httpx.Response = wait_for(answer, f"an answer to {method} {path}")
        return found

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.call("GET", path, **arguments)

    def post(self, path: str, key: str = "", **arguments: Any) -> httpx.Response:
        return self.call("POST", path, key, **arguments)

    def until(self, path: str, good: Callable[[Any], Any]) -> Any:
        """The JSON of the address, once it is good."""

        def look() -> Any:
            answer = self.get(path)
            return answer.status_code == 200 and good(answer.json()) and answer.json()

        return wait_for(look, f"the good state of {path}", pause=0.1)


def ask(folder: Path, sql: str, *values: str) -> list[tuple[Any, ...]]:
    """Rows of the data folder's database, read beside whoever uses it."""
    connection = sqlite3.connect(f"file:{folder / 'opendata.db'}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()
