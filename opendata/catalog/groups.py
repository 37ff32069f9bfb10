"""Theme groups across agencies (CKAN's groups): made and edited by sysadmins. Members are named in datasets' metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from opendata.catalog.models import Group
from opendata.core.checks import is_script_address
from opendata.core.errors import Conflict, Forbidden, Invalid, invalid
from opendata.core.ids import is_id, new_id
from opendata.core.names import check_name, clean_text
from opendata.work.unit import Work

_LENGTHS = {"title": 200, "description": 100_000, "image_url": 1000}


def create(work: Work, *, name: str, group_id: str | None = None, **details: Any) -> Group:
    """A new group. `details`: title, description, image_url, extras. `Conflict("name_taken")`, `Forbidden`."""
    _check_right(work)
    if errors := check_name("name", name):
        raise Invalid(fields=errors)
    if group_id is not None and not is_id(group_id):
        raise invalid("id", "bad_id", value=group_id[:100])
    keys = {name, group_id or name}
    taken = select(Group.name).where(Group.name.in_(keys) | Group.id.in_(keys))
    found = work.session.execute(taken).scalars().first()
    if found is not None:
        raise Conflict("name_taken" if found == name else "id_taken", name=name)
    group = Group(id=group_id or new_id(), name=name, created_at=work.now, **_cleaned(details))
    work.session.add(group)
    work.session.flush()
    work.record("group.created", "group", group.id, name=name)
    return group


def edit(work: Work, group: Group, changes: Mapping[str, Any]) -> Group:
    """Changes the named details."""
    _check_right(work)
    for field, value in _cleaned(changes).items():
        setattr(group, field, value)
    work.session.flush()
    work.record("group.edited", "group", group.id, fields=sorted(changes))
    return group


def close(work: Work, group: Group, *, free_name: bool) -> None:
    """Nobody sees the group any more; `free_name`: another one may take its name."""
    _check_right(work)
    work.record("group.purged" if free_name else "group.deleted", "group", group.id, name=group.name)
    group.active = False
    if free_name:
        group.name = f"purged-{group.id}"
    work.session.flush()


def _check_right(work: Work) -> None:
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")


def _cleaned(details: Mapping[str, Any]) -> dict[str, Any]:
    if is_script_address(details.get("image_url", "")):
        raise invalid("image_url", "not_web_address")
    return {
        field: clean_text(value)[: _LENGTHS[field]] if field in _LENGTHS else value
        for field, value in details.items()
    }
