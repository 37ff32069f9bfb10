"""Screening before the reviewers see a release: its metadata here, every row of its files in the sandbox (`tasks`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import bindparam, delete

from opendata.catalog.models import Release
from opendata.catalog.views import DatasetView
from opendata.core.ids import new_id
from opendata.review import identifiers
from opendata.review.identifiers import Found, Rule, Tally, summary
from opendata.review.models import Finding
from opendata.work.unit import Work


def screen_metadata(view: DatasetView, today: date) -> list[Found]:
    """Findings in the texts of the dataset's and its resources' metadata."""
    found: list[Found] = []
    for place, text in _texts(view):
        tallies: dict[Rule, Tally] = {}
        identifiers.scan(((0, run) for run in identifiers.runs(text)), today, tallies)
        found += summary(place, tallies)
    return found


_FORGET = (
    delete(Finding)
    .where(
        Finding.release_id == bindparam("release"),
        Finding.content_hash == bindparam("hash"),
        Finding.resource_id == bindparam("resource"),
    )
    .execution_options(synchronize_session=False)
)


def store(work: Work, release: Release, resource_id: str, found: Iterable[Found]) -> None:
    """Replaces the findings of one resource (or of the metadata, for an empty id) in the release's present content."""
    same = {"release": release.id, "hash": release.content_hash, "resource": resource_id}
    with work.session.no_autoflush:  # findings hang on nothing that is waiting to be written
        work.session.execute(_FORGET, same)
    for finding in found:
        work.session.add(
            Finding(
                id=new_id(),
                release_id=release.id,
                content_hash=release.content_hash or "",
                resource_id=resource_id,
                place=finding.place,
                rule=finding.rule,
                confident=finding.confident,
                count=finding.count,
                sample=list(finding.sample),
                found_at=work.now,
            )
        )


def _texts(view: DatasetView) -> Iterable[tuple[str, str]]:
    for name, value in view.meta.stored().items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            yield name, " ".join(map(str, value))
        elif isinstance(value, dict):
            for key, text in value.items():
                yield f"{name}.{key}", f"{key} {text}"
    for position, resource in enumerate(view.resources):
        for name, value in resource.meta.stored().items():
            yield f"resources.{position}.{name}", str(value)
        if resource.file:
            yield f"resources.{position}.file", resource.file.name
