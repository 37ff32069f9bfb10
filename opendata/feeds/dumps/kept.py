"""`/data.json` of a large catalogue: what has not changed since the day's files were made is told by bytes that are there, and
only the rest is made anew. A dataset is another one when its revision counts on, or its body is edited."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Sequence

from opendata.core.errors import Unavailable
from opendata.feeds import datajson, reading
from opendata.feeds.dumps import queries
from opendata.feeds.dumps.models import DumpPart
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site
from opendata.ports.storage.port import ObjectMissing, Storage
from opendata.work.unit import Workplace

log = logging.getLogger(__name__)
FORMAT = "data.json"
"""Of the parts: a first line that says for which site and edition of the feeds the others are good; then for each dataset its id,
its mark and its entry."""
AT_ONCE = 1000
"""Datasets of a piece of the answer."""
GZIP = zlib.MAX_WBITS | 16


def head(site: Site) -> bytes:
    return f"{reading.EDITION} {site.url}\n".encode()


def line(record: Record, site: Site) -> bytes:
    view = record.view
    mark = reading.mark(view.dataset.revision, view.agency.edition)
    return f"{view.id} {mark} ".encode() + datajson.entry(record, site) + b"\n"


def entries(place: Workplace, store: Storage, site: Site) -> Iterator[list[bytes]]:
    """The entry of every public dataset in id order, some at a time. Nothing is held open while somebody reads
    slowly: what is published or withdrawn meanwhile is there or not; nothing else is missed or given twice."""
    with place.reading() as work:
        kept = _Kept(store, queries.parts(work, FORMAT), head(site))
    after = ""
    while True:
        with place.reading() as work:
            marks = reading.marks(work, after=after, limit=AT_ONCE)
        if not marks:
            return
        after = next(reversed(marks))
        told = kept.of(marks)
        told |= _made(place, [i for i in marks if i not in told], site)
        yield [told[i] for i in marks if i in told]


def _made(place: Workplace, ids: Sequence[str], site: Site) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for start in range(0, len(ids), reading.BATCH):
        with place.reading() as work:
            records = reading.of_ids(work, ids[start : start + reading.BATCH])
        made |= {record.view.id: datajson.entry(record, site) for record in records}
    return made


class _Kept:
    """What the parts tell, read once from the first id to the last."""

    def __init__(self, store: Storage, parts: Sequence[DumpPart], head: bytes) -> None:
        self._lines = _lines(store, parts, head)
        self._next = next(self._lines, None)

    def of(self, marks: dict[str, str]) -> dict[str, bytes]:
        """Entries of those ids whose mark is the same. `marks` in id order, behind those that were asked for before."""
        last = next(reversed(marks))
        found: dict[str, bytes] = {}
        while self._next is not None:
            dataset_id, mark, entry = self._next
            if dataset_id > last:
                break
            if marks.get(dataset_id) == mark:
                found[dataset_id] = entry
            self._next = next(self._lines, None)
        return found


def _lines(store: Storage, parts: Sequence[DumpPart], head: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Ids, marks and entries of the parts that are good for this site and edition. A part that is gone or out of reach is left
    out: its datasets are told without it."""
    for part in parts:
        try:
            lines = _unpacked(store, part.sha256)
            if next(lines, b"") + b"\n" == head:
                for told in lines:
                    dataset_id, mark, entry = told.split(b" ", 2)
                    yield dataset_id.decode(), mark.decode(), entry
        except (ObjectMissing, Unavailable) as gone:
            log.info("data.json is made without a part of the day's files: %s", gone)


def _unpacked(store: Storage, sha256: str) -> Iterator[bytes]:
    squeezed, rest = zlib.decompressobj(GZIP), b""
    for chunk in store.read(sha256):
        *whole, rest = (rest + squeezed.decompress(chunk)).split(b"\n")
        yield from whole
