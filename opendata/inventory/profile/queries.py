"""Reads of the metadata profile."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opendata.core.errors import NotFound
from opendata.inventory.profile.fields import CityField, Scope
from opendata.inventory.profile.models import ProfileVersion
from opendata.work.unit import Work

NEWEST = "metadata profile in force"
FIELDS = "fields of the city in force"
_NEWEST = select(ProfileVersion).order_by(ProfileVersion.version.desc()).limit(1)


def newest(work: Work) -> ProfileVersion | None:
    """The version in force; None while the city has no fields of its own. Read once in a unit of work."""
    return work.once(NEWEST, lambda: work.session.execute(_NEWEST).scalar_one_or_none())


def version(work: Work, number: int) -> ProfileVersion:
    """`NotFound("profile_version_not_found")` if there is none."""
    found = work.session.get(ProfileVersion, number)
    if found is None:
        raise NotFound("profile_version_not_found", version=number)
    return found


def versions(work: Work) -> Sequence[ProfileVersion]:
    """All of them, the newest first."""
    query = select(ProfileVersion).order_by(ProfileVersion.version.desc())
    return work.session.execute(query).scalars().all()


def every_field(work: Work) -> Sequence[CityField]:
    """The fields in force, retired ones too, in their order."""
    return work.rule(FIELDS, ("metadata_profile",), lambda: tuple(fields_of(newest(work))))


def city_fields(work: Work) -> list[CityField]:
    """Those of datasets."""
    return [field for field in every_field(work) if field.is_of(Scope.DATASET)]


def line_fields(work: Work) -> list[CityField]:
    """Those of inventory lines."""
    return [field for field in every_field(work) if field.is_of(Scope.LINE)]


def fields_of(found: ProfileVersion | None) -> list[CityField]:
    return [CityField(**field) for field in found.fields] if found else []
