"""Uses of datasets, one short record each, in files that outlive the process.

A count in memory would be lost with a process that is killed, and a row for each request would make every reader wait
for the database. So a use is appended to a file of this process (one `write` of 50 bytes, a few microseconds, into the
system's memory: kill -9 does not take it away, a power cut may take the last seconds). Every few seconds the file is set
aside as a *batch*, and whoever counts (`supervision.usage`) adds it to the database under the batch's name: a batch that
was counted, but not deleted, is not counted again. A file whose process is dead is a batch too: the lock on it is free.

A record holds a day, a kind and an id of a dataset or a resource: nothing about the reader.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from fastapi import Request

from opendata.core.clock import day_of
from opendata.core.ids import new_id

RECORD_BYTES = 50
"""`2026-06-01 v 0197…\\n`: day, first letter of the kind, id of 36 characters."""
ID_LENGTH = 36


class Use(StrEnum):
    """What was done, by its letter in a record."""

    VIEW = "view"
    """A page about the dataset."""
    DOWNLOAD = "download"
    """A file from its beginning, or the way to one."""
    CALL = "call"
    """Its metadata or rows by an API."""


_BY_LETTER = {use.value[0]: use for use in Use}
Noted = tuple[date, Use, str]


def mark(request: Request, use: Use, subject_id: str) -> None:
    """Says that the answer to this request is a use of a public dataset (or of the resource of that id). It counts once
    the answer is on its way."""
    request.state.use = (use, subject_id)


@dataclass(frozen=True)
class Batch:
    """Records that nobody adds to any more."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.stem

    def read(self) -> Counter[Noted]:
        """How often each was noted. A record that a power cut has torn is left out."""
        found: Counter[Noted] = Counter()
        with self.path.open("rb") as file:
            for record in file:
                if (noted := _parse(record)) is not None:
                    found[noted] += 1
        return found

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


class Journal:
    """The files of one folder, of which this process writes one. Safe to use from many threads."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._handle: int | None = None
        self._path = folder
        self._lock = threading.Lock()

    def note(self, use: Use, subject_id: str) -> None:
        """Appends one record. A disk that is full costs the count, not the answer."""
        if len(subject_id) != ID_LENGTH:
            return
        day = day_of(self._now())
        record = f"{day.isoformat()} {use.value[0]} {subject_id}\n".encode()
        with suppress(OSError), self._lock:
            os.write(self._opened(), record)

    def batches(self) -> Iterator[Batch]:
        """Sets aside what was noted so far, and yields it with what dead processes have left."""
        with self._lock:
            self._set_aside()
        for path in sorted(self._folder.glob("*.open")):
            self._take_over(path)
        yield from (Batch(path) for path in sorted(self._folder.glob("*.batch")))

    def _opened(self) -> int:
        """The file under its name is locked already: nobody takes it for a dead one's."""
        if self._handle is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            name = self._folder / new_id()
            handle = os.open(name.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._path = name.with_suffix(".open")
            name.with_suffix(".new").rename(self._path)
            self._handle = handle
        return self._handle

    def _set_aside(self) -> None:
        if self._handle is not None:
            self._path.rename(self._path.with_suffix(".batch"))
            os.close(self._handle)
            self._handle = None

    def _take_over(self, path: Path) -> None:
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.rename(path.with_suffix(".batch"))


def _parse(record: bytes) -> Noted | None:
    if len(record) != RECORD_BYTES:
        return None
    try:
        day, letter, subject_id = record.decode("ascii").split()
        return (date.fromisoformat(day), _BY_LETTER[letter], subject_id)
    except (ValueError, KeyError):
        return None
