"""Which rows of which files the orders are about: the files, how they are read, and the sandbox that looks at each row."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from opendata.catalog.files import store_file
from opendata.catalog.models import Dataset, File, ResourceVersion
from opendata.catalog.profile import ResourceMeta
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import FINAL
from opendata.core.canonical import sha256_json
from opendata.core.clock import day_of
from opendata.core.errors import Unavailable
from opendata.ports.sandbox.port import LimitExceeded, Limits, TaskFailed
from opendata.ports.storage.port import ObjectMissing, StoredObject
from opendata.publishing.jobs import Journey
from opendata.tabular.removal import keys
from opendata.validation import service as validation
from opendata.work.unit import Work

UNSEARCHED = "members_not_searched"
"""An archive was written again, and beside its tables holds what nobody can look into: somebody has to."""
TASK = "opendata.tabular.removal.tasks:remove"


@dataclass(frozen=True)
class Plan:
    """The orders of a dataset, as the sandbox takes them."""

    dataset_id: str
    orders: Sequence[Mapping[str, Any]]
    final: frozenset[str]
    """Ids of those whose rows may not be kept."""
    today: date

    @property
    def ids(self) -> Sequence[str]:
        return [str(order["id"]) for order in self.orders]

    def hash(self, *shas: str | None) -> str:
        """Of the orders, and of the bytes that came out of them."""
        told = [[order["id"], order["id"] in self.final] for order in self.orders]
        return sha256_json({"orders": told, "bytes": list(shas)})


@dataclass(frozen=True)
class Source:
    """Bytes that rows are taken out of, and how they are read."""

    file_id: str
    sha256: str
    """Those now shown."""
    base: str | None
    name: str
    media_type: str
    size: int
    reading: Mapping[str, Any]
    meta: ResourceMeta
    schema: Mapping[str, Any]
    """The one that its publisher named; empty if none."""
    readings: int
    """In how many ways the resources read the file: the tables of an archive are several."""

    @property
    def bytes(self) -> str:
        return self.base or self.sha256


@dataclass(frozen=True)
class Outcome:
    """What the sandbox says of one file."""

    counts: Mapping[str, int] = field(default_factory=dict)
    fits: frozenset[str] = frozenset()
    next_on: date | None = None
    stored: StoredObject | None = None
    """The file without the rows; None: no row goes."""
    suffix: str = ""
    options: Mapping[str, Any] | None = None
    trouble: Mapping[str, Any] = field(default_factory=dict)
    """{code, params}: nobody can look into it, or into a part of it."""

    @property
    def blocks(self) -> bool:
        """It says that it is a table, and cannot be written again: it stays shut. What is no table has no rows to hide."""
        return bool(self.trouble) and self.trouble["code"] not in {*validation.NO_TABLE, UNSEARCHED}


def plan_of(work: Work, secret: bytes, dataset_id: str) -> Plan:
    """`Unavailable("site_secret_differs")`: with another secret no key would be found, and nobody would notice."""
    orders = queries.in_force(work.session, dataset_id)
    if any(order.key_check != keys.check(secret) for order in orders):
        raise Unavailable("site_secret_differs", retry_after=60)
    final = frozenset(o.id for o in orders if o.state in [s.value for s in FINAL])
    return Plan(dataset_id, [queries.spec(o) for o in orders], final, day_of(work.now))


def source_of(work: Work, file: File) -> Source:
    """How the newest version that shows the file reads it; the bytes are those before any row that is only hidden went."""
    query = select(ResourceVersion).where(ResourceVersion.file_id == file.id)
    versions = work.session.execute(query.order_by(ResourceVersion.id.desc())).scalars().all()
    treated = queries.treatments(work.session, [file.id]).get(file.id)
    origin = treated.origin if treated and file.base_sha256 else {}
    reading = origin.get("reading", file.reading)
    stored = versions[0].meta if versions else {}
    return Source(
        file.id,
        file.sha256,
        file.base_sha256,
        origin.get("name", file.name),
        origin.get("media_type", file.media_type),
        origin.get("size", file.size),
        reading,
        meta := ResourceMeta(**(stored | reading)),
        validation.named_schema(work.session, meta) or {},
        len({sha256_json(version.meta.get("options", {})) for version in versions}),
    )


def sources(work: Work, dataset: Dataset) -> list[Source]:
    return [source_of(work, file) for file in queries.files_of(work.session, dataset.id)]


def look(
    journey: Journey,
    source: Source,
    plan: Plan,
    orders: Sequence[Mapping[str, Any]],
    *,
    sha256: str = "",
    keep: bool = True,
) -> Outcome:
    """Takes the rows out. With `keep` the new file is an object of the inbox store."""
    try:
        with (
            journey.stores.local_copy(sha256 or source.bytes) as path,
            tempfile.TemporaryDirectory(dir=journey.scratch, prefix="load-") as folder,
        ):
            answer = journey.sandbox.run(
                TASK,
                args=_args(journey, source, plan, orders),
                inputs={"path": path},
                output=Path(folder),
                limits=Limits.for_bytes(3 * source.size),
            )
            made = Path(folder, answer["file"]) if answer["file"] else None
            stored = store_file(journey.stores.inbox, made) if made and keep else None
    except TaskFailed as failure:
        return Outcome(trouble={"code": failure.code, "params": failure.params})
    except LimitExceeded as failure:
        return Outcome(trouble={"code": "file_too_heavy", "params": {"limit": failure.limit}})
    except ObjectMissing:
        raise Unavailable("file_unavailable", retry_after=60) from None
    return Outcome(
        answer["counts"],
        frozenset(answer["fits"]),
        date.fromisoformat(answer["next_on"]) if answer["next_on"] else None,
        stored,
        answer["suffix"],
        answer["options"],
        answer["trouble"],
    )


def _args(
    journey: Journey, source: Source, plan: Plan, orders: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "name": source.name,
        "options": source.meta.options.stored(),
        "schema": dict(source.schema) or None,
        "orders": [dict(order) for order in orders],
        "key": keys.subkey(journey.secret, plan.dataset_id).hex(),
        "today": plan.today.isoformat(),
        "readings": source.readings,
    }
