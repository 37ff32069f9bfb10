"""Actions on groups, themes across organizations; and what organizations have in common with them: to CKAN's clients an
organization is a group."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import select

from opendata.accounts.service import find_user
from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.catalog import groups as circles
from opendata.catalog import queries
from opendata.catalog.groups import Capacity
from opendata.catalog.models import Group
from opendata.compat.ckan import images
from opendata.compat.ckan.datasets import check_name
from opendata.compat.ckan.fields import extras_of
from opendata.compat.ckan.following import queries as followed
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.people.members import people_of_all
from opendata.compat.ckan.search import MOST_VALUES, packages_in_groups, packages_of, touch_all
from opendata.compat.ckan.users import dicts_of
from opendata.compat.ckan.wire import (
    MISSING,
    Arguments,
    Call,
    denied,
    dicts,
    flag,
    listed,
    not_found,
    require,
    text_of,
    whole,
    wrong,
)
from opendata.core.errors import Conflict, NotFound
from opendata.ports.search_index.port import Exact, Request, Sort
from opendata.search import service as search

MOST = 1000
MOST_PACKAGES = 1000
MOST_FULL = 1000
"""Dictionaries of one list; CKAN gives 25."""
TAKEN = {"name": ["Group name already exists in database"]}
LOOP = {"groups": [{"name": ["This parent would create a loop in the hierarchy"]}]}
_TEXTS = ("title", "description", "image_url")
T = TypeVar("T", Agency, Group)


def group_list(call: Call) -> list[Any]:
    """Names of the groups. `all_fields`, `sort`, `limit`, `offset`, `groups` (only these), `q` (a part of a text)."""
    return listing(call, queries.groups(call.work), "groups", counts_of(call))


def group_show(call: Call) -> dict[str, Any]:
    """A group. `include_datasets`, `include_users`, `include_extras`, `include_dataset_count`."""
    return shown(call, _find(call), counts_of(call))


def group_package_show(call: Call) -> list[Any]:
    """The public datasets of a group, newest first. `limit`."""
    group_id, wanted = require(call.args, "id"), text_of(call.args, "limit")
    if wanted and not re.fullmatch("[0-9]{1,9}", wanted):
        raise wrong({"message": "Limit must be a positive integer"})
    group = queries.group(call.work, group_id)
    return packages_of(call, Exact("groups", (group.name,)), min(int(wanted or 10), MOST_PACKAGES))


def group_list_authz(call: Call) -> list[dict[str, Any]]:
    """The groups that the caller may edit; with `am_member` those of which they are a member. `include_dataset_count`."""
    actor = call.work.actor
    mine = circles.of_user(call.work, actor.id) if actor.id else {}
    every = actor.sysadmin and not flag(call.args, "am_member")
    count = counts_of(call).packages if flag(call.args, "include_dataset_count") else None
    return [
        {**face(group, call.site_url), **({"package_count": count(group)} if count else {})}
        for group in queries.groups(call.work)
        if every or group.id in mine
    ]


def group_create(call: Call) -> dict[str, Any]:
    """A new group. `name`, `title`, `description`, `image_url` (or a file `image_upload`), `extras`, `groups` (those above it: [{name}])."""
    if not call.work.actor.sysadmin:
        raise denied(f"User {call.work.actor.id} not authorized to create groups")
    name = require(call.args, "name")
    check_name(name)
    if agency_queries.is_named(call.work, name):
        raise wrong(TAKEN)
    told = {**details(call.args), **images.taken(call)}
    try:
        group = circles.create(call.work, name=name, group_id=text_of(call.args, "id") or None, **told)
    except Conflict:
        raise wrong(TAKEN) from None
    actor = call.work.actor
    if actor.id:  # who makes a group is its admin
        circles.set_member(call.work, group, find_user(call.work, actor.id), Capacity.ADMIN)
    _place(call, group)
    return shown(call, group, counts_of(call))


def group_update(call: Call) -> dict[str, Any]:
    """Changes a group; extras that are left out are cleared, `groups` (those above it) are kept. `image_upload` is a file,
    `clear_upload` takes it away. Its name stays where datasets show it."""
    return _edit(call, details(call.args, replace=True), "Group was not found.")


def group_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of a group. Its name stays where datasets show it."""
    return _edit(call, details(call.args), "")


def group_delete(call: Call) -> None:
    """Closes a group: datasets do not show it any more."""
    _close(call, free_name=False)


def group_purge(call: Call) -> None:
    """Closes a group; its name is free again."""
    _close(call, free_name=True)


def _find(call: Call, missing: str = "") -> Group:
    try:
        return queries.group(call.work, require(call.args, "id"))
    except NotFound:
        raise not_found(missing) from None


def _edit(call: Call, changes: dict[str, Any], missing: str) -> dict[str, Any]:
    group = _find(call, missing)
    if not circles.may_administer(call.work, group):
        raise denied(f"User {call.caller} not authorized to edit group {group.id}")
    name = text_of(call.args, "name") or group.name
    members = packages_in_groups(call, [group])
    if name != group.name:
        if queries.in_releases(call.work, group):
            # Releases name their groups, and what was public does not change.
            raise wrong({"name": ["The name of a group that datasets have cannot be changed"]})
        check_name(name)
        try:
            circles.rename(call.work, group, name)
        except Conflict:
            raise wrong(TAKEN) from None
    before = group.image_url
    circles.edit(call.work, group, changes | images.taken(call))
    images.dropped(call.work, before)
    _place(call, group)
    touch_all(call.work, members)
    return edited(shown(call, group, counts_of(call)))


def _place(call: Call, group: Group) -> None:
    """Puts the group below those that the client names, if it names any."""
    named = above(call.args)
    if named is None or set(named) == set(_above_of(call, group)):
        return
    known = {key: other for other in queries.groups(call.work) for key in (other.id, other.name)}
    if any(key not in known for key in named):
        raise wrong({"groups": [{"name": ["There is no such group"]}]})
    try:
        circles.set_parents(call.work, group, [known[key] for key in named])
    except Conflict:
        raise wrong(LOOP) from None


def _close(call: Call, *, free_name: bool) -> None:
    require(call.args, "id")
    if free_name and not call.work.actor.sysadmin:
        raise denied()
    missing = "Group was not found" if free_name else "Group was not found."
    group = (closed_too(call, Group) if free_name else None) or _find(call, missing)
    if not circles.may_administer(call.work, group):
        raise denied(f"User {call.caller} not authorized to delete group {group.id}")
    members = packages_in_groups(call, [group])
    circles.close(call.work, group, free_name=free_name)
    touch_all(call.work, members)


def counts_of(call: Call) -> Counts:
    """Counts of all groups, when the first is asked for."""
    found: dict[str, int] = {}

    def packages(group: Agency | Group) -> int:
        if not found:
            wanted = Request(sort=(Sort("modified"),), limit=0, facets={"groups": MOST_VALUES})
            answer = search.find(call.work, call.parts.index, wanted)
            found.update({"": 0, **dict(answer.facets["groups"])})
        return found.get(group.name, 0)

    return Counts(packages, followers_of(call))


# -- shared with organizations ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """What lists tell besides: datasets of a group or organization, and how many follow it; each asked once."""

    packages: Callable[[Agency | Group], int]
    followers: Callable[[Agency | Group], int]


def followers_of(call: Call) -> Callable[[Agency | Group], int]:
    """How many follow each group and organization, all of them read with the first that is asked for."""

    @cache
    def numbers() -> Mapping[str, int]:
        return followed.numbers(call.work, "group", "organization")

    return lambda thing: numbers().get(thing.id, 0)


def listing(call: Call, every: Sequence[T], only: str, counts: Counts) -> list[Any]:
    """Names; with `all_fields` dictionaries. `only`: the argument that says which."""
    chosen = _chosen(call.args, every, only, counts.packages)
    if not flag(call.args, "all_fields"):
        return [thing.name for thing in chosen]
    chosen = chosen[:MOST_FULL]
    members = people(call, chosen) if flag(call.args, "include_users") else {}
    return [_shown(call, thing, counts, members, wanted=False) for thing in chosen]


def shown(call: Call, thing: Agency | Group, counts: Counts, *, wanted: bool = True) -> dict[str, Any]:
    """The dictionary with the parts that were asked for; `wanted`: those that are not named, too."""
    members = people(call, [thing]) if flag(call.args, "include_users", wanted) else {}
    return _shown(call, thing, counts, members, wanted=wanted)


def _shown(
    call: Call,
    thing: Agency | Group,
    counts: Counts,
    members: Mapping[str, list[dict[str, Any]]],
    *,
    wanted: bool,
) -> dict[str, Any]:
    args = call.args
    found = face(thing, call.site_url)
    if flag(args, "include_dataset_count", True):
        found["package_count"] = counts.packages(thing)
    found["num_followers"] = counts.followers(thing)
    if flag(args, "include_extras", wanted):
        found["extras"] = [
            {"key": key, "value": value} for key, value in sorted((thing.extras or {}).items())
        ]
    if flag(args, "include_users", wanted):
        found["users"] = members.get(thing.id, [])
    if flag(args, "include_groups", wanted):
        found["groups"] = [{"capacity": "public", "name": name} for name in _above_of(call, thing)]
    if wanted and flag(args, "include_datasets"):
        named = "agency" if isinstance(thing, Agency) else "groups"
        found["packages"] = packages_of(call, Exact(named, (thing.name,)), MOST_PACKAGES)
    return found


def edited(found: dict[str, Any]) -> dict[str, Any]:
    """The same after an edit."""
    return {key: value for key, value in found.items() if key != "num_followers"}


def face(thing: Agency | Group, site_url: str = "") -> dict[str, Any]:
    """What every answer says of it."""
    is_organization = isinstance(thing, Agency)
    return {
        "id": thing.id,
        "name": thing.name,
        "title": thing.title,
        "display_name": thing.title or thing.name,
        "type": "organization" if is_organization else "group",
        "description": thing.description,
        "image_url": thing.image_url,
        "image_display_url": images.displayed(thing.image_url, site_url),
        "created": stamp(thing.created_at),
        "is_organization": is_organization,
        "approval_status": "approved",
        "state": "active" if thing.active else "deleted",
    }


def above(args: Arguments) -> list[str] | None:
    """Names or ids of what is above an organization or a group, as the client has it; None if it says nothing of it."""
    if args.get("groups") is None:
        return None
    named = [text_of(entry, "name") or text_of(entry, "id") for entry in dicts(args, "groups")]
    if not all(named):
        raise wrong({"groups": [{"name": [MISSING]}]})
    return list(dict.fromkeys(named))


def _above_of(call: Call, thing: Agency | Group) -> list[str]:
    """Names of what is right above it."""
    if isinstance(thing, Agency):
        found = agency_queries.by_ids(call.work.session, [thing.parent_id] if thing.parent_id else [])
        return [parent.name for parent in found.values()]
    names = {group.id: group.name for group in queries.groups(call.work)}
    return [names[parent] for parent in thing.parents if parent in names]


def people(call: Call, every: Sequence[Agency | Group]) -> dict[str, list[dict[str, Any]]]:
    """Their people as CKAN lists them, for those who may know them, by the ids of organizations and groups."""
    found = people_of_all(call.work, every)
    users = {user.id: user for people in found.values() for user, _ in people}
    shown = {user["id"]: user for user in dicts_of(call, list(users.values()), as_members=True)}
    return {
        key: [{**shown[user.id], "capacity": capacity} for user, capacity in people]
        for key, people in found.items()
    }


def details(args: Arguments, *, replace: bool = False) -> dict[str, Any]:
    """What the client wrote of it; with `replace` the extras that it left out are cleared, as CKAN does."""
    found: dict[str, Any] = {"extras": {}} if replace else {}
    found |= {key: text_of(args, key) for key in _TEXTS if args.get(key) is not None}
    if "extras" in args:
        found["extras"] = extras_of(args, once=False)
    return found


def closed_too(call: Call, kind: type[T]) -> T | None:
    """A purge comes after a deletion, so that it looks among the closed ones too."""
    key = require(call.args, "id")
    query = select(kind).where((kind.name == key) | (kind.id == key))
    return call.work.session.execute(query).scalar_one_or_none()


def _chosen(
    args: Arguments, every: Sequence[T], only: str, count: Callable[[Agency | Group], int]
) -> Sequence[T]:
    """The part of a list that was asked for: filtered, sorted, cut."""
    wanted = {name.strip() for entry in listed(args, only) for name in str(entry).split(",")}
    text = text_of(args, "q").strip().lower()
    kinds = {"organization", "group"} if "type" not in args else {text_of(args, "type")}
    kept = [
        thing
        for thing in every
        if (not wanted or thing.name in wanted or thing.id in wanted)
        and any(text in part.lower() for part in (thing.name, thing.title, thing.description))
        and face(thing)["type"] in kinds
    ]
    start, limit = whole(args, "offset", 0), whole(args, "limit", MOST, most=MOST)
    field, descending = _order(text_of(args, "sort") or text_of(args, "order_by") or "title asc")
    keys: dict[str, Callable[[T], Any]] = {
        "name": lambda thing: thing.name,
        "title": lambda thing: thing.title,
        "package_count": count,
    }
    kept.sort(key=keys["name"])
    kept.sort(key=keys[field], reverse=descending)
    return kept[start : start + limit]


def _order(text: str) -> tuple[str, bool]:
    """(field, whether it descends) of `sort`."""
    field, _, direction = text.strip().partition(" ")
    direction = direction.strip() or ("desc" if field in ("packages", "package_count") else "asc")
    if field not in ("name", "title", "packages", "package_count"):
        raise wrong({"message": f"Cannot sort by field `{field[:100]}`"})
    if direction not in ("asc", "desc"):
        raise wrong({"message": f"Invalid sort direction `{direction[:100]}`"})
    return "package_count" if field == "packages" else field, direction == "desc"
