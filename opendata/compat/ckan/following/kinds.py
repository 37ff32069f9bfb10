"""What can be followed: how it is found, and how its list shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, select

from opendata.access import policy
from opendata.accounts.models import User
from opendata.agencies import queries as agency_queries
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset, DatasetState, Release
from opendata.compat.ckan import groups, organizations, packages
from opendata.compat.ckan.users import any_user, dicts_of
from opendata.compat.ckan.wire import ActionError, Call
from opendata.core.errors import NotFound

Shown = Callable[[Call, Sequence[str]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Kind:
    """`find`: (kind, id) of what the caller means. NotFound, or Not Found in CKAN's words."""

    plural: str
    called: str
    """In CKAN's sentences."""
    find: Callable[[Call, str], tuple[str, str]]


def _dataset(call: Call, key: str) -> tuple[str, str]:
    return "dataset", packages.find(call.work, key).id


def _group(call: Call, key: str) -> tuple[str, str]:
    """To CKAN's clients an organization is a group."""
    try:
        return "group", queries.group(call.work, key).id
    except NotFound:
        return "organization", agency_queries.find(call.work, key).id


def _user(call: Call, key: str) -> tuple[str, str]:
    return "user", any_user(call, key).id


DATASET = Kind("datasets", "Dataset", _dataset)
GROUP = Kind("groups", "Group", _group)
USER = Kind("users", "User", _user)


def found(call: Call, kind: Kind, key: str) -> tuple[str, str] | None:
    try:
        return kind.find(call, key) if key else None
    except (NotFound, ActionError):
        return None


# -- lists -----------------------------------------------------------------------------------------------------------


def _datasets(call: Call, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Those that the caller sees, each as they see it: the open draft for its own people, else what is public."""
    work = call.work
    release_id = case(
        (policy.seen_drafts_filter(work), queries.last_release_id()), else_=Dataset.published_id
    )
    query = (
        select(Dataset, Release)
        .join(Release, Release.id == release_id)
        .where(Dataset.id.in_(ids), policy.visible_filter(work), Dataset.state != DatasetState.DELETED.value)
        .order_by(Dataset.name)
    )
    pairs = [(dataset, release) for dataset, release in work.session.execute(query)]
    return packages.shown_all(call, views.many(work.session, pairs)) if pairs else []


def _groups(call: Call, ids: Sequence[str]) -> list[dict[str, Any]]:
    counts = groups.counts_of(call)
    wanted = [group for group in queries.groups(call.work) if group.id in ids]
    return [groups.shown(call, group, counts, wanted=False) for group in wanted]


def _organizations(call: Call, ids: Sequence[str]) -> list[dict[str, Any]]:
    counts = organizations.counts_of(call)
    wanted = [agency for agency in agency_queries.every(call.work) if agency.id in ids]
    return [groups.shown(call, agency, counts, wanted=False) for agency in wanted]


def _users(call: Call, ids: Sequence[str]) -> list[dict[str, Any]]:
    query = select(User).where(User.id.in_(ids)).order_by(User.name)
    return dicts_of(call, call.work.session.execute(query).scalars().all(), as_members=True)


LISTS: Mapping[str, Shown] = {
    "user": _users,
    "dataset": _datasets,
    "group": _groups,
    "organization": _organizations,
}
