"""Members of organizations and groups: people, and the datasets that are in a group.

CKAN's capacities as our roles: its admin and editor are ours, its member reads. A reviewer's roles are nobody's business
here: they are kept when another capacity is given, and end with the membership.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from opendata.access import policy
from opendata.accounts import service as accounts
from opendata.accounts.models import User
from opendata.agencies import queries as agency_queries
from opendata.agencies import service as agencies
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer, may_see_drafts
from opendata.catalog import groups as circles
from opendata.catalog import queries
from opendata.catalog.groups import Capacity
from opendata.catalog.models import Dataset, Group
from opendata.compat.ckan.datasets import edit_groups, editable
from opendata.compat.ckan.packages import find
from opendata.compat.ckan.search import packages_in_groups
from opendata.compat.ckan.wire import MISSING, Call, denied, not_found, text_of, wrong
from opendata.core.errors import NotFound
from opendata.work.actor import Role
from opendata.work.unit import Work

ROLES = {"admin": "Admin", "editor": "Editor", "member": "Member"}
"""Capacities, and how CKAN writes them in lists."""
_OF_OURS: Mapping[str, Role] = {"admin": Role.ADMIN, "editor": Role.EDITOR, "member": Role.MEMBER}
_MEMBERS = uuid.UUID("0b6c2a54-63d5-5f8e-9f60-0a0cf3ee8a11")
"""Namespace of ids of memberships: CKAN gives them ids, we derive them."""


def member_list(call: Call) -> list[list[str]]:
    """(id, type, capacity) of the datasets and, for those who work for it, of the people of an organization or a group.
    `object_type` (user, package), `capacity`."""
    circle = find_circle(call, "id")
    wanted, capacity = text_of(call.args, "object_type"), text_of(call.args, "capacity")
    found = [[user.id, "user", held] for user, held in people_of(call.work, circle)]
    found += [[dataset_id, "package", "public"] for dataset_id in _packages(call, circle)]
    return [
        [key, kind, ROLES.get(held, held)]
        for key, kind, held in found
        if wanted in ("", kind) and capacity in ("", held)
    ]


def member_roles_list(call: Call) -> list[dict[str, str]]:
    """The capacities that somebody may have. `group_type` (organization, group)."""
    left_out = "editor" if text_of(call.args, "group_type", "organization") == "group" else ""
    return [{"text": text, "value": value} for value, text in ROLES.items() if value != left_out]


def organization_member_create(call: Call) -> dict[str, Any]:
    """Makes somebody a member. `id` (of the organization), `username`, `role` (admin, editor, member)."""
    return _add_person(call)


def group_member_create(call: Call) -> dict[str, Any]:
    """Makes somebody a member. `id` (of the group), `username`, `role` (admin, editor, member)."""
    return _add_person(call)


def organization_member_delete(call: Call) -> None:
    """Ends a membership. `id` (of the organization), `username`."""
    _remove_person(call)


def group_member_delete(call: Call) -> None:
    """Ends a membership. `id` (of the group), `username`."""
    _remove_person(call)


def member_create(call: Call) -> dict[str, Any]:
    """Makes an object a member. `id` (of an organization or a group), `object`, `object_type` (user, package), `capacity`."""
    _need_all(call, "id", "object", "object_type", "capacity")
    circle = _circle_for_change(call, "member_create")
    kind, key = _object(call)
    capacity = text_of(call.args, "capacity")
    if kind == "package":
        dataset = _package(call, key)
        _put(call, circle, dataset, inside=True)
        return _member(circle, kind, dataset.id, capacity)
    user = _user(call, key)
    if capacity not in ROLES:
        raise wrong({"capacity": ["role does not exist."]})
    return _set_person(call, circle, user, capacity)


def member_delete(call: Call) -> None:
    """Ends an object's membership. `id` (of an organization or a group), `object`, `object_type` (user, package)."""
    _need_all(call, "id", "object", "object_type")
    circle = _circle_for_change(call, "member_delete")
    kind, key = _object(call)
    if kind == "package":
        _put(call, circle, _package(call, key), inside=False)
    else:
        _unset_person(call, circle, _user(call, key))


# -- what organizations and groups tell of their people --------------------------------------------------------------


def people_of(work: Work, circle: Agency | Group) -> list[tuple[User, str]]:
    """Its people with their capacities; for those who work for it, or run the site, only."""
    return people_of_all(work, [circle]).get(circle.id, [])


def people_of_all(work: Work, every: Sequence[Agency | Group]) -> dict[str, list[tuple[User, str]]]:
    """The same of many organizations and groups, by their ids."""
    bodies = [body for body in every if isinstance(body, Agency) and may_see_drafts(work.actor, body)]
    groups = [group for group in every if isinstance(group, Group)]
    if groups and not work.actor.sysadmin:
        mine = circles.of_user(work, work.actor.id or "")
        groups = [group for group in groups if group.id in mine]
    found: dict[str, list[tuple[User, str]]] = {}
    for body_id, people in (agency_queries.members_of(work, bodies) if bodies else {}).items():
        found[body_id] = [(user, capacity_of(roles)) for user, roles in people]
    for group_id, members in (circles.members_of(work, groups) if groups else {}).items():
        found[group_id] = [(user, capacity.value) for user, capacity in members]
    return found


def capacity_of(roles: Iterable[Role]) -> str:
    held = set(roles)
    if Role.ADMIN in held:
        return "admin"
    return "editor" if Role.EDITOR in held else "member"


def invited_to(call: Call, key: str) -> Callable[[User, str], None]:
    """What makes a person a member of an organization or a group, if the caller may invite there."""
    circle = _circle(call.work, key)
    if circle is None:
        raise not_found()
    if not _may_administer(call, circle) or not call.work.actor.sysadmin:
        raise denied(f"User {call.caller} not authorized to add members")

    def join(user: User, capacity: str) -> None:
        _set_person(call, circle, user, capacity)

    return join


# -- the parts -------------------------------------------------------------------------------------------------------


def find_circle(call: Call, name: str) -> Agency | Group:
    """An organization or a group by its name or id. Not Found."""
    key = text_of(call.args, name)
    if not key:
        raise wrong({name: [MISSING]})
    found = _circle(call.work, key)
    if found is None:
        raise not_found()
    return found


def _circle(work: Work, key: str) -> Agency | Group | None:
    try:
        return agency_queries.find(work, key)
    except NotFound:
        pass
    try:
        return queries.group(work, key)
    except NotFound:
        return None


def _may_administer(call: Call, circle: Agency | Group) -> bool:
    if isinstance(circle, Agency):
        return may_administer(call.work.actor, circle)
    return circles.may_administer(call.work, circle)


def _need_all(call: Call, *names: str) -> None:
    missing = [name for name in names if call.args.get(name) in (None, "")]
    if missing:
        raise wrong({name: [MISSING] for name in missing})


def _circle_for_change(call: Call, action: str) -> Agency | Group:
    """The organization or group whose admin the caller is. Nothing is told to those who are not."""
    if call.work.actor.is_public:
        raise denied(f"Action {action} requires an authenticated user")
    found = _circle(call.work, text_of(call.args, "id"))
    if found is None:
        raise not_found("Group was not found.")
    if not _may_administer(call, found) and text_of(call.args, "object_type", "user") == "user":
        raise denied(f"User {call.work.actor.name} not authorized to edit group {found.id}")
    return found


def _object(call: Call) -> tuple[str, str]:
    kind = text_of(call.args, "object_type")
    if kind not in ("user", "package"):
        raise wrong({"message": f"{kind.title()[:100]} isn't a valid model"})
    return kind, text_of(call.args, "object")


def _user(call: Call, key: str) -> User:
    try:
        return accounts.find_user(call.work, key)
    except NotFound:
        raise not_found("User was not found.") from None


def _package(call: Call, key: str) -> Dataset:
    try:
        return find(call.work, key)
    except NotFound:
        raise not_found("Package was not found.") from None


def _add_person(call: Call) -> dict[str, Any]:
    if call.work.actor.is_public:
        raise denied("User  not authorized to add members")
    args = call.args
    missing = [name for name in ("id", "username", "role") if args.get(name) in (None, "")]
    if missing:
        raise wrong({name: [MISSING] for name in missing})
    circle = _circle(call.work, text_of(args, "id"))
    if circle is None:
        raise wrong({"id": ["That group name or ID does not exist."]})
    if not _may_administer(call, circle):
        raise denied(f"User {call.work.actor.name} not authorized to add members")
    try:
        user = accounts.find_user(call.work, text_of(args, "username"))
    except NotFound:
        raise wrong({"username": ["User not found"]}) from None
    if text_of(args, "role") not in ROLES:
        raise wrong({"role": ["role does not exist."]})
    return _set_person(call, circle, user, text_of(args, "role"))


def _remove_person(call: Call) -> None:
    circle = _circle_for_change(call, "member_delete")
    _unset_person(call, circle, _user(call, text_of(call.args, "username") or text_of(call.args, "user_id")))


def _set_person(call: Call, circle: Agency | Group, user: User, capacity: str) -> dict[str, Any]:
    if user.id == call.work.actor.id and capacity != "admin" and _held(call.work, circle, user) == "admin":
        raise denied("Administrators cannot revoke their own admin status")
    if isinstance(circle, Agency):
        kept = _roles(call.work, circle, user) - set(_OF_OURS.values())
        agencies.set_roles(call.work, circle, user, {*kept, _OF_OURS[capacity]})
    else:
        circles.set_member(call.work, circle, user, Capacity(capacity))
    return _member(circle, "user", user.id, capacity)


def _unset_person(call: Call, circle: Agency | Group, user: User) -> None:
    if isinstance(circle, Agency):
        agencies.set_roles(call.work, circle, user, ())
    else:
        circles.set_member(call.work, circle, user, None)


def _held(work: Work, circle: Agency | Group, user: User) -> str:
    if isinstance(circle, Agency):
        return capacity_of(_roles(work, circle, user)) if _roles(work, circle, user) else ""
    return str(circles.of_user(work, user.id).get(circle.id, ""))


def _roles(work: Work, agency: Agency, user: User) -> set[Role]:
    return {
        role
        for member, roles in agency_queries.members(work, agency)
        if member.id == user.id
        for role in roles
    }


def _put(call: Call, circle: Agency | Group, dataset: Dataset, *, inside: bool) -> None:
    """A dataset into a group, or out of it. To give it to another organization is package_owner_org_update's."""
    if isinstance(circle, Agency):
        raise wrong({"message": "An organization gets datasets by package_owner_org_update"})
    editable(call, dataset.id, refusal=f"User {call.caller} not authorized to edit group {circle.id}")
    edit_groups(call, dataset, circle.name, inside=inside)


def _packages(call: Call, circle: Agency | Group) -> list[str]:
    """Ids of its public datasets."""
    if isinstance(circle, Group):
        return packages_in_groups(call, [circle])
    query = select(Dataset.id).where(Dataset.agency_id == circle.id, policy.PUBLIC_FILTER)
    return list(call.work.session.execute(query).scalars())


def _member(circle: Agency | Group, kind: str, key: str, capacity: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(_MEMBERS, f"{circle.id} {kind} {key}")),
        "table_name": kind,
        "table_id": key,
        "capacity": capacity,
        "group_id": circle.id,
        "state": "active",
    }
