"""Actions on organizations: our agencies."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from opendata.access import totals
from opendata.accounts.service import find_user
from opendata.agencies import queries as agency_queries
from opendata.agencies import service
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer, may_edit, may_see_drafts
from opendata.catalog import queries
from opendata.catalog.models import Dataset, DatasetState
from opendata.compat.ckan import groups, images
from opendata.compat.ckan.datasets import check_name
from opendata.compat.ckan.wire import Call, denied, flag, not_found, require, text_of, wrong
from opendata.core.errors import Conflict, NotFound
from opendata.work.actor import ALL_SCOPES, Actor
from opendata.work.unit import Work

_FREE = frozenset({"image_url"})
"""CKAN also takes the name of a file here."""


def organization_list(call: Call) -> list[Any]:
    """Names of the organizations. `all_fields`, `sort`, `limit`, `offset`, `organizations` (only these), `q` (a part of a
    text)."""
    return groups.listing(call, agency_queries.every(call.work), "organizations", counts_of(call))


def organization_show(call: Call) -> dict[str, Any]:
    """An organization. `include_datasets`, `include_users` (for those who work for it), `include_extras`."""
    return groups.shown(call, _find(call), counts_of(call))


def organization_list_for_user(call: Call) -> list[dict[str, Any]]:
    """The organizations for which somebody works; all of them for a sysadmin. `id` (somebody else, for sysadmins),
    `permission`: `read` or one to edit, `include_dataset_count`."""
    person = text_of(call.args, "id")
    actor = call.work.actor
    if person and person not in (actor.id, actor.name):
        if not actor.sysadmin:
            raise denied(f"User {call.caller} not authorized to list another user's organizations")
        actor = _as(call.work, person)
    counts = counts_of(call).packages if flag(call.args, "include_dataset_count") else None
    permission = text_of(call.args, "permission", "manage_group")
    found = []
    for agency in agency_queries.every(call.work):
        capacity = _held(actor, agency)
        if permission in _PERMITS.get(capacity, ()) or capacity == "admin":
            shown = {**groups.face(agency, call.site_url), "capacity": capacity}
            found.append({**shown, "package_count": counts(agency)} if counts else shown)
    return found


_READING = ("read", "manage_group")
_PERMITS = {"member": _READING, "editor": (*_READING, "create_dataset", "update_dataset", "delete_dataset")}
"""What a capacity allows, in CKAN's words; an admin may do everything."""


def _held(actor: Actor, agency: Agency) -> str:
    if may_administer(actor, agency):
        return "admin"
    if may_edit(actor, agency):
        return "editor"
    return "member" if may_see_drafts(actor, agency) else ""


def _as(work: Work, id_or_name: str) -> Actor:
    """What somebody else may do."""
    try:
        user = find_user(work, id_or_name)
    except NotFound:
        raise not_found() from None
    roles = agency_queries.roles_of(work.session, user.id)
    return Actor(user.id, user.name, sysadmin=user.sysadmin, scopes=ALL_SCOPES, roles=roles)


def organization_create(call: Call) -> dict[str, Any]:
    """A new organization. `name`, `title`, `description`, `image_url` (or a file `image_upload`), `extras`, `groups` (the one above it: [{name}])."""
    if not call.work.actor.sysadmin:
        raise denied(f"User {call.work.actor.id} not authorized to create organizations")
    name = require(call.args, "name")
    check_name(name)
    if queries.is_group(call.work, name):
        raise wrong(groups.TAKEN)
    details = {"title": "", **groups.details(call.args), **images.taken(call)}
    wanted = text_of(call.args, "id") or None
    try:
        agency = service.create(call.work, name=name, agency_id=wanted, free=_FREE, **details)
    except Conflict:
        errors = (
            {"id": ["Id already exists"]} if wanted and agency_queries.is_named(call.work, wanted) else {}
        )
        raise wrong({**errors, **groups.TAKEN}) from None
    _place(call, agency)
    return groups.shown(call, agency, counts_of(call))


def organization_update(call: Call) -> dict[str, Any]:
    """Changes an organization; extras that are left out are cleared, `groups` (the one above it) is kept. `image_upload` is a file,
    `clear_upload` takes it away."""
    return _edit(call, groups.details(call.args, replace=True), "Group was not found.")


def organization_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of an organization."""
    return _edit(call, groups.details(call.args), "")


def organization_delete(call: Call) -> None:
    """Closes an organization that has no datasets any more."""
    require(call.args, "id")
    agency = _find(call, "Group was not found.")
    if not may_administer(call.work.actor, agency):
        raise denied(f"User {call.caller} not authorized to delete organization {agency.id}")
    _close(call, agency, {"active": False})


def organization_purge(call: Call) -> None:
    """Closes an organization; its name is free again."""
    require(call.args, "id")
    if not call.work.actor.sysadmin:
        raise denied()
    agency = groups.closed_too(call, Agency) or _find(call, "Organization was not found")
    _close(call, agency, {"active": False, "name": f"purged-{agency.id}"}, word="purged")


def _find(call: Call, missing: str = "") -> Agency:
    try:
        return agency_queries.find(call.work, require(call.args, "id"))
    except NotFound:
        raise not_found(missing) from None


def counts_of(call: Call) -> groups.Counts:
    """Counts of all organizations, when the first is asked for."""
    found: dict[str, int] = {}

    def packages(agency: Any) -> int:
        if not found:
            found.update({"": 0, **totals.by_agency(call.work)})
        return found.get(agency.id, 0)

    return groups.Counts(packages, groups.followers_of(call))


def _edit(call: Call, changes: dict[str, Any], missing: str) -> dict[str, Any]:
    agency = _find(call, missing)
    if not may_administer(call.work.actor, agency):
        raise denied(f"User {call.caller} not authorized to edit organization {agency.id}")
    name = text_of(call.args, "name") or agency.name
    if name != agency.name:
        changes["name"] = _free_name(call.work, name)
    before = agency.image_url
    service.edit(call.work, agency, changes | images.taken(call), free=_FREE)
    images.dropped(call.work, before)
    _place(call, agency)
    return groups.edited(groups.shown(call, agency, counts_of(call)))


def _place(call: Call, agency: Agency) -> None:
    """Puts the organization below the one that the client names; below none, if it says so."""
    named = groups.above(call.args)
    if named is None:
        return
    if len(named) > 1:
        raise wrong({"groups": [{"name": ["An organization is below one other at most"]}]})
    try:
        above = agency_queries.find(call.work, named[0]) if named else None
        if agency.parent_id != (above.id if above else None):
            service.move_under(call.work, agency, above)
    except NotFound:
        raise wrong({"groups": [{"name": ["There is no such organization"]}]}) from None
    except Conflict:
        raise wrong(groups.LOOP) from None


def _free_name(work: Work, name: str) -> str:
    check_name(name)
    if queries.is_group(work, name):
        raise wrong(groups.TAKEN)
    if work.session.execute(select(Agency.id).where((Agency.name == name) | (Agency.id == name))).first():
        raise wrong(groups.TAKEN)
    return name


def _close(call: Call, agency: Agency, changes: dict[str, Any], *, word: str = "deleted") -> None:
    gone = (DatasetState.DELETED.value, DatasetState.PURGED.value)
    held = select(Dataset.id).where(Dataset.agency_id == agency.id, Dataset.state.not_in(gone)).limit(1)
    if call.work.session.execute(held).first():
        raise wrong({"message": f"Organization cannot be {word} while it still has datasets"})
    service.edit(call.work, agency, changes)
