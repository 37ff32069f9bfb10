"""Theme groups (CKAN groups): made and edited by sysadmins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from opendata.catalog.models import Group
from opendata.core.errors import Conflict, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import check_name
from opendata.work.actor import Scope
from opendata.work.unit import Work


def create(work: Work, *, name: str, **details: Any) -> Group:
    """A new group. `Forbidden`, `Invalid`, `Conflict("name_taken")`."""
    check_administrator(work)
    if errors := check_name("name", name):
        raise Invalid(fields=errors)
    if work.session.execute(select(Group.id).where(Group.name == name)).first():
        raise Conflict("name_taken", name=name)
    group = Group(id=new_id(), name=name, created_at=work.now, **details)
    work.session.add(group)
    work.session.flush()
    work.record("group.created", "group", group.id, name=name)
    return group


def edit(work: Work, group: Group, changes: dict[str, Any]) -> Group:
    check_administrator(work)
    for field, value in changes.items():
        setattr(group, field, value)
    work.session.flush()
    work.record("group.edited", "group", group.id, fields=sorted(changes))
    return group


def check_administrator(work: Work) -> None:
    if not (work.actor.sysadmin and work.actor.can(Scope.ADMIN)):
        raise Forbidden("sysadmin_only")
