"""The light path: a correction of contact or wording needs one review instead of two.

Which fields are wording is data (`catalog_schemas/light_path.json`). The database's guard compares for itself, with the list
of its migration: what differs anywhere else never goes out by one review, whatever the services think.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import and_, select

from opendata.catalog import queries, views
from opendata.catalog.codes import codes
from opendata.catalog.content import content_hash
from opendata.catalog.models import Dataset, Release, ResourceVersion
from opendata.work.unit import Work

LIGHT_POLICY = "light"
"""`Release.policy` of a correction; the guard reads it."""


def is_light(release: Release) -> bool:
    return release.policy == LIGHT_POLICY


def fits(work: Work, dataset: Dataset, release: Release) -> bool:
    """Whether the release is a correction: it says something else than what is public now, in the allowed fields alone."""
    before = queries.release(work.session, dataset.published_id)
    if before is None or before.id == release.id or before.meta == release.meta:
        return False
    if _rest(before) != _rest(release) or not _same_resources(work, dataset, before, release):
        return False
    # Name, body and profile are the dataset's: what was approved still stands as it was.
    return content_hash(views.one(work.session, dataset, before)) == before.content_hash


def _rest(release: Release) -> str:
    """All but the wording, in the order in which it is stored: the guard on SQLite compares texts."""
    return json.dumps({key: held for key, held in release.meta.items() if key not in codes().light_fields})


def _same_resources(work: Work, dataset: Dataset, before: Release, release: Release) -> bool:
    """Whether both releases hold the very same rows of resources: nobody touched one."""

    def held(number: int) -> Any:
        return and_(
            ResourceVersion.shown_by(number),
        )

    query = select(ResourceVersion.id).where(ResourceVersion.dataset_id == dataset.id)
    found = [
        set(work.session.execute(query.where(held(number))).scalars())
        for number in (before.number, release.number)
    ]
    return found[0] == found[1]
