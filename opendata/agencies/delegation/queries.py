"""Reads of delegations. Days are Beijing's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select

from opendata.accounts.models import User
from opendata.agencies import queries as agencies
from opendata.agencies.delegation.models import Delegation
from opendata.agencies.models import Agency, Membership
from opendata.agencies.policy import may_administer
from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.work.actor import REVIEWING_ROLES, Role, Scope
from opendata.work.unit import Work


def in_force(work: Work) -> ColumnElement[bool]:
    today = day_of(work.now)
    return and_(Delegation.ended_at.is_(None), Delegation.first_day <= today, Delegation.last_day >= today)


def roles_of(work: Work, user_id: str) -> frozenset[tuple[str, Role]]:
    """(agency id, role) pairs that the person has today: the own ones, and those of absent reviewers."""
    lent = (
        select(Membership.agency_id, Membership.role)
        .join(
            Delegation,
            and_(Delegation.agency_id == Membership.agency_id, Delegation.absent_id == Membership.user_id),
        )
        .join(User, User.id == Delegation.absent_id)
        .where(
            Delegation.delegate_id == user_id,
            in_force(work),
            Membership.role.in_(REVIEWING_ROLES),
            User.active,
        )
    )
    found = {(agency_id, Role(role)) for agency_id, role in work.session.execute(lent)}
    return agencies.roles_of(work.session, user_id) | found


def stands_in_for(work: Work, user_id: str, agency: Agency, role: Role) -> str | None:
    """For whom the person reviews in that role of the body today; None if the role is the own one (or missing)."""
    own = agencies.roles_of(work.session, user_id)
    if any((agency_id, role) in own for agency_id in agency.lineage):
        return None
    query = (
        select(Delegation.absent_id)
        .join(
            Membership,
            and_(Delegation.agency_id == Membership.agency_id, Delegation.absent_id == Membership.user_id),
        )
        .where(
            Delegation.delegate_id == user_id,
            Delegation.agency_id.in_(agency.lineage),
            Membership.role == role.value,
            in_force(work),
        )
    )
    return work.session.execute(query.order_by(Delegation.made_at).limit(1)).scalar_one_or_none()


def holders(work: Work, agency: Agency, role: Role) -> Sequence[User]:
    """All who may review in that role of the body today, by name: with the role here or above, or for one who has it."""
    granted = select(Membership.user_id).where(
        Membership.agency_id.in_(agency.lineage), Membership.role == role.value
    )
    lent = (
        select(Delegation.delegate_id)
        .join(
            Membership,
            and_(Delegation.agency_id == Membership.agency_id, Delegation.absent_id == Membership.user_id),
        )
        .where(Membership.agency_id.in_(agency.lineage), Membership.role == role.value, in_force(work))
    )
    query = select(User).where(User.active, or_(User.id.in_(granted), User.id.in_(lent)))
    return work.session.execute(query.order_by(User.name)).scalars().all()


def seen(work: Work) -> Sequence[Delegation]:
    """The actor's (as absent or as delegate) and those of the bodies that the actor administers, the latest first."""
    query = select(Delegation).order_by(Delegation.first_day.desc()).limit(1000)
    found = work.session.execute(query).scalars().all()
    bodies = agencies.by_ids(work.session, {row.agency_id for row in found})
    return [row for row in found if _is_seen(work, row, bodies[row.agency_id])]


def find(work: Work, delegation_id: str) -> Delegation:
    """`NotFound("delegation_not_found")` for an unknown one and for other people's."""
    row = work.session.get(Delegation, delegation_id)
    if row is not None:
        agency = work.session.get_one(Agency, row.agency_id)
        if _is_seen(work, row, agency):
            return row
    raise NotFound("delegation_not_found", id=delegation_id[:100])


def _is_seen(work: Work, row: Delegation, agency: Agency) -> bool:
    """A token that is bound to one body sees that body's alone."""
    actor = work.actor
    inside = actor.agency_only is None or actor.agency_only in agency.lineage
    named = actor.id in (row.absent_id, row.delegate_id) and actor.can(Scope.READ)
    return inside and (named or may_administer(actor, agency))
