"""The tree of public bodies and the roles people have in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select

from opendata.accounts.models import User
from opendata.agencies import policy, queries
from opendata.agencies.models import Agency, Membership
from opendata.core.checks import is_email, is_region, is_script_address, is_uscc, is_web_address
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.ids import is_id, new_id
from opendata.core.names import check_name
from opendata.work.actor import Role
from opendata.work.unit import Work

_MEANINGS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "region_code": (is_region, "unknown_region"),
    "contact_email": (is_email, "bad_email"),
    "image_url": (is_web_address, "not_web_address"),
}
"""What a field has to be, if it is filled, and the error if it is not."""


def create(
    work: Work,
    *,
    name: str,
    title: str,
    parent: str | None = None,
    agency_id: str | None = None,
    free: Collection[str] = (),
    **details: Any,
) -> Agency:
    """A new body. A sysadmin makes any; an admin of a body makes those below it. A caller may choose the id (CKAN's
    clients carry theirs over), but never one that exists."""
    above = queries.find(work, parent) if parent else None
    if not (work.actor.sysadmin or (above and policy.may_administer(work.actor, above))):
        raise Forbidden("agency_admin_only")
    errors = check(work, {"name": name, **details}, free=free)
    if agency_id is not None and not is_id(agency_id):
        errors.append(FieldError("id", "bad_id", {"value": agency_id[:100]}))
    if errors:
        raise Invalid(fields=errors)
    agency_id = (agency_id or new_id()).lower()
    keys = {name, agency_id}  # of which nobody may have either as name or as id: they are asked for alike
    if work.session.execute(select(Agency.id).where(Agency.name.in_(keys) | Agency.id.in_(keys))).first():
        raise Conflict("name_taken", name=name)
    agency = Agency(
        id=agency_id,
        name=name,
        title=title,
        parent_id=above.id if above else None,
        lineage=[agency_id, *(above.lineage if above else [])],
        created_at=work.now,
        updated_at=work.now,
        **details,
    )
    work.session.add(agency)
    work.session.flush()
    work.record("agency.created", "agency", agency.id, name=name, title=title)
    return agency


def edit(work: Work, agency: Agency, changes: dict[str, Any], *, free: Collection[str] = ()) -> Agency:
    """Changes the named fields."""
    if not policy.may_administer(work.actor, agency):
        raise Forbidden("agency_admin_only")
    errors = [FieldError(f, "missing") for f, value in changes.items() if value is None and f != "uscc"]
    news = _news(agency, changes)
    if errors := errors + check(work, news, agency, free=free):
        raise Invalid(fields=errors)
    for field, value in changes.items():
        setattr(agency, field, value)
    agency.updated_at = work.now
    work.session.flush()
    work.record("agency.edited", "agency", agency.id, fields=sorted(changes))
    if news:
        work.enqueue("search.renew", {"agency_id": agency.id})
    return agency


def move_under(work: Work, agency: Agency, above: Agency | None) -> None:
    """Another body above it, or none. The tree says whose reviewers decide, so it is for sysadmins. `Conflict("body_above_itself")`."""
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")
    if above is not None and agency.id in above.lineage:
        raise Conflict("body_above_itself", agency=agency.name)
    below, before = queries.under(work, agency), len(agency.lineage)
    agency.parent_id = above.id if above else None
    lineage = [agency.id, *(above.lineage if above else [])]
    for body in (agency, *below):
        body.lineage = [*body.lineage[:-before], *lineage]
        body.updated_at = work.now
    work.session.flush()
    work.record("agency.moved", "agency", agency.id, parent=above.name if above else "")


def check(
    work: Work, fields: Mapping[str, Any], own: Agency | None = None, *, free: Collection[str] = ()
) -> list[FieldError]:
    """What makes no sense in these fields of a body; `own` is the one that has them. `free` fields may hold any text but
    an address that would run in a reader's browser."""
    errors = check_name("name", fields["name"]) if fields.get("name") else []
    errors += _check_uscc(work, fields.get("uscc"), own)
    for field, (means, code) in _MEANINGS.items():
        value = fields.get(field)
        if value and not means(value) and (field not in free or is_script_address(value)):
            errors.append(FieldError(field, code, {"value": value[:100]}))
    return errors


def _news(agency: Agency, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the body does not have already: that is not judged again."""
    return {field: value for field, value in changes.items() if value != getattr(agency, field)}


def set_roles(work: Work, agency: Agency, user: User, roles: Iterable[Role]) -> None:
    """The person has exactly these roles in the body afterwards."""
    if not policy.may_administer(work.actor, agency):
        raise Forbidden("agency_admin_only")
    wanted = set(roles)
    work.session.execute(
        delete(Membership).where(Membership.agency_id == agency.id, Membership.user_id == user.id)
    )
    for role in sorted(wanted):
        work.session.add(
            Membership(agency_id=agency.id, user_id=user.id, role=role.value, granted_at=work.now)
        )
    work.session.flush()
    work.record("agency.roles_set", "agency", agency.id, user=user.name, roles=sorted(wanted))


def grant(work: Work, agency: Agency, user: User, role: Role) -> None:
    """Adds one role to those the person has."""
    held = {r for member, roles in queries.members(work, agency) if member.id == user.id for r in roles}
    set_roles(work, agency, user, held | {role})


def _check_uscc(work: Work, uscc: str | None, own: Agency | None) -> list[FieldError]:
    if not uscc:
        return []
    if not is_uscc(uscc):
        return [FieldError("uscc", "bad_uscc", {"value": uscc[:30]})]
    holder = work.session.execute(select(Agency).where(Agency.uscc == uscc)).scalar_one_or_none()
    if holder is not None and (own is None or holder.id != own.id):
        return [FieldError("uscc", "uscc_taken", {"agency": holder.name})]
    return []
