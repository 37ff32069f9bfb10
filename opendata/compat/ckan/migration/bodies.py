"""Organizations with their people, and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from opendata.accounts import service as accounts
from opendata.accounts.models import User
from opendata.agencies import service as agencies
from opendata.agencies.models import Agency
from opendata.catalog.models import Group
from opendata.compat.ckan.migration.history import take_history
from opendata.compat.ckan.migration.report import Fate
from opendata.compat.ckan.migration.source import SourceFailed
from opendata.compat.ckan.migration.taking import Run, chosen
from opendata.core.errors import Conflict
from opendata.work.actor import Role
from opendata.work.unit import Work

_KEYS = ("id", "name", "title", "description")
_ROLES = {"admin": Role.ADMIN, "editor": Role.EDITOR, "member": Role.MEMBER}
NO_MAIL = "the source shows no e-mail address: give a token of a sysadmin of the source"


def take_people(run: Run) -> None:
    """Accounts without passwords: they sign in once an operator has set one."""
    try:
        people = run.source.action("user_list")
    except SourceFailed as failure:
        run.report.add("user", "", "", Fate.REFUSED, str(failure))
        return
    for person in people:
        if person.get("state") == "active":
            facts = chosen(person, ("name", "fullname", "email"))
            run.take("user", person, facts, partial(_person, person))


def take_organizations(run: Run) -> None:
    below: list[dict[str, Any]] = []
    for name in run.organizations or run.source.names("organization_list"):
        found = _shown(run, "organization", name)
        if found is not None:
            people = {p["name"]: p.get("capacity") for p in found.get("users", [])}
            facts = {**_fields(found), "people": people, "contact": run.contact_email}
            fate = run.take("organization", found, facts, partial(_organization, run, found, people))
            if fate is not Fate.REFUSED:
                below.append(found)
                take_history(run, "organization", found)
    _take_tree(run, "organization", below)


def take_groups(run: Run) -> None:
    below: list[dict[str, Any]] = []
    for name in run.source.names("group_list"):
        found = _shown(run, "group", name)
        if found is not None:
            fate = run.take("group", found, _fields(found), partial(_group, run, found))
            if fate is not Fate.REFUSED:
                below.append(found)
                take_history(run, "group", found)
    _take_tree(run, "group", below)


def _take_tree(run: Run, kind: str, taken: Sequence[Mapping[str, Any]]) -> None:
    """What is above what, once all of them are here."""
    for found in taken:
        above = [{"name": parent["name"]} for parent in found.get("groups", [])]
        if above and not run.dry:
            run.take("parents", found, above, partial(_below, run, kind, found["id"], above))


def _below(run: Run, kind: str, thing_id: str, above: list[dict[str, str]], work: Work) -> tuple[Fate, str]:
    run.act(work, f"{kind}_patch", {"id": thing_id, "groups": above})
    return Fate.TAKEN, ", ".join(parent["name"] for parent in above)


def _shown(run: Run, kind: str, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = run.source.action(
            f"{kind}_show", id=name, include_datasets=False, include_users=True
        )
    except SourceFailed as failure:
        run.report.add(kind, "", name, Fate.REFUSED, str(failure))
        return None
    return found


def _fields(found: Mapping[str, Any]) -> dict[str, Any]:
    extras = [{"key": e["key"], "value": e["value"]} for e in found.get("extras", [])]
    picture = found.get("image_display_url") or found.get("image_url") or ""
    return {**chosen(found, _KEYS), "image_url": picture, "extras": extras}


def _person(person: Mapping[str, Any], work: Work) -> tuple[Fate, str]:
    here = work.session.execute(select(User).where(User.name == person["name"])).scalar_one_or_none()
    if here is not None:
        same = here.id == person["id"]
        return (Fate.CHANGED if same else Fate.EQUAL), ("" if same else "an account of this name is here")
    if not person.get("email"):
        return Fate.REFUSED, NO_MAIL
    accounts.create_user(
        work,
        person["name"],
        email=person["email"],
        full_name=person.get("fullname") or "",
        user_id=person["id"],
    )
    return Fate.TAKEN, "is no sysadmin here" if person.get("sysadmin") else ""


def _organization(
    run: Run, found: Mapping[str, Any], people: Mapping[str, str], work: Work
) -> tuple[Fate, str]:
    agency = work.session.get(Agency, found["id"])
    fate = Fate.TAKEN if agency is None else Fate.CHANGED
    run.act(work, "organization_create" if agency is None else "organization_update", _fields(found))
    agency = work.session.get_one(Agency, found["id"])
    if run.contact_email and not agency.contact_email:
        agencies.edit(work, agency, {"contact_email": run.contact_email})
    unknown = [name for name, capacity in people.items() if not _join(work, agency, name, capacity)]
    return fate, f"not here as members: {', '.join(unknown)}" if unknown else ""


def _join(work: Work, agency: Agency, name: str, capacity: str) -> bool:
    """Whether the person is here."""
    person = work.session.execute(select(User).where(User.name == name)).scalar_one_or_none()
    if person is not None and capacity in _ROLES:
        agencies.grant(work, agency, person, _ROLES[capacity])
    return person is not None


def _group(run: Run, found: Mapping[str, Any], work: Work) -> tuple[Fate, str]:
    here = work.session.get(Group, found["id"])
    if here is not None and here.name != found["name"]:
        raise Conflict("name_taken", name=here.name)
    run.act(work, "group_create" if here is None else "group_update", _fields(found))
    return (Fate.TAKEN if here is None else Fate.CHANGED), ""
