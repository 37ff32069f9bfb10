"""The job `publishing.freeze`: once a client is quiet, the rows of a draft are written down as the file of its resource.

What reviewers see, what the content hash covers and what goes out is that file; rows never become public by another way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from opendata.agencies.models import Agency
from opendata.catalog.files import store_file
from opendata.catalog.models import Dataset, Resource
from opendata.core.failpoints import reach
from opendata.ports.job_queue.port import Handler, RetryLater
from opendata.ports.sandbox.port import Limits
from opendata.publishing import files
from opendata.publishing.jobs import Journey
from opendata.tables.rows import fold
from opendata.tables.rows.engine import Lines, RowEngine, lines_of
from opendata.tables.rows.models import RowTable
from opendata.tables.rows.types import kept_as
from opendata.work.actor import SYSTEM

_LIMITS = Limits(memory=1 << 30, cpu_seconds=600.0, wall_seconds=900.0)


def jobs(journey: Journey, engine: RowEngine) -> dict[str, Handler]:
    """The jobs of rows that clients write, by their names."""
    return {
        "publishing.freeze": partial(freeze, journey, engine),
        "tables.fold": partial(fold.fold, journey.place, engine),
        "tables.forget": partial(fold.forget, journey.place, engine),
    }


def freeze(journey: Journey, engine: RowEngine, *, table_id: str) -> None:
    """Idempotent: a draft whose file has all its rows already stays as it is."""
    fold.fold(journey.place, engine, table_id=table_id)
    with journey.place.reading(SYSTEM) as work:
        table = work.session.get(RowTable, table_id)
        if table is None or table.frozen == table.seq:
            return
        lines = lines_of(table)
        with engine.room() as room, engine.state(work.session, lines) as state:
            engine.run("exporting:to_csv", {"state": state}, output=room, limits=_LIMITS)
            stored = store_file(journey.stores.inbox, room / "rows.csv")
    reach("freeze.stored")
    with journey.place.writing(SYSTEM) as work:
        table = work.session.execute(
            select(RowTable).where(RowTable.id == table_id).with_for_update()
        ).scalar_one_or_none()
        if table is None or table.seq != lines.seq:
            raise RetryLater(1.0)  # something was written meanwhile
        resource = work.session.get_one(Resource, table.resource_id)
        dataset = work.session.get_one(Dataset, resource.dataset_id)
        if dataset.draft_id != table.release_id:  # published, or given up
            return
        agency = work.session.get_one(Agency, dataset.agency_id)
        told = {"schema": schema_of(lines)}
        file = files.replace(work, dataset, agency, resource.id, stored, "rows.csv", told)
        table.frozen, table.frozen_file = lines.seq, file.id


def schema_of(lines: Lines) -> dict[str, Any]:
    """The Table Schema of the rows; the types that CKAN's clients know ride along."""
    key = list(lines.key)
    return {"fields": [_field(entry, key) for entry in lines.fields], **({"primaryKey": key} if key else {})}


def _field(entry: Mapping[str, Any], key: Sequence[str]) -> dict[str, Any]:
    info = entry.get("info") or {}
    words = {"title": info.get("label"), "description": info.get("notes")}
    kind = kept_as(entry["type"]).value
    return {
        "name": entry["id"],
        "type": kind,
        **({"format": "any"} if kind == "datetime" else {}),
        **{key: str(text) for key, text in words.items() if text},
        "x-ckan": {
            "type": entry["type"],
            **({"info": info} if info else {}),
            **({"key": key.index(entry["id"])} if entry["id"] in key else {}),
        },
    }
