"""Actions on groups: themes across organizations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from opendata.catalog import groups as service
from opendata.catalog import queries
from opendata.catalog.models import Group
from opendata.compat.ckan.datasets import check_length, need_account
from opendata.compat.ckan.fields import extras_of
from opendata.compat.ckan.organizations import MOST_PACKAGES, chosen_of, pairs, touch_all
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.search import MOST_VALUES, packages_of
from opendata.compat.ckan.wire import Arguments, Call, flag, require, text_of, wrong
from opendata.core.errors import Conflict
from opendata.ports.search_index.port import Exact, Request, Sort
from opendata.search import service as search


def group_list(call: Call) -> list[Any]:
    """Names of the groups. `all_fields`, `sort`, `limit`, `offset`, `groups` (only these)."""
    counts = _counts(call)
    chosen = chosen_of(
        call.args, queries.groups(call.work), "groups", lambda group: counts.get(group.name, 0)
    )
    if not flag(call.args, "all_fields"):
        return [group.name for group in chosen]
    return [_dict(group, counts.get(group.name, 0)) for group in chosen]


def group_show(call: Call) -> dict[str, Any]:
    """A group. `include_datasets`."""
    group = _find(call)
    found = _dict(group, _counts(call).get(group.name, 0), extras=True)
    if flag(call.args, "include_datasets"):
        found["packages"] = packages_of(call, f'groups:"{group.name}"', MOST_PACKAGES)
    return found


def group_create(call: Call) -> dict[str, Any]:
    """A new group. `name`, `title`, `description`, `image_url`, `extras`."""
    need_account(call, "group_create")
    name = require(call.args, "name")
    check_length(name)
    try:
        group = service.create(
            call.work, name=name, group_id=text_of(call.args, "id") or None, **_details(call.args)
        )
    except Conflict:
        raise wrong({"name": ["Group name already exists in database"]}) from None
    return _dict(group, 0, extras=True)


def group_update(call: Call) -> dict[str, Any]:
    """Replaces a group's fields: what is left out is cleared. Its name stays."""
    return _edit(call, {"title": "", "description": "", "image_url": "", "extras": {}, **_details(call.args)})


def group_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of a group. Its name stays."""
    return _edit(call, _details(call.args))


def group_delete(call: Call) -> None:
    """Closes a group: datasets do not show it any more."""
    _close(call, free_name=False)


def group_purge(call: Call) -> None:
    """Closes a group; its name is free again."""
    _close(call, free_name=True)


def _find(call: Call) -> Group:
    return queries.group(call.work, require(call.args, "id"))


def _details(args: Arguments) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: text_of(args, key) for key in ("title", "description", "image_url") if args.get(key) is not None
    }
    if "extras" in args:
        found["extras"] = extras_of(args)
    return found


def _edit(call: Call, changes: dict[str, Any]) -> dict[str, Any]:
    need_account(call, "group_update")
    group = _find(call)
    name = text_of(call.args, "name") or group.name
    if name != group.name:
        # Releases name their groups, and what was public does not change.
        raise wrong({"name": ["The name of a group cannot be changed"]})
    service.edit(call.work, group, changes)
    touch_all(call.work, _members(call, group))
    return _dict(group, _counts(call).get(group.name, 0), extras=True)


def _close(call: Call, *, free_name: bool) -> None:
    need_account(call, "group_delete")
    key = require(call.args, "id")
    # A purge comes after a deletion, so that it looks among the closed ones too.
    query = select(Group).where((Group.name == key) | (Group.id == key))
    group = call.work.session.execute(query).scalar_one_or_none() if free_name else _find(call)
    if group is None:
        group = _find(call)
    members = _members(call, group)
    service.close(call.work, group, free_name=free_name)
    touch_all(call.work, members)


def _members(call: Call, group: Group) -> list[str]:
    """Ids of the public datasets in it."""
    wanted = Request(
        filter=Exact("groups", (group.name,)), sort=(Sort("name_sort", False),), limit=MOST_VALUES
    )
    return [hit.id for hit in search.find(call.work, call.parts.index, wanted).hits]


def _counts(call: Call) -> dict[str, int]:
    answer = search.find(
        call.work,
        call.parts.index,
        Request(sort=(Sort("modified"),), limit=0, facets={"groups": MOST_VALUES}),
    )
    return dict(answer.facets["groups"])


def _dict(group: Group, count: int, *, extras: bool = False) -> dict[str, Any]:
    found = {
        "id": group.id,
        "name": group.name,
        "title": group.title,
        "display_name": group.title or group.name,
        "type": "group",
        "description": group.description,
        "image_url": group.image_url,
        "image_display_url": group.image_url,
        "created": stamp(group.created_at),
        "is_organization": False,
        "approval_status": "approved",
        "state": "active" if group.active else "deleted",
        "package_count": count,
        "num_followers": 0,
    }
    if not extras:
        return found
    return {**found, "extras": pairs(group.extras or {}), "tags": [], "groups": [], "users": []}
