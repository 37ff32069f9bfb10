"""The search index in a folder of its own, by tantivy, inside this process.

    root/current       the name of the serving generation, replaced atomically
    root/<generation>/ one tantivy index; its name starts with a fingerprint of the fields
    root/lock          held by the one process that writes

A kill at any moment leaves `current` on a whole index at its last commit; half-built generations are swept away by
the next writer. A generation that cannot be read, or was made for other fields, is replaced by an empty one and
`needs_rebuild` is set.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from opendata.core.errors import Unavailable
from opendata.ports.search_index import port
from opendata.ports.search_index.embedded_generation import HEAP, REBUILD_HEAP, Generation
from opendata.ports.search_index.embedded_pages import facets, page
from opendata.ports.search_index.embedded_query import Translator
from opendata.ports.search_index.port import Answer, Document, Hit, Request
from opendata.ports.search_index.values import revision_of, sorts

log = logging.getLogger(__name__)

CACHED_FACETS = 128
"""Facets are most of the cost of a search, and the pages of one search share them; kept until the next write."""

Facets = dict[str, list[tuple[str, int]]]


def _fingerprint() -> str:
    fields = (
        port.TEXT_FIELDS,
        port.KEYWORD_FIELDS,
        port.DATE_FIELDS,
        port.NUMBER_FIELDS,
        port.SORT_FIELDS,
        1,
    )
    return hashlib.sha256(repr(fields).encode()).hexdigest()[:12]


class EmbeddedIndex:
    """Many readers, one writer. A second process may open the same folder to read; its writes raise `Unavailable`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._write = threading.RLock()
        self._lock_file: TextIOWrapper | None = None
        self._next: Generation | None = None
        self._facets: OrderedDict[Any, Facets] = OrderedDict()
        self._counting = threading.Lock()
        self.needs_rebuild = False
        root.mkdir(parents=True, exist_ok=True)
        self._live = self._open_current()

    # -- reading -----------------------------------------------------------------------------------------------------

    def search(self, request: Request) -> Answer:
        live = self._live
        searcher, serial = live.view
        try:
            query = Translator(live.schema, searcher).whole(request)
            order = sorts(request)
            total, found = page(searcher, query, order, request.offset, request.limit)
            scored = bool(order) and order[0].field == "score"
            hits = [
                self._hit(searcher.doc(address), float(value) if scored else 0.0) for value, address in found
            ]
            return Answer(total, hits, self._count(searcher, serial, query, request))
        except (OSError, ValueError, RuntimeError) as error:
            raise Unavailable("search_unavailable") from error

    def _hit(self, stored: Any, score: float) -> Hit:
        return Hit(
            stored.get_first("id"), stored.get_first("revision"), score, stored.get_first("payload") or b""
        )

    def _count(self, searcher: Any, serial: int, query: Any, request: Request) -> Facets:
        if not request.facets:
            return {}
        key = (serial, request.query, request.filter, tuple(request.facets.items()))
        known = self._facets.get(key)
        if known is None:
            known = facets(searcher, query, request.facets)
            with self._counting:
                self._facets[key] = known
                while len(self._facets) > CACHED_FACETS:
                    self._facets.popitem(last=False)
        return known

    def revisions(self) -> Iterator[tuple[str, int]]:
        for id, version in self._live.versions(live=True):
            yield id, revision_of(version)

    def check(self) -> None:
        self.search(Request(limit=1))

    # -- writing -----------------------------------------------------------------------------------------------------

    def apply(self, upserts: Sequence[Document], deletes: Sequence[tuple[str, int]]) -> Sequence[str]:
        with self._write, self._guarded():
            self._own()
            if self._next is not None:
                self._next.write(upserts, deletes)
            refused = self._live.write(upserts, deletes)
            self._live.commit()
            self._forget_facets()
            return refused

    def _forget_facets(self) -> None:
        with self._counting:
            self._facets.clear()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            self._live.discard()
            raise Unavailable("search_unavailable") from error

    @contextmanager
    def rebuild(self) -> Iterator[Rebuilding]:
        with self._write, self._guarded():
            self._own()
            if self._next is not None:
                raise Unavailable("search_unavailable", reason="rebuild_running")
            building = self._next = Generation(
                self._root / self._fresh_name(), create=True, heap=REBUILD_HEAP
            )
        try:
            yield Rebuilding(self, building)
            with self._write, self._guarded():
                self._swap(building)
        finally:
            with self._write:
                self._next = None
                if self._live is not building:
                    building.discard()
                    shutil.rmtree(building.folder, ignore_errors=True)

    def _swap(self, building: Generation) -> None:
        building.keep_marks_of(self._live)
        building.commit()
        building.settle()
        building.lower_heap(HEAP)
        self._point_to(building)
        old, self._live = self._live, building
        self.needs_rebuild = False
        self._forget_facets()
        old.settle()
        # Searches under way keep the old files mapped; the names may go.
        shutil.rmtree(old.folder, ignore_errors=True)

    def add_to(self, building: Generation, documents: Iterable[Document]) -> None:
        """Called by `Rebuilding`: writes in small steps, so that `apply` comes between."""
        for source in documents:
            with self._write, self._guarded():
                building.write([source], [])

    def close(self) -> None:
        with self._write:
            self._live.settle()
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None

    # -- folders -----------------------------------------------------------------------------------------------------

    def _open_current(self) -> Generation:
        pointer = self._root / "current"
        name = pointer.read_text().strip() if pointer.exists() else ""
        if name.startswith(_fingerprint()) and Path(name).name == name:
            try:
                generation = Generation(self._root / name, create=False)
                generation.check()
                return generation
            except (OSError, ValueError, RuntimeError) as error:
                log.error("search index %s cannot be read, starting an empty one: %s", name, error)
        self.needs_rebuild = True
        self._own(sweep=False)
        generation = Generation(self._root / self._fresh_name(), create=True)
        self._point_to(generation)
        return generation

    def _fresh_name(self) -> str:
        return f"{_fingerprint()}-{os.urandom(6).hex()}"

    def _point_to(self, generation: Generation) -> None:
        _sync(generation.folder)
        _sync(self._root)
        written = self._root / "current.new"
        with written.open("w") as file:
            file.write(generation.folder.name)
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._root / "current")
        _sync(self._root)

    def _own(self, *, sweep: bool = True) -> None:
        """Becomes the one writer, once; sweeps away what a killed rebuild left."""
        if self._lock_file is None:
            file = (self._root / "lock").open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.close()
                raise Unavailable("search_unavailable", reason="locked") from error
            self._lock_file = file
            if sweep:
                for folder in self._root.iterdir():
                    if folder.is_dir() and folder != self._live.folder:
                        shutil.rmtree(folder, ignore_errors=True)


class Rebuilding:
    """A generation being filled."""

    def __init__(self, index: EmbeddedIndex, building: Generation) -> None:
        self._index = index
        self._building = building

    def add(self, documents: Iterable[Document]) -> None:
        self._index.add_to(self._building, documents)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
