"""What every file store keeps to, run against each adapter."""

from __future__ import annotations

import hashlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import pytest
from minio import Minio
from minio.deleteobjects import DeleteObject

from opendata.core.errors import TooLarge
from opendata.ports.storage.local import LocalStorage
from opendata.ports.storage.port import CHUNK, HashMismatch, ObjectMissing, Storage, StoredObject
from opendata.ports.storage.s3 import S3Storage

MIB = 1 << 20
SEVERAL_PARTS = 21 * MIB + 5
"""More than an S3 adapter sends at once, and no multiple of anything."""


@dataclass
class Store:
    """A store under test, and the means to look behind its back."""

    storage: LocalStorage | S3Storage
    keys: Callable[[], list[str]]
    """Everything that lies in the store, temporary or not."""
    scratch: Path


@contextmanager
def local_store(tmp_path: Path) -> Iterator[Store]:
    root = tmp_path / "store"

    def keys() -> list[str]:
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())

    yield Store(LocalStorage(root), keys, tmp_path / "scratch")


@contextmanager
def s3_store(tmp_path: Path, suffix: str = "inbox") -> Iterator[Store]:
    """A store in a bucket of its own, which goes with its contents afterwards."""
    address = os.environ.get("OPENDATA_TEST_S3_URL")
    if not address:
        pytest.skip("OPENDATA_TEST_S3_URL names no S3 server")
    parts = urlsplit(address)
    prefix = f"{parts.path.strip('/')}-{uuid4().hex[:12]}"
    client = Minio(
        endpoint=parts.netloc.rpartition("@")[2],
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=parts.scheme == "s3+https",
    )
    bucket = f"{prefix}-{suffix}"

    def keys() -> list[str]:
        if not client.bucket_exists(bucket_name=bucket):
            return []
        return sorted(o.object_name or "" for o in client.list_objects(bucket_name=bucket, recursive=True))

    scratch = tmp_path / "scratch"
    yield Store(
        S3Storage.from_url(parts._replace(path=prefix).geturl(), suffix, scratch=scratch), keys, scratch
    )
    leftovers = [DeleteObject(key) for key in keys()]
    assert list(client.remove_objects(bucket_name=bucket, delete_object_list=leftovers)) == []
    if client.bucket_exists(bucket_name=bucket):
        client.remove_bucket(bucket_name=bucket)


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with {"local": local_store, "s3": s3_store}[request.param](tmp_path) as made:
        yield made


@pytest.fixture
def storage(store: Store) -> Storage:
    return store.storage


def put(storage: Storage, data: bytes, step: int = 64 * 1024) -> StoredObject:
    writer = storage.writer()
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
    return writer.commit()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key(data: bytes) -> str:
    name = sha256(data)
    return f"sha256/{name[:2]}/{name[2:4]}/{name}"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 8 * MIB, 8 * MIB + 1, SEVERAL_PARTS])
@pytest.mark.parametrize("step", [64 * 1024 - 1, 1 << 40], ids=["chunks", "whole"])
def test_what_goes_in_comes_out(store: Store, size: int, step: int) -> None:
    data = os.urandom(size)
    before = datetime.now(UTC)
    stored = put(store.storage, data, step)
    assert (stored.sha256, stored.size) == (sha256(data), size)
    assert stored.stored_at.utcoffset() == timedelta(0)
    assert abs(stored.stored_at - before) < timedelta(minutes=10)
    assert store.storage.stat(stored.sha256) == stored
    chunks = list(store.storage.read(stored.sha256))
    assert b"".join(chunks) == data
    assert all(0 < len(chunk) <= CHUNK for chunk in chunks)
    assert store.keys() == [key(data)]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *[
            (0, None),
            (0, 0),
            (0, 1),
            (5, 5),
            (7, 3),
            (1, None),
            (10, 1 << 40),
            (0, 3 * MIB),
            (2, 2 * MIB + 2),
        ],
        *[(CHUNK - 3, CHUNK + 3), (3 * MIB - 1, None), (3 * MIB, None), (3 * MIB + 9, None)],
        *[(3 * MIB, 3 * MIB + 9), (3 * MIB + 5, 3 * MIB + 9)],
    ],
)
def test_ranges_are_those_of_a_slice(storage: Storage, start: int, end: int | None) -> None:
    data = os.urandom(3 * MIB)
    assert b"".join(storage.read(put(storage, data).sha256, start, end)) == data[start:end]


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 10), (3, None)])
def test_ranges_of_nothing_are_nothing(storage: Storage, start: int, end: int | None) -> None:
    assert list(storage.read(put(storage, b"").sha256, start, end)) == []


@pytest.mark.parametrize(("start", "end"), [(-1, None), (0, -1)])
def test_a_range_below_zero_is_refused(storage: Storage, start: int, end: int | None) -> None:
    stored = put(storage, b"abc")
    with pytest.raises(ValueError, match="range"):
        storage.read(stored.sha256, start, end)


@pytest.mark.parametrize("size", [100, SEVERAL_PARTS])
def test_equal_bytes_share_an_object(store: Store, size: int) -> None:
    data = os.urandom(size)
    first, second = put(store.storage, data), put(store.storage, data)
    assert (second.sha256, second.size) == (first.sha256, first.size)
    assert second.stored_at >= first.stored_at
    assert store.keys() == [key(data)]
    assert b"".join(store.storage.read(first.sha256)) == data


@pytest.mark.parametrize("size", [0, 100, SEVERAL_PARTS])
def test_an_aborted_writer_leaves_nothing(store: Store, size: int) -> None:
    writer = store.storage.writer()
    writer.write(os.urandom(size))
    writer.abort()
    writer.abort()
    assert store.keys() == []
    with pytest.raises(ValueError, match="finished"):
        writer.write(b"more")
    with pytest.raises(ValueError, match="finished"):
        writer.commit()


def test_abort_after_commit_harms_nothing(store: Store) -> None:
    writer = store.storage.writer()
    writer.write(b"kept")
    stored = writer.commit()
    writer.abort()
    assert b"".join(store.storage.read(stored.sha256)) == b"kept"
    with pytest.raises(ValueError, match="finished"):
        writer.commit()


@pytest.mark.parametrize("size", [100, SEVERAL_PARTS])
def test_a_promised_hash_is_held_to(store: Store, size: int) -> None:
    data = os.urandom(size)
    writer = store.storage.writer()
    writer.write(data)
    with pytest.raises(HashMismatch):
        writer.commit(expected_sha256=sha256(b"something else"))
    assert store.keys() == []
    writer = store.storage.writer()
    writer.write(data)
    assert writer.commit(expected_sha256=sha256(data)).size == size


@pytest.mark.parametrize("limit", [0, 1000, SEVERAL_PARTS])
def test_a_limit_lets_its_last_byte_in_and_no_more(store: Store, limit: int) -> None:
    data = os.urandom(limit)
    writer = store.storage.writer(limit=limit)
    writer.write(data)
    assert writer.size == limit
    with pytest.raises(TooLarge) as refused:
        writer.write(b"x")
    assert (refused.value.code, refused.value.params) == ("file_too_large", {"limit": limit})
    assert store.keys() == []
    writer = store.storage.writer(limit=limit)
    writer.write(data)
    assert writer.commit().size == limit


@pytest.mark.parametrize(
    "name", ["0" * 64, "", "../../../etc/passwd", "A" * 64, "0" * 64 + "\n", "0" * 63 + "/"]
)
def test_what_is_not_there_is_missing(storage: Storage, name: str) -> None:
    put(storage, b"something else")
    for ask in (storage.stat, storage.read, lambda n: storage.read(n, 3, 2), lambda n: storage.read(n, 1, 5)):
        with pytest.raises(ObjectMissing):
            ask(name)
    with pytest.raises(ObjectMissing), storage.local_copy(name):
        pass
    storage.delete(name)


def test_a_store_never_written_to_is_empty(storage: Storage) -> None:
    assert list(storage.objects()) == []
    with pytest.raises(ObjectMissing):
        storage.stat("0" * 64)
    storage.delete("0" * 64)


def test_delete_removes_one_object_and_is_harmless_twice(store: Store) -> None:
    gone, kept = put(store.storage, b"gone"), put(store.storage, b"kept")
    store.storage.delete(gone.sha256)
    store.storage.delete(gone.sha256)
    with pytest.raises(ObjectMissing):
        store.storage.read(gone.sha256)
    assert list(store.storage.objects()) == [kept]
    assert put(store.storage, b"gone").sha256 == gone.sha256


def test_the_list_holds_every_object_and_no_unfinished_one(store: Store) -> None:
    stored = [put(store.storage, f"object {n}".encode()) for n in range(30)]
    unfinished = store.storage.writer()
    unfinished.write(os.urandom(SEVERAL_PARTS))
    listed = list(store.storage.objects())
    assert [o.sha256 for o in listed] == sorted(o.sha256 for o in stored)
    assert {(o.sha256, o.size) for o in listed} == {(o.sha256, o.size) for o in stored}
    assert all(abs(o.stored_at - stored[0].stored_at) < timedelta(minutes=10) for o in listed)
    unfinished.abort()


@pytest.mark.parametrize("size", [1000, SEVERAL_PARTS])
def test_many_writers_of_the_same_bytes_agree(store: Store, size: int) -> None:
    data = os.urandom(size)
    together = threading.Barrier(6)

    def one(_: int) -> StoredObject:
        writer = store.storage.writer()
        writer.write(data)
        together.wait(timeout=60)
        return writer.commit()

    with ThreadPoolExecutor(6) as threads:
        stored = list(threads.map(one, range(6)))
    assert {(o.sha256, o.size) for o in stored} == {(sha256(data), size)}
    assert store.keys() == [key(data)]
    assert b"".join(store.storage.read(sha256(data))) == data


def test_writers_side_by_side_do_not_mix(storage: Storage) -> None:
    contents = [os.urandom(9 * MIB + n) for n in range(4)]
    with ThreadPoolExecutor(4) as threads:
        stored = list(threads.map(lambda data: put(storage, data), contents))
    assert [o.sha256 for o in stored] == [sha256(data) for data in contents]
    assert [b"".join(storage.read(o.sha256)) for o in stored] == contents


def test_readers_that_stop_early_use_nothing_up(storage: Storage) -> None:
    stored = put(storage, os.urandom(5 * MIB))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        chunks = storage.read(stored.sha256)
        assert next(chunks)
        del chunks
    for _ in range(100):
        storage.read(stored.sha256)
    assert len(os.listdir("/proc/self/fd")) < before + 50
    assert sum(map(len, storage.read(stored.sha256))) == stored.size


def test_a_local_copy_has_the_bytes_and_does_not_stay(store: Store) -> None:
    data = os.urandom(2 * MIB + 1)
    stored = put(store.storage, data)
    with store.storage.local_copy(stored.sha256) as path:
        assert path.read_bytes() == data
        own = path == store.storage.local_path(stored.sha256)
    assert path.exists() == own
    assert not store.scratch.exists() or list(store.scratch.iterdir()) == []
    assert b"".join(store.storage.read(stored.sha256)) == data


def test_check_of_a_sound_store_passes_and_leaves_nothing(store: Store) -> None:
    store.storage.check()
    assert store.keys() == []


def test_the_sweep_takes_what_is_old_and_temporary(store: Store) -> None:
    kept = put(store.storage, b"kept")
    for _ in range(2):
        writer = store.storage.writer()
        writer.write(os.urandom(SEVERAL_PARTS))
        writer.abort = lambda: None  # type: ignore[method-assign]  # dies without cleaning up
    assert store.storage.sweep_temporary(timedelta(hours=24)) == 0
    assert len(store.keys()) > 2
    assert store.storage.sweep_temporary(timedelta(seconds=-5)) == 2
    assert store.keys() == [key(b"kept")]
    assert b"".join(store.storage.read(kept.sha256)) == b"kept"


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def memory_flat(growth: int) -> Iterator[None]:
    """Fails if resident memory ever grew by more than `growth` bytes meanwhile; looked at every 5 ms."""
    before = highest = resident()
    done = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.005):
            highest = max(highest, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    assert highest - before < growth, f"grew by {(highest - before) / MIB:.0f} MiB"


def test_300_mb_pass_with_flat_memory(storage: Storage) -> None:
    chunk = os.urandom(MIB)
    expected = hashlib.sha256()
    with memory_flat(64 * MIB):
        writer = storage.writer()
        for n in range(300):
            numbered = n.to_bytes(8, "big") + chunk[8:]
            expected.update(numbered)
            writer.write(numbered)
        stored = writer.commit(expected.hexdigest())
        found = hashlib.sha256()
        for piece in storage.read(stored.sha256):
            found.update(piece)
        with storage.local_copy(stored.sha256) as path:
            assert path.stat().st_size == 300 * MIB
    assert found.hexdigest() == expected.hexdigest()


@pytest.mark.services
def test_presigned_addresses_serve_public_objects_for_a_minute(tmp_path: Path) -> None:
    with s3_store(tmp_path, "public") as store:
        stored = put(store.storage, b"a,b\n1,2\n")
        address = store.storage.presigned_url(
            stored.sha256, filename='街道 "1".csv', media_type="text/csv; charset=utf-8", seconds=3600
        )
        assert address is not None
        assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["60"]
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == b"a,b\n1,2\n"
            assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
            assert answer.headers["Content-Disposition"] == (
                "attachment; filename=\"__ _1_.csv\"; filename*=UTF-8''%E8%A1%97%E9%81%93%20%221%22.csv"
            )
        assert store.storage.local_path(stored.sha256) is None
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(address.replace("text%2Fcsv", "text%2Fhtml"))


@pytest.mark.services
def test_the_inbox_gives_no_addresses(tmp_path: Path) -> None:
    with s3_store(tmp_path, "inbox") as store:
        stored = put(store.storage, b"unreviewed")
        assert store.storage.presigned_url(stored.sha256, filename="a", media_type="a/b", seconds=9) is None
