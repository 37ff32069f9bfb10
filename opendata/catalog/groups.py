"""Theme groups across agencies (CKAN's groups): made by sysadmins, edited by them and by the group's admins. Which datasets
are in one is named in their metadata."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.catalog.models import Group, GroupMember
from opendata.catalog.queries import groups, groups_changed
from opendata.core.checks import is_script_address
from opendata.core.errors import Conflict, Forbidden, Invalid, invalid
from opendata.core.ids import is_id, new_id
from opendata.core.names import check_name, clean_text
from opendata.work.actor import Scope
from opendata.work.unit import Work


class Capacity(StrEnum):
    """What somebody is in a group."""

    ADMIN = "admin"
    EDITOR = "editor"
    MEMBER = "member"


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
    groups_changed(work)
    work.record("group.created", "group", group.id, name=name)
    return group


def edit(work: Work, group: Group, changes: Mapping[str, Any]) -> Group:
    """Changes the named details; `name` is no detail, `rename` changes it."""
    _check_admin(work, group)
    for field, value in _cleaned(changes).items():
        setattr(group, field, value)
    work.session.flush()
    groups_changed(work)
    work.record("group.edited", "group", group.id, fields=sorted(changes))
    return group


def set_parents(work: Work, group: Group, parents: Sequence[Group]) -> None:
    """The group is below these afterwards. `Conflict("group_above_itself")`."""
    _check_admin(work, group)
    if any(group.id in _lineage(work, parent) for parent in parents):
        raise Conflict("group_above_itself", group=group.name)
    group.parents = [parent.id for parent in parents]
    work.session.flush()
    work.record("group.parents_set", "group", group.id, parents=[parent.name for parent in parents])


def _lineage(work: Work, group: Group) -> set[str]:
    """Ids of the group and of all above it."""
    every = {other.id: other for other in groups(work)}
    found, todo = set(), [group.id]
    while todo:
        step = todo.pop()
        if step not in found:
            found.add(step)
            todo += every[step].parents if step in every else []
    return found


def rename(work: Work, group: Group, name: str) -> None:
    """Another name. `Conflict("name_taken")`. For a group that no release names."""
    _check_admin(work, group)
    if errors := check_name("name", name):
        raise Invalid(fields=errors)
    if work.session.execute(select(Group.id).where((Group.name == name) | (Group.id == name))).first():
        raise Conflict("name_taken", name=name)
    work.record("group.renamed", "group", group.id, before=group.name, after=name)
    group.name = name
    work.session.flush()
    groups_changed(work)


def close(work: Work, group: Group, *, free_name: bool) -> None:
    """Nobody sees the group any more; `free_name`: another one may take its name, which is for sysadmins."""
    if free_name:
        _check_right(work)
    _check_admin(work, group)
    work.record("group.purged" if free_name else "group.deleted", "group", group.id, name=group.name)
    group.active = False
    if free_name:
        group.name = f"purged-{group.id}"
    work.session.flush()
    groups_changed(work)


def members_of(work: Work, groups: Collection[Group]) -> dict[str, list[tuple[User, Capacity]]]:
    """The groups' people, by name, by the groups' ids, in one statement."""
    rows = work.session.execute(
        select(GroupMember.group_id, User, GroupMember.capacity)
        .join(GroupMember, GroupMember.user_id == User.id)
        .where(GroupMember.group_id.in_([group.id for group in groups]), User.active)
        .order_by(User.name)
    )
    found: dict[str, list[tuple[User, Capacity]]] = {}
    for group_id, user, capacity in rows:
        found.setdefault(group_id, []).append((user, Capacity(capacity)))
    return found


def of_user(work: Work, user_id: str) -> Mapping[str, Capacity]:
    """What somebody is in groups, by their ids."""
    mine = select(GroupMember.group_id, GroupMember.capacity).where(GroupMember.user_id == user_id)
    return {group_id: Capacity(capacity) for group_id, capacity in work.session.execute(mine)}


def set_member(work: Work, group: Group, user: User, capacity: Capacity | None) -> None:
    """The person is that in the group afterwards; None: nothing."""
    _check_admin(work, group)
    held = work.session.get(GroupMember, (group.id, user.id))
    if held is not None:
        work.session.delete(held)
        work.session.flush()
    if capacity is not None:
        work.session.add(
            GroupMember(group_id=group.id, user_id=user.id, capacity=capacity.value, granted_at=work.now)
        )
    work.session.flush()
    work.record("group.member_set", "group", group.id, user=user.name, capacity=str(capacity or ""))


def may_administer(work: Work, group: Group) -> bool:
    """Edit the group and its people."""
    actor = work.actor
    if actor.id is None or not actor.can(Scope.ADMIN):
        return actor.sysadmin and actor.system
    if actor.sysadmin:
        return True
    held = work.session.get(GroupMember, (group.id, actor.id)) if actor.agency_only is None else None
    return held is not None and held.capacity == Capacity.ADMIN.value


def _check_admin(work: Work, group: Group) -> None:
    if not may_administer(work, group):
        raise Forbidden("group_admin_only", group=group.name)


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
