"""Actions on collaborators: people who work on a single dataset without working for its organization, whose admins name
them. What an `editor` edits stays a draft until somebody of the organization hands it in; a `member` reads the draft."""

from __future__ import annotations

from typing import Any

from opendata.access import collaborators
from opendata.access.collaborators import CAPACITIES
from opendata.accounts.models import User
from opendata.accounts.service import find_user
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer
from opendata.catalog.models import Collaborator, Dataset
from opendata.compat.ckan.packages import find, stamp
from opendata.compat.ckan.wire import MISSING, Call, denied, not_found, require, text_of, wrong
from opendata.core.errors import NotFound
from opendata.work.actor import Role

_CHOICES = ", ".join(role.value for role in CAPACITIES)


def package_collaborator_create(call: Call) -> dict[str, Any]:
    """Makes somebody a collaborator on a dataset. `id` (of the dataset), `user_id`, `capacity` (editor, member). For the
    organization's admins."""
    _need_all(call, "id", "user_id", "capacity")
    capacity = _capacity(call, "Role")
    dataset, agency = _administered(call, "add collaborators to", "Dataset not found")
    return _told(collaborators.put(call.work, dataset, agency, _user(call), capacity or Role.MEMBER))


def package_collaborator_delete(call: Call) -> None:
    """Ends a collaboration. `id` (of the dataset), `user_id`. For the organization's admins."""
    _need_all(call, "id", "user_id")
    dataset, agency = _administered(call, "remove collaborators from", "Package not found")
    user = _user(call)
    try:
        collaborators.remove(call.work, dataset, agency, user)
    except NotFound:
        key = text_of(call.args, "user_id")[:100]
        raise not_found(f"User {key} is not a collaborator on this package") from None


def package_collaborator_list(call: Call) -> list[dict[str, str]]:
    """Who collaborates on a dataset, for the organization's admins. `id` (of the dataset), `capacity`."""
    require(call.args, "id")
    dataset, _agency = _administered(call, "list collaborators from", "Package not found")
    capacity = _capacity(call, "Capacity")
    found = collaborators.of_dataset(call.work, dataset)
    return [
        {**_told(row), "modified": stamp(row.granted_at).replace("T", " ")}
        for row in found
        if capacity in (None, row.capacity)
    ]


def package_collaborator_list_for_user(call: Call) -> list[dict[str, str]]:
    """On which datasets somebody collaborates, for themselves and sysadmins. `id` (the person's), `capacity`."""
    key, actor = require(call.args, "id"), call.work.actor
    if not actor.sysadmin and (actor.is_public or key not in (actor.id, actor.name)):
        raise denied()
    capacity = _capacity(call, "Capacity")
    try:
        found = collaborators.datasets_of(call.work, find_user(call.work, key))
    except NotFound:
        raise denied("Not allowed to retrieve collaborators") from None
    rows = [_told(row) for row in found if capacity in (None, row.capacity)]
    return [{name: value for name, value in row.items() if name != "user_id"} for row in rows]


def _administered(call: Call, what: str, missing: str) -> tuple[Dataset, Agency]:
    """The dataset, for who administers its organization."""
    if call.work.actor.is_public:
        raise denied()
    try:
        dataset = find(call.work, text_of(call.args, "id"))
    except NotFound:
        raise not_found(missing) from None
    agency = call.work.session.get_one(Agency, dataset.agency_id)
    if not may_administer(call.work.actor, agency):
        raise denied(f"User {call.caller} not authorized to {what} this dataset")
    return dataset, agency


def _user(call: Call) -> User:
    try:
        return find_user(call.work, text_of(call.args, "user_id"))
    except NotFound:
        raise not_found("User not found") from None


def _capacity(call: Call, called: str) -> Role | None:
    """The capacity that was named, if any."""
    named = text_of(call.args, "capacity")
    if named and named not in CAPACITIES:
        raise wrong({"message": f'{called} must be one of "{_CHOICES}"'})
    return Role(named) if named else None


def _need_all(call: Call, *names: str) -> None:
    missing = {name: [MISSING] for name in names if not text_of(call.args, name)}
    if missing:
        raise wrong(missing)


def _told(row: Collaborator) -> dict[str, str]:
    return {
        "package_id": row.dataset_id,
        "user_id": row.user_id,
        "capacity": row.capacity,
        "modified": stamp(row.granted_at),
    }
