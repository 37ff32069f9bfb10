"""A store on S3 when something breaks: a server that is down, full, silent, lying; a connection that breaks."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pytest
import urllib3
from minio import Minio
from storage_bench import MIB, assert_whole, key, put

from opendata.core.errors import DomainError, NoSpace, Unavailable
from opendata.ports.storage.parted import PART
from opendata.ports.storage.port import HashMismatch, ObjectMissing
from opendata.ports.storage.s3 import S3Storage


class FaultyS3(BaseHTTPRequestHandler):
    """As much of S3 as one object needs, and the faults a test asks for. Not used where a real server can be."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait for each other's acknowledgement
    objects: dict[str, tuple[bytes, str]]
    faults: SimpleNamespace
    seen: list[str]

    def _answer(self, status: int, body: bytes = b"", kind: str = "application/xml", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def _handle(self) -> None:
        address = urlsplit(self.path)
        name = address.path.lstrip("/").partition("/")[2]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append(f"{self.command} {name.partition('/')[0]}")
        fault = self.faults
        if fault.hang:
            fault.hang.wait(30)
            self.close_connection = True
        elif fault.status and re.match(fault.where, f"{self.command} {name}"):
            self._answer(fault.status, fault.body, fault.kind)
        elif "location" in address.query:
            self._answer(200, b"<LocationConstraint>us-east-1</LocationConstraint>")
        elif address.query == "delete=":
            for gone in re.findall(rb"<Key>(.*?)</Key>", body):
                self.objects.pop(gone.decode(), None)
            self._answer(200, b"<DeleteResult/>")
        elif not name:
            self._answer(200)
        elif self.command == "PUT":
            self.objects[name] = (body[: fault.keep], self.headers.get("x-amz-meta-sha256", ""))
            self._answer(200, ETag='"1"')
        elif self.command == "DELETE":
            self.objects.pop(name, None)
            self._answer(204)
        elif name not in self.objects:
            self._error(404, "NoSuchKey")
        else:
            self._send(*self.objects[name])

    def _send(self, body: bytes, sha256: str) -> None:
        headers = {
            "Content_Length": str(len(body)),
            "Last_Modified": "Mon, 23 Nov 2026 10:00:00 GMT",
            "x_amz_meta_sha256": sha256,
        }
        self._answer(200, body[: self.faults.send], "application/octet-stream", **headers)
        self.close_connection = self.faults.send is not None

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


def no_faults() -> SimpleNamespace:
    return SimpleNamespace(
        hang=None, status=0, where="", body=b"", kind="application/xml", keep=None, send=None
    )


@pytest.fixture
def server() -> Iterator[type[FaultyS3]]:
    handler: Any = type("Handler", (FaultyS3,), {"objects": {}, "faults": no_faults(), "seen": []})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    handler.port = listening.server_port
    yield handler
    if handler.faults.hang:
        handler.faults.hang.set()
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def store_at(port: int, scratch: Path, answer_seconds: float = 10.0) -> S3Storage:
    url = f"s3+http://key:secret@127.0.0.1:{port}/faulty"
    return S3Storage.from_url(url, "inbox", scratch=scratch, answer_seconds=answer_seconds, retry_wait=0)


@pytest.fixture
def faulty(server: Any, tmp_path: Path) -> S3Storage:
    return store_at(server.port, tmp_path)


def test_the_small_server_itself_works(server: Any, faulty: S3Storage) -> None:
    name = put(faulty, b"bytes")
    assert b"".join(faulty.read(name)) == b"bytes"
    assert faulty.stat(name).size == 5
    faulty.delete(name)
    with pytest.raises(ObjectMissing):
        faulty.read(name)


def every_verb(storage: S3Storage) -> Iterator[Any]:
    name = "0" * 64
    yield storage.check
    yield lambda: put(storage, b"bytes")
    yield lambda: storage.stat(name)
    yield lambda: storage.read(name)
    yield lambda: list(storage.objects())
    yield lambda: storage.delete(name)
    yield lambda: storage.local_copy(name).__enter__()
    yield lambda: storage.sweep_temporary(timedelta(hours=1))


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: refuses connections
        for verb in every_verb(store_at(unused.getsockname()[1], tmp_path)):
            with pytest.raises(Unavailable, match="storage_unavailable"):
                verb()


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (500, "application/xml", b"<Error><Code>InternalError</Code></Error>"),
        (503, "application/xml", b"<Error><Code>SlowDown</Code></Error>"),
        (403, "application/xml", b"<Error><Code>AccessDenied</Code></Error>"),
        (502, "text/html", b"<h1>Bad gateway</h1>"),
        (500, "application/xml", b"cut <xml"),
        (500, "application/xml", b"\xff\xfe"),
    ],
)
def test_a_server_that_answers_errors_is_unavailable(
    server: Any, faulty: S3Storage, status: int, kind: str, body: bytes
) -> None:
    server.faults.status, server.faults.kind, server.faults.body = status, kind, body
    for verb in every_verb(faulty):
        with pytest.raises(Unavailable, match="storage_unavailable"):
            verb()
    server.faults.status = 0
    assert put(faulty, b"bytes")


def test_a_server_that_is_silent_is_unavailable(server: Any, tmp_path: Path) -> None:
    storage = store_at(server.port, tmp_path, answer_seconds=0.2)
    name = put(storage, b"bytes")
    server.faults.hang = threading.Event()
    for ask in (lambda: storage.read(name), lambda: put(storage, b"other")):
        with pytest.raises(Unavailable, match="storage_unavailable"):
            ask()


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (507, "application/xml", b"<Error><Code>XMinioStorageFull</Code></Error>"),
        (507, "text/html", b"<h1>Insufficient storage</h1>"),
        (507, "application/xml", b""),
        (400, "application/xml", b"<Error><Code>XMinioAdminBucketQuotaExceeded</Code></Error>"),
    ],
)
@pytest.mark.parametrize("size", [5, 20 * MIB])
def test_a_full_server_is_no_space(
    server: Any, faulty: S3Storage, status: int, kind: str, body: bytes, size: int
) -> None:
    faults = server.faults
    faults.where, faults.status, faults.kind, faults.body = "PUT (tmp|sha256)/", status, kind, body
    with pytest.raises(NoSpace):
        put(faulty, bytes(size))
    with pytest.raises(NoSpace):
        faulty.check()
    assert server.objects == {}


def test_the_parts_before_a_failed_one_are_removed(server: Any, faulty: S3Storage) -> None:
    server.faults.where, server.faults.status, server.faults.body = "PUT tmp/.*/00001", 400, b"<Error/>"
    writer = faulty.writer()
    writer.write(bytes(PART + MIB))
    writer.write(bytes(PART - MIB))
    assert len(server.objects) == 1
    with pytest.raises(Unavailable):
        writer.write(bytes(2 * MIB))
    assert server.objects == {}


def test_a_server_that_keeps_half_is_found_out(server: Any, faulty: S3Storage) -> None:
    server.faults.keep = 3
    with pytest.raises(Unavailable, match="storage_unavailable"):
        put(faulty, b"bytes")
    assert server.objects == {}


def test_a_download_that_breaks_off_is_no_download(server: Any, faulty: S3Storage, tmp_path: Path) -> None:
    name = put(faulty, b"ten bytes.")
    server.faults.send = 4
    with pytest.raises(Unavailable, match="storage_unavailable"):
        list(faulty.read(name))
    with pytest.raises(Unavailable), faulty.local_copy(name):
        pytest.fail("half a file was lent")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_ignores_ranges_is_refused(server: Any, faulty: S3Storage) -> None:
    name = put(faulty, b"bytes")
    for start, end in ((1, None), (0, 2), (2, 3)):
        with pytest.raises(Unavailable, match="storage_unavailable"):
            faulty.read(name, start, end)


def test_other_bytes_are_not_lent(server: Any, faulty: S3Storage, tmp_path: Path) -> None:
    name = put(faulty, b"bytes")
    server.objects[key(name)] = (b"BYTES", name)
    with pytest.raises(HashMismatch), faulty.local_copy(name):
        pytest.fail("a wrong file was lent")
    assert list(tmp_path.iterdir()) == []


def test_one_failing_answer_is_asked_again(server: Any, faulty: S3Storage) -> None:
    name = put(faulty, b"bytes")
    server.seen.clear()
    server.faults.status, server.faults.where = 503, "GET sha256"
    with pytest.raises(Unavailable):
        faulty.read(name)
    assert 2 <= len(server.seen) <= 4


def test_a_full_scratch_disk_is_no_space(server: Any, small_disk: Path) -> None:
    storage = store_at(server.port, small_disk)
    name = put(storage, bytes(3 * MIB))
    with pytest.raises(NoSpace), storage.local_copy(name):
        pytest.fail("half a file was lent")
    assert list(small_disk.iterdir()) == []
    assert sum(map(len, storage.read(name))) == 3 * MIB


@pytest.mark.parametrize(
    "url",
    [
        "http://k:hush@h/p",
        "s3+http://h/p",
        "s3+http://k@h/p",
        "s3+http://k:hush@h",
        "s3+http://k:hush@h/a/b",
        "/folder",
    ],
)
def test_a_wrong_address_is_refused_without_telling_the_secret(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        S3Storage.from_url(url, "inbox", scratch=tmp_path)
    assert "hush" not in str(refused.value)


class FailingPool(urllib3.PoolManager):
    """Breaks the connection at one request: before it is sent, or after the server has done what it says."""

    fail_at = 0
    sent = True
    count = 0

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> Any:  # type: ignore[override]
        self.count += 1
        if self.count != self.fail_at:
            return super().urlopen(method, url, redirect, **options)
        if self.sent:
            super().urlopen(method, url, redirect, **options).close()
        raise urllib3.exceptions.ProtocolError("broken off by the test")


@contextmanager
def real_store(scratch: Path) -> Iterator[tuple[S3Storage, FailingPool]]:
    address = os.environ.get("OPENDATA_TEST_S3_URL")
    if not address:
        pytest.skip("OPENDATA_TEST_S3_URL names no S3 server")
    parts = urlsplit(address)
    pool = FailingPool()
    client = Minio(
        endpoint=parts.netloc.rpartition("@")[2],
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=parts.scheme == "s3+https",
        http_client=pool,
    )
    bucket = f"{parts.path.strip('/')}-{uuid4().hex[:12]}"
    yield S3Storage(client, bucket, scratch=scratch), pool
    pool.fail_at = 0
    for found in client.list_objects(bucket_name=bucket, recursive=True):
        client.remove_object(bucket_name=bucket, object_name=found.object_name or "")
    client.remove_bucket(bucket_name=bucket)


@pytest.mark.services
@pytest.mark.parametrize("sent", [False, True], ids=["request-lost", "answer-lost"])
@pytest.mark.parametrize("size", [1000, 17 * MIB])
def test_whichever_request_fails_nothing_half_stays(tmp_path: Path, sent: bool, size: int) -> None:
    data = os.urandom(size)
    with real_store(tmp_path) as (storage, pool):
        pool.sent = sent
        codes: list[str] = []
        for n in range(1, 60):
            pool.count, pool.fail_at = 0, n
            try:
                name = put(storage, data)
            except DomainError as error:
                codes.append(error.code)
            reached, pool.fail_at = pool.count >= n, 0
            assert set(assert_whole(storage)) <= {hashlib.sha256(data).hexdigest()}
            storage.sweep_temporary(timedelta(seconds=-5))
            if not reached:
                break
            storage.delete(hashlib.sha256(data).hexdigest())
        assert not reached
        assert set(codes) == {"storage_unavailable"}
        assert len(codes) >= (2 if size < PART else 8)
        assert assert_whole(storage) == [name]


@pytest.mark.services
def test_a_store_that_nobody_has_written_to_is_empty_not_down(tmp_path: Path) -> None:
    store = S3Storage.from_url(
        f"{os.environ['OPENDATA_TEST_S3_URL']}-{uuid4().hex[:8]}", "public", scratch=tmp_path
    )
    store.delete("0" * 64)
    assert list(store.objects()) == []
    for ask in (store.stat, store.read):
        with pytest.raises(ObjectMissing):
            ask("0" * 64)
