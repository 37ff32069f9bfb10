"""What an edit or a step changes: the difference of two moments, field by field. It is what a dry run shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opendata.catalog import queries, views
from opendata.catalog.content import document
from opendata.catalog.queries import LineRow
from opendata.catalog.views import DatasetView
from opendata.review.rounds import queries as rounds
from opendata.work.unit import Work

Difference = dict[str, Any]
"""{field, old, new}; None where there is nothing."""


@dataclass(frozen=True)
class Moment:
    """How a dataset stands: taken before an edit, because rows change under it."""

    fields: Mapping[str, Any]
    """The content by field, and the resource codes of the inventory lines."""
    state: str
    release_id: str
    release_state: str


def moment(view: DatasetView, lines: Sequence[LineRow]) -> Moment:
    codes = {"inventory": [line.resource_code for line in lines]} if lines else {}
    fields = dict(_places(document(view))) | codes
    return Moment(fields, view.dataset.state, view.release.id, view.release.state)


def differences(before: Moment | None, after: Moment) -> list[Difference]:
    """Fields of the metadata by name; of resources as `resources.<id>.<field>`; `inventory` as resource codes; `state` of
    the dataset and `release_state` of the release that was there before."""
    old = dict(before.fields) if before else {}
    new = dict(after.fields)
    if before:
        old["state"], new["state"] = before.state, after.state
    if before and before.release_id == after.release_id:
        old["release_state"], new["release_state"] = before.release_state, after.release_state
    return _between(old, new)


def since_published(work: Work, view: DatasetView) -> list[Difference]:
    """What the release changes of the one that is public now."""
    before = queries.release(work.session, view.dataset.published_id)
    if before is None or before.id == view.release.id:
        return []
    return differences(moment(views.one(work.session, view.dataset, before), ()), moment(view, ()))


def since_return(work: Work, view: DatasetView) -> list[Difference]:
    """What an author has changed since the release was returned last."""
    row = rounds.returned_before(work, view.release)
    if row is None or view.release.content_hash is None:
        return []
    return _between(dict(_places(row.content)), dict(_places(document(view))))


def _between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    return [
        {"field": field, "old": old.get(field), "new": new.get(field)}
        for field in [*old, *(f for f in new if f not in old)]
        if old.get(field) != new.get(field)
    ]


def _places(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", content["name"]
    yield from content["metadata"].items()
    for resource in content["resources"]:
        place = f"resources.{resource['id']}"
        for field, value in resource["metadata"].items():
            yield f"{place}.{field}", value
        if "file" in resource:
            yield f"{place}.file", resource["file"]
