"""The files are made by a job, once a day; what a withdrawal has spoiled is made again at once."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import delete, func, select

from opendata.access import totals
from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog import queries as catalog
from opendata.core.csvtext import MARK
from opendata.core.csvtext import lines as csv_lines
from opendata.feeds import described, reading, writers
from opendata.feeds.dumps import kept, queries
from opendata.feeds.dumps.columns import HEADER
from opendata.feeds.dumps.lines import line, row
from opendata.feeds.dumps.models import DumpPart
from opendata.feeds.graph import Graph
from opendata.feeds.terms import Site
from opendata.ports.job_queue.port import RetryLater
from opendata.ports.sandbox.port import Limits, Sandbox
from opendata.ports.storage.port import ObjectMissing, ObjectWriter, Storage
from opendata.settings import Settings
from opendata.work import audit
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

DAILY, RENEW = "feeds.dump", "feeds.renew_dump"
PART = 1000
"""Datasets of a part: what one withdrawal makes anew."""
YOUNG = 1000
"""Up to so many datasets the files are made again in the minute in which there are more or fewer."""
WAIT_SECONDS = 5.0
TASK = "opendata.feeds.dumps.tasks:parquet"


_turn = threading.Lock()


@contextmanager
def alone() -> Iterator[None]:
    """One of these jobs at a time in a process: a second one would do the same work, and keep others waiting. `RetryLater`."""
    if not _turn.acquire(blocking=False):
        raise RetryLater(WAIT_SECONDS)
    try:
        yield
    finally:
        _turn.release()


@dataclass(frozen=True)
class Maker:
    place: Workplace
    store: Storage
    """The public one."""
    sandbox: Sandbox
    settings: Settings

    def daily(self) -> None:
        """Job: all files from what is public now, in place of those before. The old bytes are tidied away as all that no row
        names: whoever is loading them may finish."""
        with alone():
            self._all()

    def renew(self) -> None:
        """Job: the parts that withdrawals have spoiled, and with them the Parquet file, again. Their bytes go at once."""
        with alone():
            self._renew()

    def _all(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.settings.scratch, prefix="dump-") as folder:
            everything = Path(folder, "catalog.ndjson")
            with everything.open("wb") as rows:
                made = [part for parts in self._walk(rows) for part in parts]
            made.append(self._parquet(everything, min(part.seq for part in made)))
            with self.place.writing(SYSTEM) as work:
                work.session.execute(delete(DumpPart))
                work.session.add_all(made)
                work.record("dump.made", "dump", "catalog", **_told(made))

    def _renew(self) -> None:
        with self.place.reading(SYSTEM) as work:
            present = {(part.format, part.position): part for part in queries.parts(work)}
            spoiled = queries.spoiled(work, list(present.values()))
            has_grown = any(not part.last and _is_long(work, part) for part in spoiled)
        if not spoiled:
            return
        if has_grown:
            # Since the day's files: now they are cut into parts again, each of which is little work.
            self._all()
            self._drop(spoiled)
            return
        fresh: list[DumpPart] = []
        for position in sorted({part.position for part in spoiled if part.format == "ndjson"}):
            old = present["ndjson", position]
            fresh += self._part(position, old.after, old.last, None)
        present |= {(part.format, part.position): part for part in fresh}
        with tempfile.TemporaryDirectory(dir=self.settings.scratch, prefix="dump-") as folder:
            fresh += self._whole([p for p in present.values() if p.format == "ndjson"], Path(folder))
        self._replace(spoiled, fresh)

    def _walk(self, rows: IO[bytes]) -> Iterator[list[DumpPart]]:
        after, position = "", 0
        while True:
            with self.place.reading(SYSTEM) as work:
                ids = catalog.published_ids(work, visible=PUBLIC_FILTER, after=after, limit=PART)
            last = ids[-1] if len(ids) == PART else ""
            yield self._part(position, after, last, rows)
            if not last:
                return
            after, position = last, position + 1

    def _part(self, position: int, after: str, last: str, rows: IO[bytes] | None) -> list[DumpPart]:
        """One of each format; the lines of NDJSON are written to `rows` too."""
        site = Site.of(self.settings)
        files = {
            name: _File(self.store.writer(), name != "csv") for name in ("nt", "ndjson", "csv", kept.FORMAT)
        }
        files[kept.FORMAT].write(kept.head(site))
        if position == 0:
            files["csv"].write((MARK + csv_lines([HEADER])).encode())
        with self.place.reading(SYSTEM) as work:
            seq = audit.head(work.session)
        datasets = left_out = 0
        for batch in self._records(after, last):
            triples, text = _rendered(batch, site)
            left_out += len(triples.left_out)
            datasets += len(batch)
            told = [orjson.loads(one) for one in text.splitlines()]
            files["nt"].write(writers.n_triples(triples))
            files["ndjson"].write(text)
            files["csv"].write(csv_lines(map(row, told)).encode())
            files[kept.FORMAT].write(b"".join(kept.line(record, site) for record in batch))
            if rows is not None:
                rows.write(text)
        facts = {
            "position": position,
            "after": after,
            "last": last,
            "datasets": datasets,
            "left_out": left_out,
        }
        now = self.place.clock.now()
        return [
            DumpPart(format=name, seq=seq, made_at=now, **facts, **file.close())
            for name, file in files.items()
        ]

    def _records(self, after: str, last: str) -> Iterator[list[reading.Record]]:
        while True:
            with self.place.reading(SYSTEM) as work:
                ids = catalog.published_ids(work, visible=PUBLIC_FILTER, after=after, limit=reading.BATCH)
                wanted = [i for i in ids if not last or i <= last]
                found = reading.of_ids(work, wanted)
            if found:
                yield found
            if len(wanted) < reading.BATCH:
                return
            after = wanted[-1]

    def _whole(self, parts: Sequence[DumpPart], folder: Path) -> list[DumpPart]:
        """The Parquet file out of the lines that are there; none if one of them is spoiled again: then that is asked for."""
        with self.place.reading(SYSTEM) as work:
            seq = audit.head(work.session)
            if queries.spoiled(work, parts):
                return []
        everything = folder / "catalog.ndjson"
        with everything.open("wb") as rows:
            for part in sorted(parts, key=lambda part: part.position):
                with self.store.local_copy(part.sha256) as path, gzip.open(path, "rb") as lines:
                    shutil.copyfileobj(lines, rows, 1 << 20)
        return [self._parquet(everything, seq)]

    def _parquet(self, lines: Path, seq: int) -> DumpPart:
        """Of all datasets, from their lines. `seq`: what these know."""
        folder = lines.parent
        limits = Limits.for_bytes(lines.stat().st_size)
        done = self.sandbox.run(
            TASK, args={}, inputs={"lines": lines}, output=folder, limits=limits, keep=False
        )
        file = _File(self.store.writer(), squeezed=False)
        with Path(folder, "catalog.parquet").open("rb") as source:
            while chunk := source.read(1 << 20):
                file.write(chunk)
        return DumpPart(
            format="parquet", position=0, after="", last="", datasets=int(done["datasets"]), left_out=0,
            seq=seq, made_at=self.place.clock.now(), **file.close(),
        )  # fmt: skip

    def _replace(self, old: Sequence[DumpPart], fresh: Sequence[DumpPart]) -> None:
        """Unless others have come in their place meanwhile: then these are judged anew."""
        with self.place.writing(SYSTEM) as work:
            for part in fresh:
                known = work.session.get(DumpPart, (part.format, part.position))
                if known is not None and known.seq <= part.seq:
                    work.session.merge(part)
            work.record("dump.renewed", "dump", "catalog", **_told(fresh))
        self._drop(old)

    def _drop(self, old: Sequence[DumpPart]) -> None:
        """Bytes that tell of what was withdrawn."""
        with self.place.writing(SYSTEM) as work:
            for sha256 in {part.sha256 for part in old}:
                if not _is_named(work, sha256):
                    with suppress(ObjectMissing):
                        self.store.delete(sha256)


class _File:
    """An object under way, as it is or squeezed: gzip members one after the other are one gzip file."""

    def __init__(self, writer: ObjectWriter, squeezed: bool) -> None:
        self._writer = writer
        self._gzip = zlib.compressobj(6, zlib.DEFLATED, kept.GZIP) if squeezed else None

    def write(self, chunk: bytes) -> None:
        self._writer.write(chunk if self._gzip is None else self._gzip.compress(chunk))

    def close(self) -> dict[str, Any]:
        if self._gzip is not None:
            self._writer.write(self._gzip.flush())
        stored = self._writer.commit()
        return {"sha256": stored.sha256, "size": stored.size}


def follow(place: Workplace, seen: int) -> int:
    """Asks for what the files owe, for the clock: withdrawals are taken out at once, and a catalogue that is still small is
    not kept waiting for tomorrow. `seen`: the last audit line that was looked at; returns the present one."""
    with place.reading(SYSTEM) as work:
        seq = audit.head(work.session)
        if seq == seen:
            return seq
        parts = queries.parts(work, "ndjson")
        owed = bool(queries.spoiled(work, parts))
        public = totals.count(work)
        young = public <= YOUNG and public != sum(part.datasets for part in parts)
    if owed or young:
        job, key = (RENEW, str(seq)) if owed else (DAILY, f"{work.now:%Y-%m-%dT%H:%M}")
        with place.writing(SYSTEM) as work:
            work.enqueue(job, {}, key=f"{job}:{key}")
    return seq


def _is_long(work: Work, part: DumpPart) -> bool:
    """Whether the last part, which has no end, would hold far more than a part does."""
    most = 2 * PART
    return len(catalog.published_ids(work, visible=PUBLIC_FILTER, after=part.after, limit=most + 1)) > most


def _rendered(batch: Sequence[reading.Record], site: Site) -> tuple[Graph, bytes]:
    graph = Graph()
    for record in batch:
        described.entry(graph, record, site)
    return graph, b"".join(orjson.dumps(line(record, site)) + b"\n" for record in batch)


def _told(parts: Sequence[DumpPart]) -> dict[str, Any]:
    whole = [part for part in parts if part.format == "nt"]
    return {"datasets": sum(p.datasets for p in whole), "left_out": sum(p.left_out for p in whole)}


def _is_named(work: Work, sha256: str) -> bool:
    parts = select(func.count()).select_from(DumpPart).where(DumpPart.sha256 == sha256)
    return catalog.hash_in_use(work.session, sha256) or bool(work.session.execute(parts).scalar_one())
