"""One keep-alive connection to a server on this machine, and what the measures ask of it."""

from __future__ import annotations

import http.client
import json
import urllib.parse
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BLOCK = 1 << 20


class Failed(Exception):
    """A server answered something else than the measure needs."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"HTTP {self.status}, no JSON: {self.body[:300]!r}") from None


class Client:
    """One connection, opened again when the server has closed it. For one thread."""

    def __init__(self, base: str, token: str = "") -> None:
        parts = urllib.parse.urlsplit(base)
        if parts.hostname not in LOOPBACK:
            raise Failed(f"{base}: only servers on this machine are measured")
        self._host, self._port, self._path = parts.hostname, parts.port or 80, parts.path.rstrip("/")
        self._headers = {"User-Agent": "opendata-bench", **({"Authorization": token} if token else {})}
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, answered whole. Sent again once if a kept connection turns out to be closed (not for a stream)."""
        again = body is None or isinstance(body, bytes)
        for last in (False, True):
            try:
                response = self._send(method, path, body, headers)
                answer = Answer(response.status, _lower(response), response.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if last or not again:
                    raise
                continue
            if response.will_close:
                self.close()
            return answer
        raise AssertionError("not reached")

    def download(self, path: str) -> tuple[int, Mapping[str, str]]:
        """Reads an answer block by block and keeps nothing: (bytes, headers)."""
        response = self._send("GET", path, None, None)
        size = 0
        while block := response.read(BLOCK):
            size += len(block)
        if response.status != 200:
            raise Failed(f"GET {path}: HTTP {response.status}")
        return size, _lower(response)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def action(self, name: str, data: Mapping[str, Any]) -> Any:
        """An action of CKAN's API by POST; its result."""
        body = json.dumps(data).encode()
        answer = self.request("POST", f"/api/3/action/{name}", body, {"Content-Type": "application/json"})
        found = answer.json()
        if not isinstance(found, dict) or not found.get("success"):
            raise Failed(f"{name}: HTTP {answer.status}: {answer.body[:300]!r}")
        return found["result"]

    def ask(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        """An action by GET; the bytes of its answer."""
        answer = self.request("GET", f"/api/3/action/{name}?{urllib.parse.urlencode(arguments)}")
        if answer.status != 200:
            raise Failed(f"{name} {arguments}: HTTP {answer.status}: {answer.body[:300]!r}")
        return answer.body

    def rest(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> Any:
        """A call under /api/v1; its JSON."""
        body = None if data is None else json.dumps(data).encode()
        answer = self.request(method, f"/api/v1{path}", body, {"Content-Type": "application/json"})
        if answer.status >= 400:
            raise Failed(f"{method} {path}: HTTP {answer.status}: {answer.body[:500]!r}")
        return answer.json()

    def upload(
        self,
        path: str,
        name: str,
        blocks: Iterable[bytes],
        size: int,
        *,
        field: str = "file",
        fields: Mapping[str, str] | None = None,
    ) -> Any:
        """A multipart POST with a file in `field` behind other `fields`, made while it is sent; the JSON of the answer."""
        mark = uuid.uuid4().hex
        part = f"--{mark}\r\nContent-Disposition: form-data; name="
        others = "".join(f'{part}"{key}"\r\n\r\n{value}\r\n' for key, value in (fields or {}).items())
        kind = "Content-Type: application/octet-stream"
        head = f'{others}{part}"{field}"; filename="{name}"\r\n{kind}\r\n\r\n'.encode()
        tail = f"\r\n--{mark}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        answer = self.request("POST", path, _joined(head, blocks, tail), headers)
        if answer.status >= 400:
            raise Failed(f"POST {path}: HTTP {answer.status}: {answer.body[:500]!r}")
        return answer.json()

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str] | None,
    ) -> http.client.HTTPResponse:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=1800)
        self._connection.request(method, self._path + path, body, {**self._headers, **(headers or {})})
        return self._connection.getresponse()


def file_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _joined(head: bytes, blocks: Iterable[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    yield from blocks
    yield tail


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}
