"""Reads of the city's table schemas for those who write and review them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opendata.catalog.codes import version_number
from opendata.catalog.library import queries as library
from opendata.catalog.library.models import SchemaState, SchemaVersion
from opendata.core.errors import NotFound
from opendata.validation.library.keeping import differences, policy
from opendata.validation.library.keeping.differences import Difference
from opendata.work.unit import Work

MOST = 1000


def find(work: Work, version_id: str) -> SchemaVersion:
    """`Forbidden("schema_readers_only")`, `NotFound("schema_version_not_found")`."""
    policy.check_reader(work.actor)
    found = work.session.get(SchemaVersion, version_id)
    if found is None:
        raise NotFound("schema_version_not_found", id=version_id[:100])
    return found


def listed(work: Work, state: SchemaState | None = None) -> Sequence[SchemaVersion]:
    """The newest first. `Forbidden("schema_readers_only")`."""
    policy.check_reader(work.actor)
    query = select(SchemaVersion).order_by(SchemaVersion.created_at.desc(), SchemaVersion.id.desc())
    if state is not None:
        query = query.where(SchemaVersion.state == state.value)
    return work.session.execute(query.limit(MOST)).scalars().all()


def changes(
    work: Work, schema: library.Schema, since: str | None = None
) -> tuple[str | None, list[Difference]]:
    """Against the version `since`, else the one before it: which that is (None for the first), and what differs.
    `NotFound("schema_not_found")`."""
    name, version = str(schema["name"]), str(schema["x-version"])
    known = library.versions(work.session, name)
    if since is not None and since not in known:
        raise NotFound("schema_not_found", id=f"{name}/{since}"[:100])
    lower = [one for one in known if version_number(one) < version_number(version)]
    before = since or next(iter(lower), None)
    return before, differences.between(known[before][0], schema) if before else []
