"""Reads of public bodies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendata.accounts.models import User
from opendata.agencies.models import Agency, Membership
from opendata.core.errors import NotFound
from opendata.work.actor import Role
from opendata.work.unit import Work

_FIND = select(Agency).where(
    (Agency.name == bindparam("key")) | (Agency.id == bindparam("key")), Agency.active
)


def find(work: Work, id_or_name: str) -> Agency:
    """`NotFound("agency_not_found")` if there is none, or it was closed."""
    agency = work.session.execute(_FIND, {"key": id_or_name}).scalar_one_or_none()
    if agency is None:
        raise NotFound("agency_not_found", id=id_or_name[:100])
    return agency


def is_named(work: Work, key: str) -> bool:
    """Whether a body, a closed one too, has that name or id."""
    query = select(Agency.id).where((Agency.name == key) | (Agency.id == key))
    return work.session.execute(query).first() is not None


def every(work: Work, *, parent_id: str | None = None) -> Sequence[Agency]:
    """All active bodies, or those right below one, by name."""
    query = select(Agency).where(Agency.active)
    if parent_id is not None:
        query = query.where(Agency.parent_id == parent_id)
    return work.session.execute(query.order_by(Agency.name)).scalars().all()


def under(work: Work, agency: Agency) -> list[Agency]:
    """All active bodies below one, however far, by name."""
    return [body for body in every(work) if agency.id in body.lineage[1:]]


def by_ids(session: Session, ids: Iterable[str]) -> dict[str, Agency]:
    """Bodies by id. One that the session holds already costs nothing."""
    wanted = list(ids)
    if len(wanted) == 1:
        agency = session.get(Agency, wanted[0])
        return {agency.id: agency} if agency else {}
    return {
        agency.id: agency for agency in session.execute(select(Agency).where(Agency.id.in_(wanted))).scalars()
    }


def roles_of(session: Session, user_id: str) -> frozenset[tuple[str, Role]]:
    """(agency id, role) pairs as granted, for the authenticator."""
    rows = session.execute(select(Membership.agency_id, Membership.role).where(Membership.user_id == user_id))
    return frozenset((agency_id, Role(role)) for agency_id, role in rows)


def members(work: Work, agency: Agency) -> list[tuple[User, list[Role]]]:
    """The body's people and their roles, by name."""
    return members_of(work, [agency]).get(agency.id, [])


def members_of(work: Work, agencies: Collection[Agency]) -> dict[str, list[tuple[User, list[Role]]]]:
    """The same of many bodies, by their ids, in one statement."""
    rows = work.session.execute(
        select(Membership.agency_id, User, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.agency_id.in_([agency.id for agency in agencies]))
        .order_by(User.name, Membership.role)
    )
    found: dict[str, dict[str, tuple[User, list[Role]]]] = {}
    for agency_id, user, role in rows:
        found.setdefault(agency_id, {}).setdefault(user.id, (user, []))[1].append(Role(role))
    return {agency_id: list(people.values()) for agency_id, people in found.items()}


class Directory:
    """Names and ids of bodies, for the floors below that cannot ask themselves."""

    def id_of(self, work: Work, id_or_name: str) -> str:
        return find(work, id_or_name).id

    def names(self, work: Work, ids: Iterable[str]) -> Mapping[str, str]:
        """Names by id; unknown ids are left out."""
        return {agency_id: agency.name for agency_id, agency in by_ids(work.session, ids).items()}
