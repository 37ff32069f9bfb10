"""A prefix in a bucket of an S3 server, which others fill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from opendata.ports.storage.drop import Entry
from opendata.ports.storage.port import CHUNK
from opendata.ports.storage.s3_client import connected, translated


class S3Drop:
    def __init__(self, url: str) -> None:
        """`s3+http(s)://key:secret@host:port/BUCKET[/PREFIX]`; `ValueError` for another form."""
        self._client, path = connected(url)
        self._bucket, _, prefix = path.partition("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def entries(self, folder: str) -> Iterator[Entry]:
        start = self._prefix + (f"{folder.strip('/')}/" if folder.strip("/") else "")
        with translated():
            for one in self._client.list_objects(bucket_name=self._bucket, prefix=start, recursive=True):
                name = (one.object_name or "").removeprefix(self._prefix)
                if one.is_dir or not name or one.last_modified is None or ".." in name.split("/"):
                    continue
                yield Entry(name, one.size or 0, one.last_modified, (one.etag or "").strip('"'))

    def read(self, path: str) -> Iterator[bytes]:
        with translated():
            response = self._client.get_object(bucket_name=self._bucket, object_name=self._prefix + path)
            try:
                yield from response.stream(CHUNK)
            finally:
                response.close()
                response.release_conn()

    def local_path(self, path: str) -> Path | None:
        return None
