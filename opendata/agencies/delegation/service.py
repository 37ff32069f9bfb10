"""A reviewer who will be away names who reviews meanwhile; the body's administrator does so for one who cannot."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.agencies import queries as agencies
from opendata.agencies.delegation.models import Delegation
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.work.actor import REVIEWING_ROLES, Scope
from opendata.work.unit import Work

LONGEST = timedelta(days=366)


def delegate(
    work: Work, agency: Agency, absent: User, to: User, *, first_day: date, last_day: date, reason: str
) -> Delegation:
    """The delegate reviews for the absent person in that body. What is delegated is not handed on: only granted roles count.

    Errors: `Forbidden("delegation_not_yours")`; `Conflict("delegation_overlaps")`; `Invalid` naming every wrong field.
    """
    _check_right(work, agency, absent)
    errors = [*_wrong_people(work, agency, absent, to), *_wrong_days(work, first_day, last_day)]
    if not reason.strip():
        errors.append(FieldError("reason", "missing"))
    if errors:
        raise Invalid(fields=errors)
    same = select(Delegation.id).where(
        Delegation.agency_id == agency.id,
        Delegation.absent_id == absent.id,
        Delegation.ended_at.is_(None),
        Delegation.first_day <= last_day,
        Delegation.last_day >= first_day,
    )
    if work.session.execute(same.limit(1)).first():
        raise Conflict("delegation_overlaps", user=absent.name)
    row = Delegation(
        id=new_id(),
        agency_id=agency.id,
        absent_id=absent.id,
        delegate_id=to.id,
        first_day=first_day,
        last_day=last_day,
        reason=clean_text(reason).strip()[:500],
        made_by=work.actor.id,
        made_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    _record(work, "delegation.made", row, absent, to, reason=row.reason)
    _tell(work, row, Occasion.DELEGATED, agency, absent, [to.id])
    return row


def end(work: Work, row: Delegation) -> None:
    """Ends it now; decisions that were made under it stand. `Conflict("delegation_over")` if it is over."""
    agency = work.session.get_one(Agency, row.agency_id)
    absent, to = work.session.get_one(User, row.absent_id), work.session.get_one(User, row.delegate_id)
    _check_right(work, agency, absent)
    if row.ended_at is not None or row.last_day < day_of(work.now):
        raise Conflict("delegation_over")
    row.ended_at = work.now
    work.session.flush()
    _record(work, "delegation.ended", row, absent, to)
    _tell(work, row, Occasion.DELEGATION_ENDED, agency, absent, [to.id])


def _check_right(work: Work, agency: Agency, absent: User) -> None:
    own = work.actor.id == absent.id and work.actor.can(Scope.REVIEW)
    if not (own or may_administer(work.actor, agency)):
        raise Forbidden("delegation_not_yours", agency=agency.name)


def _wrong_people(work: Work, agency: Agency, absent: User, to: User) -> list[FieldError]:
    roles = agencies.roles_of(work.session, absent.id)
    errors = []
    if not any((agency.id, role) in roles for role in REVIEWING_ROLES):
        errors.append(
            FieldError("absent", "absent_no_reviewer", {"user": absent.name, "agency": agency.name})
        )
    if to.id == absent.id:
        errors.append(FieldError("delegate", "delegate_is_absent"))
    elif not any(agency_id in agency.lineage for agency_id, _role in agencies.roles_of(work.session, to.id)):
        errors.append(FieldError("delegate", "delegate_outside", {"user": to.name, "agency": agency.name}))
    return errors


def _wrong_days(work: Work, first_day: date, last_day: date) -> list[FieldError]:
    today = day_of(work.now)
    if last_day < first_day:
        return [FieldError("last_day", "day_before_first", {"first_day": first_day.isoformat()})]
    if last_day < today:
        return [FieldError("last_day", "day_in_past", {"today": today.isoformat()})]
    if last_day - first_day > LONGEST:
        return [FieldError("last_day", "delegation_too_long", {"days": LONGEST.days})]
    return []


def _record(work: Work, action: str, row: Delegation, absent: User, to: User, **more: str) -> None:
    """The body is the subject: who knows a token's roles by heart looks them up again when its body changes."""
    work.record(
        action,
        "agency",
        row.agency_id,
        delegation=row.id,
        absent=absent.name,
        delegate=to.name,
        first_day=row.first_day.isoformat(),
        last_day=row.last_day.isoformat(),
        **more,
    )


def _tell(
    work: Work, row: Delegation, occasion: Occasion, agency: Agency, absent: User, to: list[str]
) -> None:
    notices.tell(
        work,
        [*to, absent.id],
        occasion,
        about=row.id,
        path="/console/delegations",
        absent=absent.called,
        agency=agency.title,
        first_day=row.first_day.isoformat(),
        last_day=row.last_day.isoformat(),
    )
