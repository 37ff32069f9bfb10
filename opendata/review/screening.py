"""Screening before the reviewers see a release: its metadata here, every row of its files in the sandbox (`tasks`)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from opendata.catalog.library import queries as library
from opendata.catalog.models import Release
from opendata.catalog.profile import ResourceMeta
from opendata.catalog.views import DatasetView
from opendata.core.database import table_of
from opendata.review.detect import texts
from opendata.review.detect.rules import Found, Rule
from opendata.review.models import Finding
from opendata.work.unit import Work

CONTACTS = frozenset(
    {
        "contact_name",
        "contact_phone",
        "contact_email",
        "author",
        "author_email",
        "maintainer",
        "maintainer_email",
    }
)
"""Fields that hold an official contact: its number and mailbox are meant to be public."""


def screen_metadata(view: DatasetView, today: date) -> list[Found]:
    """Findings in the texts of the dataset's and its resources' metadata, and in the names of its files."""
    told = list(fields(view))
    if not texts.may_hold("\n".join(text for _place, text in told)):
        return []
    return [
        found
        for place, text in told
        for found in texts.scan(place, text, today, texts.CONTACT if place in CONTACTS else frozenset())
    ]


def hints_of(session: Session, meta: ResourceMeta) -> dict[str, dict[str, Any]]:
    """`hints` of the ready schema that a resource names; none where its author has given one of the own."""
    named = "" if meta.table_schema else meta.schema_name
    return hints(library.find(session, named) if named else None)


def hints(schema: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """What the ready schema that a resource names says of its columns, by the fields' names and titles. An author's own
    schema is no witness."""
    if schema is None:
        return {}
    kinds = next((f for f in schema["fields"] if "自然人" in f.get("constraints", {}).get("enum", ())), None)
    found = {}
    for field in schema["fields"]:
        hint = _hint(schema, field)
        if hint["mask"] == "name_if_natural_person" and kinds is not None:
            hint |= {"natural": "自然人", "kinds": str(kinds["name"])}
        found[str(field.get("title") or field["name"])] = found[str(field["name"])] = hint
    return found


def _hint(schema: Mapping[str, Any], field: Mapping[str, Any]) -> dict[str, Any]:
    mask = str(field.get("x-mask", ""))
    return {
        "field": str(field["name"]),
        "title": str(field.get("title", "")),
        "mask": mask,
        "statutory": bool(schema.get("x-legal-basis")) and mask in ("", "public_by_law"),
    }


_FINDING = table_of(Finding)
_SCREENED = select(_FINDING.c.resource_id).where(
    _FINDING.c.release_id == bindparam("release"), _FINDING.c.content_hash == bindparam("hash")
)
_FORGET = delete(_FINDING).where(
    _FINDING.c.release_id == bindparam("release"),
    _FINDING.c.content_hash == bindparam("hash"),
    _FINDING.c.resource_id == bindparam("resource"),
)


def store(work: Work, release: Release, found: Mapping[str, Iterable[Found]]) -> bool:
    """Replaces the findings of each resource (and of the metadata, for an empty id) in the release's present content;
    whether there are any in it now."""
    same = {"release": release.id, "hash": release.content_hash}
    connection = work.session.connection()  # findings hang on nothing that is waiting to be written
    before = set() if release.id in work.made else set(connection.execute(_SCREENED, same).scalars())
    for resource_id in before & found.keys():
        connection.execute(_FORGET, {**same, "resource": resource_id})
    for resource_id, findings in found.items():
        _add(work, release, resource_id, findings)
    if any(found.values()):
        work.session.flush()
        work.made.discard(release.id)
    return bool(before - found.keys()) or any(found.values())


def _add(work: Work, release: Release, resource_id: str, found: Iterable[Found]) -> None:
    for finding in found:
        work.session.add(
            Finding(
                id=_id(release, resource_id, finding),
                release_id=release.id,
                content_hash=release.content_hash or "",
                resource_id=resource_id,
                place=finding.place,
                rule=finding.rule,
                confident=finding.confident,
                count=finding.count,
                sample=list(finding.sample),
                reason=finding.reason,
                suggestion=finding.suggestion,
                column_number=finding.column,
                found_at=work.now,
            )
        )


def _id(release: Release, resource_id: str, finding: Found) -> str:
    """The same however often the content is screened."""
    return str(
        uuid.uuid5(
            uuid.UUID(release.id),
            "\n".join((release.content_hash or "", resource_id, finding.place, finding.rule)),
        )
    )


def forget(work: Work, release: Release) -> None:
    """All findings of a release that is discarded."""
    work.session.execute(delete(Finding).where(Finding.release_id == release.id))


def not_screened(name: str, limit: str) -> Found:
    """A file that could not be read within the limits: somebody has to look at it."""
    return Found(name[:300], Rule.NOT_SCREENED, True, 1, [], f"limit_{limit}", "look")


def fields(view: DatasetView) -> Iterator[tuple[str, str]]:
    """Every text of the metadata with its place: `title`, `extras.KEY`, `resources.0.name`, `resources.0.file`."""
    for name, value in view.meta.stored().items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            yield name, "\n".join(map(str, value))
        elif isinstance(value, dict):
            for key, text in value.items():
                yield f"{name}.{key}"[:300], f"{key} {text}"
    for position, resource in enumerate(view.resources):
        for name, value in resource.meta.stored().items():
            yield f"resources.{position}.{name}", str(value)
        if resource.file:
            yield f"resources.{position}.file", resource.file.name
