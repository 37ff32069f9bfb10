"""Actions on organizations (our agencies), and what they share with groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from opendata.access import policy
from opendata.agencies import queries as agency_queries
from opendata.agencies import service
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer, may_edit, may_see_drafts
from opendata.catalog import queries
from opendata.catalog.models import Dataset, DatasetState
from opendata.compat.ckan.datasets import check_length, need_account
from opendata.compat.ckan.fields import extras_of
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.search import packages_of
from opendata.compat.ckan.wire import Arguments, Call, flag, listed, require, text_of, whole, wrong
from opendata.core.errors import Conflict
from opendata.work.actor import Role
from opendata.work.unit import Work

MOST = 1000
MOST_PACKAGES = 1000
_TEXTS = {"title": "title", "description": "description", "image_url": "image_url"}


def organization_list(call: Call) -> list[Any]:
    """Names of the organizations. `all_fields`, `sort`, `limit`, `offset`, `organizations` (only these)."""
    counts = queries.counts_by_agency(call.work, visible=policy.PUBLIC_FILTER)
    chosen = chosen_of(
        call.args, agency_queries.every(call.work), "organizations", lambda a: counts.get(a.id, 0)
    )
    if not flag(call.args, "all_fields"):
        return [agency.name for agency in chosen]
    return [_dict(agency, counts.get(agency.id, 0)) for agency in chosen]


def organization_show(call: Call) -> dict[str, Any]:
    """An organization. `include_datasets`, `include_users` (for those who work for it)."""
    agency = _find(call)
    counts = queries.counts_by_agency(call.work, visible=policy.PUBLIC_FILTER)
    found = _dict(agency, counts.get(agency.id, 0), extras=True)
    if flag(call.args, "include_users", True):
        found["users"] = _users(call.work, agency)
    if flag(call.args, "include_datasets"):
        found["packages"] = packages_of(call, f'organization:"{agency.name}"', MOST_PACKAGES)
    return found


def organization_list_for_user(call: Call) -> list[dict[str, Any]]:
    """The organizations for which the caller works; all of them for a sysadmin. `permission`: `read` or one to edit."""
    actor = call.work.actor
    counts = queries.counts_by_agency(call.work, visible=policy.PUBLIC_FILTER)
    read = text_of(call.args, "permission", "manage_group") == "read"
    found = []
    for agency in agency_queries.every(call.work):
        if may_edit(actor, agency) or (read and may_see_drafts(actor, agency)):
            capacity = "admin" if may_administer(actor, agency) else "editor"
            found.append({**_dict(agency, counts.get(agency.id, 0)), "capacity": capacity})
    return found


def organization_create(call: Call) -> dict[str, Any]:
    """A new organization. `name`, `title`, `description`, `image_url`, `extras`."""
    need_account(call, "organization_create")
    name = require(call.args, "name")
    check_length(name)
    details = {"title": name, **_details(call.args)}
    wanted = text_of(call.args, "id") or None
    try:
        agency = service.create(call.work, name=name, agency_id=wanted, **details)
    except Conflict:
        raise wrong({"name": ["Group name already exists in database"]}) from None
    return _dict(agency, 0, extras=True)


def organization_update(call: Call) -> dict[str, Any]:
    """Replaces an organization's fields: what is left out is cleared."""
    cleared = {"title": "", "description": "", "image_url": "", "extras": {}}
    return _edit(call, {**cleared, **_details(call.args)})


def organization_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of an organization."""
    return _edit(call, _details(call.args))


def organization_delete(call: Call) -> None:
    """Closes an organization that has no datasets any more."""
    need_account(call, "organization_delete")
    _close(call, _find(call), {"active": False})


def organization_purge(call: Call) -> None:
    """Closes an organization; its name is free again."""
    need_account(call, "organization_purge")
    key = require(call.args, "id")
    # A purge comes after a deletion, so that it looks among the closed ones too.
    query = select(Agency).where((Agency.name == key) | (Agency.id == key))
    agency = call.work.session.execute(query).scalar_one_or_none() or _find(call)
    _close(call, agency, {"active": False, "name": f"purged-{agency.id}"})


def member_list(call: Call) -> list[list[str]]:
    """(id, type, capacity) of an organization's datasets and, for those who work for it, of its people. `object_type`."""
    agency = _find(call)
    wanted = text_of(call.args, "object_type")
    found: list[list[str]] = []
    if wanted in ("", "package"):
        query = select(Dataset.id).where(Dataset.agency_id == agency.id, policy.PUBLIC_FILTER)
        found += [[i, "package", "public"] for i in call.work.session.execute(query).scalars()]
    if wanted in ("", "user"):
        found += [[user["id"], "user", user["capacity"]] for user in _users(call.work, agency)]
    return found


# -- shared with groups ----------------------------------------------------------------------------------------------


def chosen_of(args: Arguments, every: Sequence[Any], only: str, count: Callable[[Any], int]) -> Sequence[Any]:
    """The part of a list of organizations or groups that was asked for: filtered, sorted, cut."""
    wanted = {str(name) for name in listed(args, only)}
    kept = [thing for thing in every if not wanted or thing.name in wanted or thing.id in wanted]
    field, _, direction = text_of(args, "sort", "title asc").strip().partition(" ")
    keys: dict[str, Callable[[Any], Any]] = {
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


def touch_all(work: Work, dataset_ids: Iterable[str]) -> None:
    """Packages carry their organization's and groups' titles: the index owes these datasets an update."""
    for dataset_id in dataset_ids:
        work.touch(work.session.get_one(Dataset, dataset_id))


def pairs(extras: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": extras[key]} for key in sorted(extras)]


# -- own -------------------------------------------------------------------------------------------------------------


def _find(call: Call) -> Agency:
    return agency_queries.find(call.work, require(call.args, "id"))


def _details(args: Arguments) -> dict[str, Any]:
    found: dict[str, Any] = {
        field: text_of(args, key) for key, field in _TEXTS.items() if args.get(key) is not None
    }
    if "extras" in args:
        found["extras"] = extras_of(args)
    return found


def _edit(call: Call, changes: dict[str, Any]) -> dict[str, Any]:
    need_account(call, "organization_update")
    agency = _find(call)
    name = text_of(call.args, "name") or agency.name
    if name != agency.name:
        changes["name"] = _free_name(call.work, name)
    changes["title"] = changes.get("title", agency.title) or name
    service.edit(call.work, agency, changes)
    of_agency = select(Dataset.id).where(Dataset.agency_id == agency.id, policy.PUBLIC_FILTER)
    touch_all(call.work, call.work.session.execute(of_agency).scalars().all())
    counts = queries.counts_by_agency(call.work, visible=policy.PUBLIC_FILTER)
    return _dict(agency, counts.get(agency.id, 0), extras=True)


def _free_name(work: Work, name: str) -> str:
    check_length(name)
    if work.session.execute(select(Agency.id).where((Agency.name == name) | (Agency.id == name))).first():
        raise wrong({"name": ["Group name already exists in database"]})
    return name


def _close(call: Call, agency: Agency, changes: dict[str, Any]) -> None:
    gone = (DatasetState.DELETED.value, DatasetState.PURGED.value)
    held = select(Dataset.id).where(Dataset.agency_id == agency.id, Dataset.state.not_in(gone)).limit(1)
    if call.work.session.execute(held).first():
        raise wrong({"message": ["Organization cannot be deleted while it still has datasets"]})
    service.edit(call.work, agency, changes)


def _users(work: Work, agency: Agency) -> list[dict[str, Any]]:
    """The organization's people; for those who work for it only."""
    if not may_see_drafts(work.actor, agency):
        return []
    return [
        {
            "id": user.id,
            "name": user.name,
            "fullname": user.full_name,
            "capacity": _capacity(roles),
            "state": "active",
        }
        for user, roles in agency_queries.members(work, agency)
    ]


def _capacity(roles: Iterable[Role]) -> str:
    held = set(roles)
    if Role.ADMIN in held:
        return "admin"
    return "editor" if Role.EDITOR in held else "member"


def _dict(agency: Agency, count: int, *, extras: bool = False) -> dict[str, Any]:
    found = {
        "id": agency.id,
        "name": agency.name,
        "title": agency.title,
        "display_name": agency.title or agency.name,
        "type": "organization",
        "description": agency.description,
        "image_url": agency.image_url,
        "image_display_url": agency.image_url,
        "created": stamp(agency.created_at),
        "is_organization": True,
        "approval_status": "approved",
        "state": "active" if agency.active else "deleted",
        "package_count": count,
        "num_followers": 0,
    }
    return {**found, "extras": pairs(agency.extras or {}), "tags": [], "groups": []} if extras else found
