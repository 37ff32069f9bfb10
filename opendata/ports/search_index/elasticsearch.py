"""The search index on Elasticsearch: one index behind the alias NAME; a rebuild fills another behind NAME-next.

Versions are external, so writes may come late, twice or in any order. A delete leaves a mark with its version, since
Elasticsearch forgets its own after a minute.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import orjson
from elastic_transport import ConnectionError as NoConnection
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from opendata.core.errors import Unavailable
from opendata.ports.search_index import elasticsearch_query as bodies
from opendata.ports.search_index.port import Answer, Document, Hit, Request
from opendata.ports.search_index.values import revision_of, version

log = logging.getLogger(__name__)
T = TypeVar("T")

CHUNK_BYTES = 5_000_000
CHUNK_ITEMS = 500
TRIES = 6
"""A busy server (429) is asked so often, with pauses that double from a tenth of a second."""

Item = tuple[str, int, bytes]
"""An id, a version (`values.version`) and the document as JSON."""


class ElasticsearchIndex:
    """`url` may carry a user and a password; `name` is the alias. Safe to use from many processes."""

    def __init__(self, url: str, name: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        address = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._client = Elasticsearch(address, basic_auth=auth, request_timeout=timeout, max_retries=1)
        self._name = name
        self._next = f"{name}-next"
        self._ready = False
        self.needs_rebuild = False
        """A server that lost its indices is found by the comparison with the database, not at start."""

    def apply(self, upserts: Sequence[Document], deletes: Sequence[tuple[str, int]]) -> Sequence[str]:
        items, refused = _items(upserts)
        for id, revision in deletes:
            items.append((id, version(revision, gone=True), orjson.dumps(bodies.gone(id))))
        self._ensure()
        # The index being rebuilt first: should it take over in between, it has the change already.
        if self._ask(lambda: self._client.indices.exists_alias(name=self._next)):
            self._write(items, self._next, may_vanish=True)
        return refused + self._write(items, self._name)

    def search(self, request: Request) -> Answer:
        self._ensure()
        found = self._ask(lambda: self._find(bodies.body(request)))
        counts = found.get("aggregations", {})
        facets = {
            field: [(str(b["key"]), int(b["doc_count"])) for b in counts.get(field, {}).get("buckets", [])]
            for field in request.facets
        }
        return Answer(found["hits"]["total"]["value"], [_hit(hit) for hit in found["hits"]["hits"]], facets)

    def _find(self, body: dict[str, Any]) -> Any:
        try:
            return self._client.search(index=self._name, body=body)
        except NotFoundError:  # a rebuild took the old index away between the alias and the shard
            return self._client.search(index=self._name, body=body)

    def revisions(self) -> Iterator[tuple[str, int]]:
        self._ensure()
        for id, number in self._versions(live=True):
            yield id, revision_of(number)

    def check(self) -> None:
        self.search(Request(limit=0))

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def rebuild(self) -> Iterator[Rebuilding]:
        self._ensure()
        name = f"{self._name}-{time.time_ns():x}"
        self._ask(lambda: self._start(name))
        try:
            yield Rebuilding(self._write_next)
            self._write_next(self._marks_missing_in(name))
            self._ask(lambda: self._swap(name))
        except BaseException:
            self._client.options(ignore_status=[404]).indices.delete(index=name)
            raise

    # -- rebuilding --------------------------------------------------------------------------------------------------

    def _start(self, name: str) -> None:
        """A new index behind NAME-next; what an earlier rebuild left there goes."""
        left = self._behind(self._next)
        self._client.indices.create(index=name, settings=bodies.SETTINGS, mappings=bodies.mapping())
        actions: list[dict[str, Any]] = [{"remove_index": {"index": old}} for old in left]
        self._client.indices.update_aliases(actions=[*actions, {"add": {"index": name, "alias": self._next}}])

    def _marks_missing_in(self, name: str) -> Iterator[Item]:
        """The marks of deletes for documents that the new index does not have."""
        marks = self._versions(live=False)
        while batch := dict(islice(marks, CHUNK_ITEMS)):
            ids = list(batch)
            found = self._ask(lambda ids=ids: self._client.mget(index=name, ids=ids))["docs"]  # type: ignore[misc]  # mypy cannot infer a default
            for answer in found:
                if not answer.get("found"):
                    id = answer["_id"]
                    yield id, batch[id], orjson.dumps(bodies.gone(id))

    def _swap(self, name: str) -> None:
        if self._behind(self._next) != [name]:
            raise Unavailable("search_unavailable", reason="another_rebuild")
        old = [{"remove_index": {"index": index}} for index in self._behind(self._name)]
        self._client.indices.update_aliases(
            actions=[
                *old,
                {"remove": {"index": name, "alias": self._next}},
                {"add": {"index": name, "alias": self._name}},
            ]
        )

    def _behind(self, alias: str) -> list[str]:
        try:
            return sorted(self._client.indices.get_alias(name=alias).body)
        except NotFoundError:
            return []

    def _write_next(self, items: Iterable[Item]) -> list[str]:
        return self._write(items, self._next)

    # -- writing -----------------------------------------------------------------------------------------------------

    def _write(self, items: Iterable[Item], alias: str, *, may_vanish: bool = False) -> list[str]:
        refused: list[str] = []
        for chunk in _chunks(items):
            for attempt in range(TRIES):
                try:
                    chunk, wrong = self._bulk(chunk, alias)
                except _Vanished:
                    if may_vanish:
                        return refused
                    self._ready = False
                    raise Unavailable("search_unavailable", reason="no_index") from None
                refused += wrong
                if not chunk:
                    break
                time.sleep(0.1 * 2**attempt)
            else:
                raise Unavailable("search_unavailable", reason="busy")
        return refused

    def _bulk(self, chunk: list[Item], alias: str) -> tuple[list[Item], list[str]]:
        """One request; what the server was too busy for, and the ids it refused."""
        lines: list[Any] = []
        for id, number, source in chunk:
            lines += [{"index": {"_id": id, "version": number, "version_type": "external_gte"}}, source]
        answer = self._ask(
            lambda: self._client.bulk(operations=lines, index=alias, refresh=True, require_alias=True)
        )
        again, refused = [], []
        for item, result in zip(chunk, answer["items"], strict=True):
            status, error = result["index"]["status"], result["index"].get("error", {})
            kind = error.get("type", "")
            if status < 300 or status == 409:  # 409: a newer version is there
                continue
            if status in (429, 503):
                again.append(item)
            elif status == 404:
                raise _Vanished
            elif status in (400, 413) and "block" not in kind:
                log.error("search index refused %r: %s", item[0], error)
                refused.append(item[0])
            else:
                raise Unavailable("search_unavailable", reason=kind)
        return again, refused

    # -- asking ------------------------------------------------------------------------------------------------------

    def _ensure(self) -> None:
        """The index and its alias exist, with every field of today."""
        if self._ready:
            return
        self._ask(self._create)
        self._ready = True

    def _create(self) -> None:
        if self._client.indices.exists_alias(name=self._name):
            self._client.indices.put_mapping(
                index=self._name, dynamic="strict", properties=bodies.mapping()["properties"]
            )
            return
        try:
            self._client.indices.create(
                index=f"{self._name}-000001",
                settings=bodies.SETTINGS,
                mappings=bodies.mapping(),
                aliases={self._name: {}},
            )
        except ApiError as error:
            if error.error != "resource_already_exists_exception":  # another process was first
                raise

    def _versions(self, *, live: bool) -> Iterator[tuple[str, int]]:
        """(id, version) of every document, or of every mark of a delete, from one point in time."""
        point = self._ask(lambda: self._client.open_point_in_time(index=self._name, keep_alive="2m"))["id"]
        after: list[Any] | None = None
        try:
            while True:
                body: dict[str, Any] = {
                    "query": {"term": {"live": live}},
                    "pit": {"id": point, "keep_alive": "2m"},
                    "sort": [{"id": "asc"}],
                    "size": 5000,
                    "version": True,
                    "_source": False,
                    "track_total_hits": False,
                }
                if after is not None:
                    body["search_after"] = after
                hits = self._ask(lambda b=body: self._client.search(body=b))["hits"]["hits"]  # type: ignore[misc]  # mypy cannot infer a default
                for hit in hits:
                    yield hit["_id"], int(hit["_version"])
                if len(hits) < 5000:
                    return
                after = hits[-1]["sort"]
        finally:
            self._client.options(ignore_status=[404]).close_point_in_time(id=point)

    def _ask(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except (NoConnection, TransportError) as error:
            raise Unavailable("search_unavailable", reason="no_connection") from error
        except ApiError as error:
            if error.status_code == 404:
                self._ready = False
            log.error("Elasticsearch answered %s %s", error.status_code, error.error)
            raise Unavailable("search_unavailable", reason=str(error.error)) from error


class Rebuilding:
    """An index being filled."""

    def __init__(self, write: Callable[[Iterable[Item]], list[str]]) -> None:
        self._write = write

    def add(self, documents: Iterable[Document]) -> None:
        rest = iter(documents)
        while batch := list(islice(rest, CHUNK_ITEMS)):
            self._write(_items(batch)[0])


class _Vanished(Exception):
    """The alias is gone: a rebuild ended."""


def _items(documents: Iterable[Document]) -> tuple[list[Item], list[str]]:
    """The documents as JSON, and the ids of those that have no JSON."""
    items: list[Item] = []
    refused = []
    for source in documents:
        try:
            items.append((source.id, version(source.revision), orjson.dumps(bodies.document(source))))
        except (ValueError, TypeError, OverflowError) as error:
            log.error("search index refused %r: %s", source.id, error)
            refused.append(source.id)
    return items, refused


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        if chunk and (len(chunk) >= CHUNK_ITEMS or size + len(item[2]) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item[2])
    if chunk:
        yield chunk


def _hit(hit: Any) -> Hit:
    fields = hit.get("fields", {})
    payload = base64.b64decode(fields["payload"][0]) if "payload" in fields else b""
    return Hit(hit["_id"], revision_of(int(hit["_version"])), float(hit.get("_score") or 0.0), payload)
