"""One folder with one tantivy index in it."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import tantivy

from opendata.core.errors import Unavailable
from opendata.ports.search_index import embedded_query
from opendata.ports.search_index.embedded_query import LIVE, LIVE_NO, LIVE_YES, SEPARATOR, VERSION
from opendata.ports.search_index.port import Document
from opendata.ports.search_index.values import version as make_version

log = logging.getLogger(__name__)

HEAP = 15_000_000
"""Bytes a writer buffers: tantivy's least. A rebuild takes more and gives it back."""
REBUILD_HEAP = 50_000_000
_SERIALS = itertools.count()


class Generation:
    """Not for use by several threads at once, except `searcher`."""

    def __init__(self, folder: Path, *, create: bool, heap: int = HEAP) -> None:
        self.folder = folder
        self._heap = heap
        self._writer: tantivy.IndexWriter | None = None
        self._unsaved: dict[str, int] = {}
        self.schema = embedded_query.schema()
        if create:
            folder.mkdir(parents=True)
            self._index = tantivy.Index(self.schema, path=str(folder))
        else:
            self._index = tantivy.Index.open(str(folder))
        self._index.config_reader("manual")
        self.refresh()

    def refresh(self) -> None:
        """Sees the last commit. `view` is the searcher and a number that no other searcher of this process has."""
        self._index.reload()
        self.view = (self._index.searcher(), next(_SERIALS))

    @property
    def searcher(self) -> tantivy.Searcher:
        return self.view[0]

    def check(self) -> None:
        """Reads a document, so that missing or cut files show."""
        for _, address in self.searcher.search(tantivy.Query.all_query(), 1).hits:
            self.searcher.doc(address)

    def write(self, upserts: Sequence[Document], deletes: Sequence[tuple[str, int]]) -> list[str]:
        """Buffers a batch; the ids refused. Older versions than those stored are passed over."""
        refused = []
        for source in upserts:
            version = make_version(source.revision)
            try:
                self._put(source.id, version, embedded_query.document(source, version))
            except (ValueError, TypeError, OverflowError) as error:
                log.error("search index refused %r: %s", source.id, error)
                refused.append(source.id)
        for id, revision in deletes:
            version = make_version(revision, gone=True)
            try:
                self._put(id, version, embedded_query.gone(id, version))
            except (ValueError, TypeError, OverflowError) as error:
                log.error("search index refused to delete %r: %s", id, error)
                refused.append(id)
        return refused

    def _put(self, id: str, version: int, document: tantivy.Document) -> None:
        known = self.version(id)
        if known is not None and known > version:
            return
        writer = self._open_writer()
        if known is not None:
            writer.delete_documents_by_term("id", id)
        writer.add_document(document)
        self._unsaved[id] = version

    def version(self, id: str) -> int | None:
        """What is stored of this id (`values.version`), buffered writes included."""
        if id in self._unsaved:
            return self._unsaved[id]
        same_id = tantivy.Query.term_query(self.schema, "id", id, "basic")
        found = self.searcher.terms_with_prefix(VERSION, id + SEPARATOR, filter_query=same_id)
        return max((int(term.rpartition(SEPARATOR)[2]) for term, _ in found), default=None)

    def versions(self, *, live: bool) -> Iterator[tuple[str, int]]:
        """(id, version) of every document, or of every mark of a delete."""
        kind = tantivy.Query.term_query(self.schema, LIVE, LIVE_YES if live else LIVE_NO, "basic")
        for term, _ in self.searcher.terms_with_prefix(VERSION, "", filter_query=kind):
            id, _, number = term.rpartition(SEPARATOR)
            yield id, int(number)

    def keep_marks_of(self, other: Generation) -> None:
        """Takes over the marks of deletes for documents that are not here."""
        for id, version in other.versions(live=False):
            if self.version(id) is None:
                self._put(id, version, embedded_query.gone(id, version))

    def commit(self) -> None:
        """Durable (tantivy syncs every file and then the list of files) and searchable on return."""
        if self._unsaved:
            self._open_writer().commit()
            self._unsaved.clear()
            self.refresh()

    def discard(self) -> None:
        """Forgets what was buffered; the next write opens a new writer."""
        writer, self._writer = self._writer, None
        self._unsaved.clear()
        if writer is not None:
            with contextlib.suppress(
                Exception
            ):  # a broken writer cannot roll back; dropping it does the same
                writer.rollback()

    def settle(self) -> None:
        """Waits for merges and lets the writer go."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()

    def lower_heap(self, heap: int) -> None:
        """From the next writer on."""
        self._heap = heap

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(self._heap, 1)
            except ValueError as error:
                raise Unavailable("search_unavailable", reason="writer") from error
        return self._writer
