"""The records of a run, as an object of the store: what a remote gave is read twice, for the plan and for the work, by whichever
server does the next piece of it, and memory holds one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from opendata.core.errors import TooLarge
from opendata.harvest.record import Record, Refused, RemoteResource, SourceBroken
from opendata.ports.storage.port import CHUNK, ObjectMissing, Storage

LARGEST = 4 << 30


def write(store: Storage, records: Iterable[Record | Refused]) -> str:
    """All records as one object, whole or not at all; its SHA-256. `SourceBroken` as the remote's, and
    `harvest_run_too_large`."""
    writer = store.writer(limit=LARGEST)
    try:
        for some in _batched(records):
            writer.write(some)
        return writer.commit().sha256
    except TooLarge:
        raise SourceBroken("harvest_run_too_large", limit=LARGEST) from None
    finally:
        writer.abort()


def read(store: Storage, sha256: str) -> Iterator[Record | Refused]:
    """`SourceBroken("harvest_run_cut")` if the object has gone."""
    with ExitStack() as held:
        try:
            path = held.enter_context(store.local_copy(sha256))
        except ObjectMissing:
            raise SourceBroken("harvest_run_cut") from None
        with path.open("rb") as file:
            for line in file:
                yield _of(orjson.loads(line))


def _batched(records: Iterable[Record | Refused]) -> Iterator[bytes]:
    """Their lines, so many together that a write is worth its while."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        lines.append(_line(record))
        size += len(lines[-1])
        if size > CHUNK:
            yield b"".join(lines)
            lines, size = [], 0
    yield b"".join(lines)


def _line(record: Record | Refused) -> bytes:
    """What JSON cannot hold (half a character, a number without end) is the remote's fault."""
    try:
        return orjson.dumps(asdict(record), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except (orjson.JSONEncodeError, TypeError) as error:
        told = record.identifier.encode(errors="replace").decode()
        refused = Refused("harvest_record_broken", told, {"reason": str(error)[:200]})
        return orjson.dumps(asdict(refused), option=orjson.OPT_APPEND_NEWLINE)


def _of(told: dict[str, Any]) -> Record | Refused:
    if "code" in told:
        return Refused(**told)
    resources = tuple(RemoteResource(**resource) for resource in told.pop("resources"))
    modified = told.pop("modified")
    return Record(
        **told, resources=resources, modified=datetime.fromisoformat(modified) if modified else None
    )
