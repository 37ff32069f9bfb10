"""Reasons of a rejection by field: each names a place of the content, and stands beside it on the author's draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.catalog.models import Release
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.core.errors import FieldError, Invalid
from opendata.core.ids import is_id
from opendata.core.names import clean_text
from opendata.review.models import Decision
from opendata.work.unit import Work

MOST = 100
OTHER_PLACES = frozenset({"inventory", "resources"})
FILE = "file"


@dataclass(frozen=True)
class Remark:
    """One reason, and the reviewer's name."""

    reason: str
    reviewer: str
    kind: str


def checked(given: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """[{field, reason}], cleaned. `Invalid` naming each that has no such field, or says nothing."""
    errors, found = [], []
    for position, entry in enumerate(given[:MOST]):
        field, reason = entry.get("field", "").strip(), clean_text(entry.get("reason", "")).strip()[:2000]
        if not is_place(field):
            errors.append(FieldError(f"fields.{position}.field", "unknown_place", {"value": field[:100]}))
        if not reason:
            errors.append(FieldError(f"fields.{position}.reason", "missing"))
        found.append({"field": field, "reason": reason})
    if errors:
        raise Invalid(fields=errors)
    return found


def is_place(field: str) -> bool:
    """A field of the metadata, `city_fields.<name>`, `inventory`, `resources`, `resources.<id>`, or `resources.<id>.<field>`."""
    head, *rest = field.split(".")
    if head == "resources" and rest:
        return is_id(rest[0]) and (len(rest) == 1 or (len(rest) == 2 and _of_resource(rest[1])))
    if head == "city_fields" and len(rest) == 1:
        return bool(rest[0])
    return not rest and (head in DatasetMeta.model_fields or head in OTHER_PLACES)


def remarks(work: Work, release: Release) -> dict[str, list[Remark]]:
    """By place: why the release was returned, if that was the last decision about it. Those of a resource's field stand
    under the resource."""
    query = select(Decision, User).join(User, User.id == Decision.reviewer_id)
    query = query.where(Decision.release_id == release.id).order_by(Decision.decided_at.desc()).limit(1)
    found: dict[str, list[Remark]] = {}
    for decision, user in work.session.execute(query):
        for entry in decision.field_reasons:  # an approval has none
            place = ".".join(entry["field"].split(".")[:2])
            remark = Remark(entry["reason"], user.called, decision.kind)
            found.setdefault(place, []).append(remark)
    return found


def places(resource_ids: Iterable[str]) -> list[str]:
    """What a reviewer can name on one release: the fields of its metadata, then its files."""
    return [*DatasetMeta.model_fields, "inventory", "resources", *(f"resources.{i}" for i in resource_ids)]


def _of_resource(name: str) -> bool:
    return name == FILE or name in ResourceMeta.model_fields or name == "schema"
