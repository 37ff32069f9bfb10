"""Actions on groups, themes across organizations; and what organizations have in common with them: to CKAN's clients an
organization is a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import select

from opendata.agencies.models import Agency
from opendata.catalog import groups as service
from opendata.catalog import queries
from opendata.catalog.models import Dataset, Group
from opendata.compat.ckan.datasets import check_length, need_account
from opendata.compat.ckan.fields import extras_of
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.search import MOST_VALUES, packages_of
from opendata.compat.ckan.wire import Arguments, Call, flag, listed, require, text_of, whole, wrong
from opendata.core.errors import Conflict
from opendata.ports.search_index.port import Exact, Request, Sort
from opendata.search import service as search
from opendata.work.unit import Work

MOST = 1000
MOST_PACKAGES = 1000
TAKEN = {"name": ["Group name already exists in database"]}
_TEXTS = ("title", "description", "image_url")
T = TypeVar("T", Agency, Group)


def group_list(call: Call) -> list[Any]:
    """Names of the groups. `all_fields`, `sort`, `limit`, `offset`, `groups` (only these)."""
    counts = _counts(call)
    every = queries.groups(call.work)
    return listing(call.args, every, "groups", lambda group: counts.get(group.name, 0))


def group_show(call: Call) -> dict[str, Any]:
    """A group. `include_datasets`."""
    group = _find(call)
    return {**shown(call, group, _counts(call).get(group.name, 0), "groups"), "users": []}


def group_create(call: Call) -> dict[str, Any]:
    """A new group. `name`, `title`, `description`, `image_url`, `extras`."""
    need_account(call, "group_create")
    name = require(call.args, "name")
    check_length(name)
    try:
        group = service.create(
            call.work, name=name, group_id=text_of(call.args, "id") or None, **details(call.args)
        )
    except Conflict:
        raise wrong(TAKEN) from None
    return _full(group, 0)


def group_update(call: Call) -> dict[str, Any]:
    """Replaces a group's fields: what is left out is cleared. Its name stays."""
    return _edit(call, details(call.args, replace=True))


def group_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of a group. Its name stays."""
    return _edit(call, details(call.args))


def group_delete(call: Call) -> None:
    """Closes a group: datasets do not show it any more."""
    _close(call, free_name=False)


def group_purge(call: Call) -> None:
    """Closes a group; its name is free again."""
    _close(call, free_name=True)


def _find(call: Call) -> Group:
    return queries.group(call.work, require(call.args, "id"))


def _edit(call: Call, changes: dict[str, Any]) -> dict[str, Any]:
    need_account(call, "group_update")
    group = _find(call)
    name = text_of(call.args, "name") or group.name
    if name != group.name:
        # Releases name their groups, and what was public does not change.
        raise wrong({"name": ["The name of a group cannot be changed"]})
    service.edit(call.work, group, changes)
    _touch_all(call.work, _members(call, group))
    return _full(group, _counts(call).get(group.name, 0))


def _close(call: Call, *, free_name: bool) -> None:
    need_account(call, "group_delete")
    group = (closed_too(call, Group) if free_name else None) or _find(call)
    members = _members(call, group)
    service.close(call.work, group, free_name=free_name)
    _touch_all(call.work, members)


def _members(call: Call, group: Group) -> list[str]:
    """Ids of the public datasets in it."""
    wanted = Request(
        filter=Exact("groups", (group.name,)), sort=(Sort("name_sort", False),), limit=MOST_VALUES
    )
    return [hit.id for hit in search.find(call.work, call.parts.index, wanted).hits]


def _touch_all(work: Work, dataset_ids: Iterable[str]) -> None:
    """Packages carry their groups' titles: the index owes these datasets an update."""
    for dataset_id in dataset_ids:
        work.touch(work.session.get_one(Dataset, dataset_id))


def _counts(call: Call) -> dict[str, int]:
    answer = search.find(
        call.work,
        call.parts.index,
        Request(sort=(Sort("modified"),), limit=0, facets={"groups": MOST_VALUES}),
    )
    return dict(answer.facets["groups"])


def _full(group: Group, count: int) -> dict[str, Any]:
    return {**full(group, count), "users": []}


# -- shared with organizations ---------------------------------------------------------------------------------------


def listing(args: Arguments, every: Sequence[T], only: str, count: Callable[[T], int]) -> list[Any]:
    """Names; with `all_fields` dictionaries. `only`: the argument that says which."""
    chosen = _chosen(args, every, only, count)
    if not flag(args, "all_fields"):
        return [thing.name for thing in chosen]
    return [short(thing, count(thing)) for thing in chosen]


def shown(call: Call, thing: Agency | Group, count: int, found_by: str) -> dict[str, Any]:
    """The dictionary, with packages if they are asked for; `found_by`: the field of the index that names it."""
    found = full(thing, count)
    if flag(call.args, "include_datasets"):
        found["packages"] = packages_of(call, f'{found_by}:"{thing.name}"', MOST_PACKAGES)
    return found


def short(thing: Agency | Group, count: int) -> dict[str, Any]:
    """As lists have it. `count`: of its public datasets."""
    is_organization = isinstance(thing, Agency)
    return {
        "id": thing.id,
        "name": thing.name,
        "title": thing.title,
        "display_name": thing.title or thing.name,
        "type": "organization" if is_organization else "group",
        "description": thing.description,
        "image_url": thing.image_url,
        "image_display_url": thing.image_url,
        "created": stamp(thing.created_at),
        "is_organization": is_organization,
        "approval_status": "approved",
        "state": "active" if thing.active else "deleted",
        "package_count": count,
        "num_followers": 0,
    }


def full(thing: Agency | Group, count: int) -> dict[str, Any]:
    extras = thing.extras or {}
    pairs = [{"key": key, "value": extras[key]} for key in sorted(extras)]
    return {**short(thing, count), "extras": pairs, "tags": [], "groups": []}


def details(args: Arguments, *, replace: bool = False) -> dict[str, Any]:
    """What the client wrote of it; with `replace` what it left out is cleared."""
    found: dict[str, Any] = {**dict.fromkeys(_TEXTS, ""), "extras": {}} if replace else {}
    found |= {key: text_of(args, key) for key in _TEXTS if args.get(key) is not None}
    if "extras" in args:
        found["extras"] = extras_of(args)
    return found


def closed_too(call: Call, kind: type[T]) -> T | None:
    """A purge comes after a deletion, so that it looks among the closed ones too."""
    key = require(call.args, "id")
    query = select(kind).where((kind.name == key) | (kind.id == key))
    return call.work.session.execute(query).scalar_one_or_none()


def _chosen(args: Arguments, every: Sequence[T], only: str, count: Callable[[T], int]) -> Sequence[T]:
    """The part of a list that was asked for: filtered, sorted, cut."""
    wanted = {str(name) for name in listed(args, only)}
    kept = [thing for thing in every if not wanted or thing.name in wanted or thing.id in wanted]
    field, _, direction = text_of(args, "sort", "title asc").strip().partition(" ")
    keys: dict[str, Callable[[T], Any]] = {
        "name": lambda thing: thing.name,
        "title": lambda thing: (thing.title or thing.name).lower(),
        "package_count": count,
        "packages": count,
    }
    if field not in keys:
        raise wrong({"sort": [f"Cannot sort by field `{field}`"]})
    # By name where nothing else is asked for: CKAN sorts names, and clients page through them.
    key = keys["name"] if "sort" not in args and not flag(args, "all_fields") else keys[field]
    kept.sort(key=key, reverse=direction.strip().lower() == "desc")
    start = whole(args, "offset", 0)
    return kept[start : start + whole(args, "limit", MOST, most=MOST)]
