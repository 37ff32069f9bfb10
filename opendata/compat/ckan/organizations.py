"""Actions on organizations: our agencies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from opendata.access import policy
from opendata.agencies import queries as agency_queries
from opendata.agencies import service
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer, may_edit, may_see_drafts
from opendata.catalog import queries
from opendata.catalog.models import Dataset, DatasetState
from opendata.compat.ckan import groups
from opendata.compat.ckan.datasets import check_length, need_account
from opendata.compat.ckan.wire import Call, flag, require, text_of, wrong
from opendata.core.errors import Conflict
from opendata.work.actor import Role
from opendata.work.unit import Work

_FREE = frozenset({"image_url"})
"""CKAN also takes the name of a file here."""


def organization_list(call: Call) -> list[Any]:
    """Names of the organizations. `all_fields`, `sort`, `limit`, `offset`, `organizations` (only these)."""
    counts = queries.counts_by_agency(call.work, visible=policy.PUBLIC_FILTER)
    every = agency_queries.every(call.work)
    return groups.listing(call.args, every, "organizations", lambda agency: counts.get(agency.id, 0))


def organization_show(call: Call) -> dict[str, Any]:
    """An organization. `include_datasets`, `include_users` (for those who work for it)."""
    agency = _find(call)
    found = groups.shown(call, agency, _count(call.work, agency), "organization")
    if flag(call.args, "include_users", True):
        found["users"] = _users(call.work, agency)
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
            found.append({**groups.short(agency, counts.get(agency.id, 0)), "capacity": capacity})
    return found


def organization_create(call: Call) -> dict[str, Any]:
    """A new organization. `name`, `title`, `description`, `image_url`, `extras`."""
    need_account(call, "organization_create")
    name = require(call.args, "name")
    check_length(name)
    details = {"title": name, **groups.details(call.args)}
    wanted = text_of(call.args, "id") or None
    try:
        agency = service.create(call.work, name=name, agency_id=wanted, free=_FREE, **details)
    except Conflict:
        raise wrong(groups.TAKEN) from None
    return groups.full(agency, 0)


def organization_update(call: Call) -> dict[str, Any]:
    """Replaces an organization's fields: what is left out is cleared."""
    return _edit(call, groups.details(call.args, replace=True))


def organization_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of an organization."""
    return _edit(call, groups.details(call.args))


def organization_delete(call: Call) -> None:
    """Closes an organization that has no datasets any more."""
    need_account(call, "organization_delete")
    _close(call, _find(call), {"active": False})


def organization_purge(call: Call) -> None:
    """Closes an organization; its name is free again."""
    need_account(call, "organization_purge")
    agency = groups.closed_too(call, Agency) or _find(call)
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


def _find(call: Call) -> Agency:
    return agency_queries.find(call.work, require(call.args, "id"))


def _count(work: Work, agency: Agency) -> int:
    return queries.published_count(work, visible=policy.PUBLIC_FILTER, agency_ids=[agency.id])


def _edit(call: Call, changes: dict[str, Any]) -> dict[str, Any]:
    need_account(call, "organization_update")
    agency = _find(call)
    name = text_of(call.args, "name") or agency.name
    if name != agency.name:
        changes["name"] = _free_name(call.work, name)
    changes["title"] = changes.get("title", agency.title) or name
    service.edit(call.work, agency, changes, free=_FREE)
    return groups.full(agency, _count(call.work, agency))


def _free_name(work: Work, name: str) -> str:
    check_length(name)
    if work.session.execute(select(Agency.id).where((Agency.name == name) | (Agency.id == name))).first():
        raise wrong(groups.TAKEN)
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
