"""Files of a record, into the inbox store: by the guarded client, and only those that are new."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opendata.catalog.files import Stores
from opendata.core.canonical import sha256_json
from opendata.core.errors import FieldError, Invalid, TooLarge
from opendata.harvest.asking import Hosts, Limits
from opendata.harvest.record import Sink, SourceBroken
from opendata.harvest.running.fitting import CleanResource, Told, told
from opendata.harvest.running.merging import Row
from opendata.ports.fetcher.port import Fetcher, FetchFailed, FetchLimits
from opendata.ports.storage.port import StoredObject

SECONDS = 1800.0


@dataclass(frozen=True)
class Copied:
    name: str
    stored: StoredObject


@dataclass
class Files:
    """By place among the record's resources."""

    found: dict[int, Copied] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)


def mark(resource: CleanResource, changed: str) -> str:
    """Tells whether a file has to be fetched again. `changed`: the day on which the remote says the data changed last."""
    return sha256_json([resource.url, resource.content, resource.sha256, changed])


@dataclass(frozen=True)
class Copier:
    fetcher: Fetcher
    stores: Stores
    hosts: Hosts
    limit: int
    open: Callable[[str, Sink], str]
    """Gives the bytes of a resource's `content`, and their name."""

    def copy(
        self,
        resources: Sequence[CleanResource],
        was: Sequence[Row | None],
        changed: str,
        limits: Limits,
        *,
        links: bool,
    ) -> Files:
        """Files without an address, and those behind `links` if they are wanted. One of these that cannot be had stays a link,
        and that is told; without one of those the record is none (`Invalid`). Blocks; no transaction is open meanwhile."""
        files = Files()
        for place, (resource, row) in enumerate(zip(resources, was, strict=True)):
            if row is not None and row.get("file") == mark(resource, changed):
                continue
            if resource.content:
                files.found[place] = self._opened(resource, f"resources.{place}")
                continue
            if not links:
                continue
            time.sleep(self.hosts.turn(resource.url, limits.pause))
            try:
                files.found[place] = self._fetch(resource)
            except FetchFailed as failure:
                files.told.append(told(failure.code, f"resources.{place}", **failure.params))
            except TooLarge as error:
                files.told.append(told(error.code, f"resources.{place}", **error.params))
        return files

    def _opened(self, resource: CleanResource, path: str) -> Copied:
        writer = self.stores.inbox.writer(limit=self.limit)
        try:
            name = self.open(resource.content, writer.write)
            stored = writer.commit()
        except SourceBroken as broken:
            raise Invalid(fields=[FieldError(path, broken.code, broken.params)]) from None
        finally:
            writer.abort()
        if resource.sha256 and resource.sha256 != stored.sha256:
            differs = {"told": resource.sha256, "found": stored.sha256}
            raise Invalid(fields=[FieldError(path, "harvest_file_differs", differs)])
        return Copied(name, stored)

    def _fetch(self, resource: CleanResource) -> Copied:
        writer = self.stores.inbox.writer(limit=self.limit)
        try:
            found = self.fetcher.fetch(resource.url, writer.write, FetchLimits(self.limit, SECONDS))
            stored = writer.commit()
        finally:
            writer.abort()
        if resource.sha256 and resource.sha256 != stored.sha256:
            raise FetchFailed("harvest_file_differs", told=resource.sha256, found=stored.sha256)
        return Copied(found.name or resource.meta.name or "file", stored)
