"""Named reads of who follows what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from opendata.accounts.models import User
from opendata.compat.ckan.following.models import Follow
from opendata.work.unit import Work


def followers(work: Work, object_id: str) -> Sequence[User]:
    """The first who began stands first."""
    query = (
        select(User)
        .join(Follow, Follow.follower_id == User.id)
        .where(Follow.object_id == object_id)
        .order_by(Follow.at, User.name)
    )
    return work.session.execute(query).scalars().all()


def numbers(work: Work, *kinds: str) -> Mapping[str, int]:
    """How many follow each thing of these kinds, by its id; nobody follows one that is not named."""
    query = select(Follow.object_id, func.count()).where(Follow.kind.in_(kinds)).group_by(Follow.object_id)
    return {row[0]: row[1] for row in work.session.execute(query)}


def number(work: Work, object_id: str) -> int:
    query = select(func.count()).select_from(Follow).where(Follow.object_id == object_id)
    return work.session.execute(query).scalar_one()


def followed(work: Work, user_id: str) -> Mapping[str, Sequence[str]]:
    """Ids of what somebody follows, by kind."""
    query = select(Follow.kind, Follow.object_id).where(Follow.follower_id == user_id).order_by(Follow.at)
    found: dict[str, list[str]] = {}
    for kind, object_id in work.session.execute(query):
        found.setdefault(kind, []).append(object_id)
    return found
