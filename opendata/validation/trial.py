"""A file that is only tried: read and judged in the sandbox, then gone. Nothing of it is kept."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opendata.catalog.library import queries as library
from opendata.core.errors import Invalid, TooLarge, Unavailable, invalid
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed
from opendata.ports.storage.port import StoredObject
from opendata.validation.engine import classify
from opendata.validation.library import matching
from opendata.work.unit import Workplace

Schema = Mapping[str, Any]
LIMIT_ERRORS = 1000
MOST_BYTES = 20 << 20
LIMITS = Limits(memory=1 << 30, cpu_seconds=60, wall_seconds=90)
AT_ONCE = 1
"""Trials of strangers leave the other workers of the sandbox to those who publish."""
_places = threading.BoundedSemaphore(AT_ONCE)
WAIT_SECONDS = 2.0
"""Short: who waits holds one of the server's threads."""


@dataclass(frozen=True)
class Trial:
    valid: bool
    structural: bool
    error_count: int
    report: Mapping[str, Any]
    layout: Mapping[str, Any]
    """How it was read: of which sheet, of which member of an archive, what was odd."""
    schema: Mapping[str, Any] | None
    """The one it was checked against; None: the inferred one."""
    mapped: list[dict[str, Any]]
    """Which column is which field."""
    matches: list[dict[str, Any]]
    """Ready schemas that it fits, if none was asked for."""

    @property
    def rows(self) -> int | None:
        """How many rows were looked at; None if the table could not be read. A report tells none of no rows."""
        tasks = self.report.get("tasks") or [{}]
        found: int | None = (tasks[0].get("stats") or {}).get("rows")
        return 0 if found is None and self.valid else found

    @property
    def own_names(self) -> dict[str, str]:
        """What the file calls the fields of the schema."""
        return {one["field"]: one["column"] for one in self.mapped}


class Scratch:
    """A file of bytes that are on their way, written as a store's writer takes them; gone with its folder."""

    def __init__(self, path: Path, limit: int) -> None:
        self.size = 0
        self._limit = limit
        self._digest = hashlib.sha256()
        self._file = path.open("wb")

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge("file_too_large", limit=self._limit)
        self._digest.update(chunk)
        self._file.write(chunk)

    def commit(self, expected_sha256: str | None = None) -> StoredObject:
        self._file.close()
        return StoredObject(self._digest.hexdigest(), self.size, datetime.now(UTC))

    def abort(self) -> None:
        self._file.close()


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Where a tried file lies while it is looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="trial-", dir=folder) as made:
        yield Path(made, "file")


def run(
    sandbox: Sandbox,
    path: Path,
    name: str,
    *,
    schema: Mapping[str, Any] | None = None,
    offered: Iterable[Mapping[str, Any]] = (),
    options: Mapping[str, Any] | None = None,
    limits: Limits = LIMITS,
) -> Trial:
    """Blocks. Without a `schema`, those of the `offered` ones that fit are proposed. `Invalid` for a file that cannot be read
    as a table (the code says why); `Unavailable("trial_busy")` if others try files."""
    with turn():
        answer = sandbox.run(
            "opendata.validation.library.tasks:check",
            args={"name": name, "options": options, "schema": schema, "limit_errors": LIMIT_ERRORS},
            inputs={"path": path},
            limits=limits,
        )
    matches = matching.propose(offered, answer["columns"], answer["sample"]) if schema is None else []
    verdict = classify(answer["report"])
    return Trial(
        verdict["valid"], verdict["structural"], verdict["errors"],
        answer["report"], answer["layout"], schema, answer["mapped"], [asdict(match) for match in matches],
    )  # fmt: skip


@dataclass(frozen=True)
class Against:
    """What a file is tried against."""

    schema: Schema | None
    offered: Sequence[Schema] = ()
    """What is proposed if there is no schema."""


def against(place: Workplace, schema: Schema | None, name: str) -> Against:
    """A schema that was sent, else the ready one of that name; without either, all that are offered.
    `Invalid` (`unknown_schema`)."""
    if schema is not None:
        return Against(schema)
    with place.reading() as work:
        if not name:
            return Against(None, list(library.offered(work.session).values()))
        found = library.find(work.session, name)
    if found is None:
        raise invalid("schema_name", "unknown_schema", value=name[:100])
    return Against(found)


@contextmanager
def turn() -> Iterator[None]:
    """A place in the sandbox for who only tries; what the sandbox says of the file becomes `Invalid`.
    `Unavailable("trial_busy")` if others are at it."""
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("trial_busy", retry_after=30)
    try:
        yield
    except TaskFailed as failure:
        raise Invalid(failure.code, **failure.params) from None
    except LimitExceeded as failure:
        raise Invalid("file_too_heavy", limit=failure.limit) from None
    finally:
        _places.release()
