"""Writes the log. Nobody names a change: it follows from what the log said last of a dataset and what the dataset is now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, not_, select, update

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, DatasetState, Release
from opendata.changes.models import Change, ChangeKind
from opendata.core.database import Written, table_of
from opendata.core.ids import new_id
from opendata.work.unit import Work

_GONE = (ChangeKind.WITHDRAWN, ChangeKind.PURGED)
_SAID = select(Change.kind).where(Change.dataset_id == Dataset.id).order_by(Change.position.desc()).limit(1)
_STANDING = (
    select(
        Dataset.id, Dataset.name, Dataset.agency_id, Dataset.state, Dataset.revision,
        not_(not_(PUBLIC_FILTER)).label("public"), Release.content_hash,
        _SAID.scalar_subquery().label("said"),
        select(func.coalesce(func.max(Change.position), 0)).scalar_subquery().label("last"),
    )
    .outerjoin(Release, Release.id == Dataset.published_id)
    .where(Dataset.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip
_SAY = Written(insert(table_of(Change)))


def follow(work: Work) -> None:
    """Notes what the work did to datasets that everybody sees, or saw. Called at its commit, behind the lock of the audit
    trail: the next one to get the lock sees these lines."""
    ids = list(dict(work.touched))
    found = {row.id: row for row in work.session.connection().execute(_STANDING, {"ids": ids})}
    lines: list[dict[str, Any]] = []
    for dataset in (found[one] for one in ids if one in found):
        before = ChangeKind(dataset.said) if dataset.said else None
        if kind := what_became(before, public=dataset.public, state=dataset.state):
            lines.append(_line(work, dataset, kind, position=dataset.last + len(lines) + 1))
    if lines:
        _SAY.send(work.session, *lines)
        _forget(work, lines)


def what_became(before: ChangeKind | None, *, public: bool, state: str) -> ChangeKind | None:
    """`before`: what was said last. None where there is nothing to say to the public."""
    if public:
        return ChangeKind.CREATED if before is None or before in _GONE else ChangeKind.UPDATED
    now = ChangeKind.PURGED if state == DatasetState.PURGED else ChangeKind.WITHDRAWN
    return None if before in (None, now, ChangeKind.PURGED) else now


def _line(work: Work, dataset: Row[Any], kind: ChangeKind, *, position: int) -> dict[str, Any]:
    return {
        "position": position,
        "id": new_id(),
        "kind": kind.value,
        "dataset_id": dataset.id,
        "name": None if kind is ChangeKind.PURGED else dataset.name,
        "agency_id": dataset.agency_id,
        "revision": dataset.revision,
        "content_hash": dataset.content_hash,
        "at": work.now,
    }


def _forget(work: Work, lines: Collection[Mapping[str, Any]]) -> None:
    """Older lines say no more of what is gone than the newest does."""
    gone = [line["dataset_id"] for line in lines if line["kind"] in _GONE]
    purged = [line["dataset_id"] for line in lines if line["kind"] == ChangeKind.PURGED]
    if gone:
        work.session.execute(update(Change).where(Change.dataset_id.in_(gone)).values(content_hash=None))
    if purged:
        work.session.execute(update(Change).where(Change.dataset_id.in_(purged)).values(name=None))
