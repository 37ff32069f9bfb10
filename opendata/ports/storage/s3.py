"""A file store on any S3: MinIO, Ceph, a cloud. One bucket, `sha256/ab/cd/<hash>` beside `tmp/`.

Each request carries the SHA-256 (http) or MD5 (https) of its body, which the server checks; after a commit the object
is asked for and must have its size and hash on it.
"""

from __future__ import annotations

import errno
import io
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from opendata.core.errors import DomainError, NoSpace, Unavailable
from opendata.core.ids import new_id
from opendata.ports.storage.content import OBJECTS, TEMPORARY, Intake, check_range, hash_in, key_of
from opendata.ports.storage.parted import PartedWriter
from opendata.ports.storage.port import CHUNK, ObjectMissing, StoredObject
from opendata.ports.storage.s3_client import ANSWER_SECONDS, RETRY_WAIT, connected, translated

PRESIGNED_SECONDS = 60

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SHA256_HEADER = "x-amz-meta-sha256"


class S3Storage:
    """One store in one bucket, which is made when first used. Safe for many threads."""

    def __init__(self, client: Minio, bucket: str, *, scratch: Path, presigns: bool = False) -> None:
        """`scratch`: folder for local copies. `presigns`: whether strangers may get addresses of objects here."""
        if not _BUCKET.fullmatch(bucket):
            raise ValueError(f"not a bucket name: {bucket!r}")
        self._client = client
        self._bucket = bucket
        self._scratch = scratch
        self._presigns = presigns
        self._bucket_lock = threading.Lock()
        self._bucket_ready = False

    @classmethod
    def from_url(
        cls,
        url: str,
        bucket_suffix: str,
        *,
        scratch: Path,
        answer_seconds: float = ANSWER_SECONDS,
        retry_wait: float = RETRY_WAIT,
    ) -> S3Storage:
        """The store in bucket PREFIX-`bucket_suffix` of `s3+http(s)://key:secret@host:port/PREFIX[?region=…]`.

        Key and secret are percent-decoded. Nothing is asked of the server yet. Only the bucket `public` gives
        presigned addresses. `ValueError` (without the secret in it) for another form of address.
        """
        client, prefix = connected(url, answer_seconds, retry_wait)
        return cls(client, f"{prefix}-{bucket_suffix}", scratch=scratch, presigns=bucket_suffix == "public")

    def writer(self, *, limit: int | None = None) -> PartedWriter:
        self._need_bucket()
        return PartedWriter(self, limit)

    def put(self, key: str, data: bytes, sha256: str | None = None) -> None:
        """For the store's own writers, as are `compose`, `verified` and `remove` (see `parted.Parts`)."""
        with translated():
            self._client.put_object(
                bucket_name=self._bucket,
                object_name=key,
                data=io.BytesIO(data),
                length=len(data),
                part_size=max(len(data), 5 << 20),
                metadata={"sha256": sha256} if sha256 else None,
            )

    def compose(self, sha256: str, parts: list[str]) -> None:
        """Joins parts under the name of their content, on the server."""
        with translated():
            self._client.compose_object(
                bucket_name=self._bucket,
                object_name=key_of(sha256),
                sources=[ComposeSource(bucket_name=self._bucket, object_name=part) for part in parts],
                metadata={"sha256": sha256},
            )

    def verified(self, sha256: str, size: int) -> StoredObject:
        """The object just stored. One of another size, or without its hash, is removed: `Unavailable`."""
        try:
            found = self._head(sha256)
            named = (found.metadata or {}).get(_SHA256_HEADER)
            if (found.size, named) == (size, sha256):
                return _stored(sha256, found)
        except ObjectMissing as error:
            raise Unavailable("storage_unavailable") from error
        self.delete(sha256)
        raise Unavailable("storage_unavailable")

    def remove(self, keys: list[str]) -> None:
        if not keys:
            return
        with translated():
            failed = list(
                self._client.remove_objects(
                    bucket_name=self._bucket, delete_object_list=[DeleteObject(key) for key in keys]
                )
            )
        if failed:
            raise Unavailable("storage_unavailable")

    def stat(self, sha256: str) -> StoredObject:
        return _stored(sha256, self._head(sha256))

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        check_range(start, end)
        chunks = self._chunks(key_of(sha256), start, end)
        next(chunks)  # sends the request: a missing object shows now
        return chunks

    @contextmanager
    def local_copy(self, sha256: str) -> Iterator[Path]:
        """A download into the scratch folder, checked against its hash (`HashMismatch`)."""
        chunks = self.read(sha256)
        with _local_errors():
            self._scratch.mkdir(parents=True, exist_ok=True)
            folder = TemporaryDirectory(dir=self._scratch, prefix="copy-", ignore_cleanup_errors=True)
        with folder as name:
            path = Path(name) / sha256
            _download(chunks, path, sha256)
            yield path

    def local_path(self, sha256: str) -> Path | None:
        return None

    def presigned_url(self, sha256: str, *, filename: str, media_type: str, seconds: int) -> str | None:
        """None unless this store presigns. The object is not looked for: the address of a missing one answers 404."""
        if not self._presigns:
            return None
        with translated():
            return self._client.presigned_get_object(
                bucket_name=self._bucket,
                object_name=key_of(sha256),
                expires=timedelta(seconds=max(1, min(seconds, PRESIGNED_SECONDS))),
                response_headers={
                    "response-content-disposition": _attachment(filename),
                    "response-content-type": media_type,
                },
            )

    def delete(self, sha256: str) -> None:
        self._need_bucket()
        with suppress(ObjectMissing), translated():
            self._client.remove_object(bucket_name=self._bucket, object_name=key_of(sha256))

    def objects(self) -> Iterator[StoredObject]:
        """Every object in the order of the hashes, listed a thousand at a time."""
        self._need_bucket()
        for found in self._listed(OBJECTS):
            sha256 = hash_in(found.object_name or "")
            if sha256 is not None:
                yield _stored(sha256, found)

    def check(self) -> None:
        """Puts and removes an object of one byte."""
        self._need_bucket()
        key = f"{TEMPORARY}{new_id()}/check"
        try:
            self.put(key, b"\n")
        finally:
            with suppress(DomainError):
                self.remove([key])

    def sweep_temporary(self, older_than: timedelta) -> int:
        """Removes parts and local copies that dead processes left; counts the uploads and copies.

        The age of an upload is that of its youngest part.
        """
        self._need_bucket()
        oldest = datetime.now(UTC) - older_than
        uploads: dict[str, list[Object]] = {}
        for part in self._listed(TEMPORARY):
            uploads.setdefault((part.object_name or "").split("/")[1], []).append(part)
        dead = [parts for parts in uploads.values() if max(map(_stored_at, parts)) < oldest]
        for parts in dead:
            self.remove([part.object_name or "" for part in parts])
        return len(dead) + self._sweep_scratch(older_than)

    def _sweep_scratch(self, older_than: timedelta) -> int:
        oldest = time.time() - older_than.total_seconds()
        swept = 0
        for folder in self._scratch.glob("copy-*"):
            with suppress(FileNotFoundError):
                if folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder, ignore_errors=True)
                    swept += 1
        return swept

    def _listed(self, prefix: str) -> Iterator[Object]:
        self._need_bucket()
        with translated():
            yield from self._client.list_objects(bucket_name=self._bucket, prefix=prefix, recursive=True)

    def _head(self, sha256: str) -> Object:
        self._need_bucket()
        with translated():
            return self._client.stat_object(bucket_name=self._bucket, object_name=key_of(sha256))

    def _chunks(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        if end is not None and end <= start:
            self._head(key.rpartition("/")[2])
            yield b""
            return
        self._need_bucket()
        with translated():
            response = self._get(key, start, end)
            yield b""  # taken by `read`
            if response is None:
                return
            try:
                yield from response.stream(CHUNK)
            finally:
                response.close()
                response.release_conn()

    def _get(self, key: str, start: int, end: int | None) -> urllib3.BaseHTTPResponse | None:
        """The answer with the bytes; None if the range begins behind the object's end."""
        try:
            response = self._client.get_object(
                bucket_name=self._bucket,
                object_name=key,
                offset=start,
                length=0 if end is None else end - start,
            )
        except S3Error as error:
            if error.code == "InvalidRange":
                return None
            raise
        if (
            start or end is not None
        ) and response.status != 206:  # the whole object is not what was asked for
            response.close()
            raise Unavailable("storage_unavailable")
        return response

    def _need_bucket(self) -> None:
        if self._bucket_ready:
            return
        with self._bucket_lock, translated():
            if not self._client.bucket_exists(bucket_name=self._bucket):
                try:
                    self._client.make_bucket(bucket_name=self._bucket)
                except S3Error as error:
                    if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                        raise
            self._bucket_ready = True


@contextmanager
def _local_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise (NoSpace() if full else Unavailable("storage_unavailable")) from error


def _download(chunks: Iterator[bytes], path: Path, sha256: str) -> None:
    intake = Intake(None)
    with _local_errors(), path.open("wb") as file:
        for chunk in chunks:
            intake.take(chunk)
            file.write(chunk)
    intake.name(sha256)


def _stored_at(found: Object) -> datetime:
    if found.last_modified is None:
        raise Unavailable("storage_unavailable")
    # To the second, as HEAD gives it; a list is finer on some servers, and the two would differ.
    return found.last_modified.astimezone(UTC).replace(microsecond=0)


def _stored(sha256: str, found: Object) -> StoredObject:
    return StoredObject(sha256, found.size or 0, _stored_at(found))


def _attachment(filename: str) -> str:
    """RFC 6266: a plain name for old clients, the true one beside it."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
