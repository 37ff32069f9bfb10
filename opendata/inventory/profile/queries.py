"""Reads of the metadata profile."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opendata.core.errors import NotFound
from opendata.inventory.profile.fields import CityField
from opendata.inventory.profile.models import ProfileVersion
from opendata.work.unit import Work


def newest(work: Work) -> ProfileVersion | None:
    """The version in force; None while the city has no fields of its own."""
    query = select(ProfileVersion).order_by(ProfileVersion.version.desc()).limit(1)
    return work.session.execute(query).scalar_one_or_none()


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


def city_fields(work: Work) -> list[CityField]:
    """The fields in force, retired ones too, in their order."""
    return fields_of(newest(work))


def fields_of(found: ProfileVersion | None) -> list[CityField]:
    return [CityField(**field) for field in found.fields] if found else []
