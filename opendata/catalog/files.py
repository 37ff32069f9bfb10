"""Files: rows about bytes, and the two stores in which the bytes lie."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from opendata.agencies.models import Agency
from opendata.catalog.codes import vocabulary
from opendata.catalog.models import File
from opendata.core.failpoints import reach
from opendata.core.ids import new_id
from opendata.core.names import clean_file_name
from opendata.ports.storage.port import CHUNK, ObjectMissing, Storage, StoredObject
from opendata.work.unit import Work

MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "jsonl": "application/x-ndjson",
    "geojson": "application/geo+json",
    "kml": "application/vnd.google-earth.kml+xml",
    "kmz": "application/vnd.google-earth.kmz",
    "gpkg": "application/geopackage+sqlite3",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "xml": "application/xml",
    "txt": "text/plain",
}
"""By extension: a caller's own claim is never served."""


@dataclass(frozen=True)
class Stores:
    """The inbox (unpublished bytes) and the public store, with keys of their own."""

    inbox: Storage
    public: Storage

    def holder(self, sha256: str) -> Storage:
        """The store that has the object: the inbox if both have. `ObjectMissing` if neither has."""
        for store in (self.inbox, self.public):
            try:
                store.stat(sha256)
            except ObjectMissing:
                continue
            return store
        raise ObjectMissing(sha256)

    @contextmanager
    def local_copy(self, sha256: str) -> Iterator[Path]:
        with self.holder(sha256).local_copy(sha256) as path:
            yield path


def store_file(target: Storage, path: Path) -> StoredObject:
    """A file of this machine becomes an object."""
    writer = target.writer()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                writer.write(chunk)
        return writer.commit()
    finally:
        writer.abort()


def copy_object(source: Storage, target: Storage, sha256: str) -> bool:
    """Copies an object, hash-checked; harmless if the target has it. Whether it had to be copied."""
    writer = target.writer()  # first: it makes a bucket that is new, and without one nothing can be looked up
    try:
        with suppress(ObjectMissing):
            target.stat(sha256)
            return False
        for chunk in source.read(sha256):
            writer.write(chunk)
        writer.commit(expected_sha256=sha256)
    finally:
        writer.abort()
    return True


def media_type(name: str) -> str:
    """The media type by the file name's extension; `application/octet-stream` for an unknown one."""
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    return MEDIA_TYPES.get(extension) or mimetypes.types_map.get(f".{extension}", "application/octet-stream")


def format_of(name: str) -> str:
    """The format as people write it, by the extension: CSV, XLSX, GeoJSON; empty for none."""
    return vocabulary().customary(name.rsplit(".", 1)[-1].upper()[:20]) if "." in name else ""


def register(work: Work, agency: Agency, stored: StoredObject, name: str) -> File:
    """A row for an object that is in the inbox store (object before row)."""
    reach("file.stored")
    name = clean_file_name(name)
    file = File(
        id=new_id(),
        sha256=stored.sha256,
        size=stored.size,
        name=name,
        media_type=media_type(name),
        agency_id=agency.id,
        uploaded_by=work.actor.id,
        uploaded_at=work.now,
    )
    work.session.add(file)
    work.session.flush()
    work.record("file.stored", "file", file.id, sha256=file.sha256, size=file.size, name=name)
    return file
