"""Actions that list what happened to a dataset, a group, an organization, by somebody, or at all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_

from opendata.agencies import queries as agency_queries
from opendata.catalog import queries
from opendata.compat.ckan import packages
from opendata.compat.ckan.activities import lines
from opendata.compat.ckan.activities.lines import Wanted
from opendata.compat.ckan.activities.telling import told
from opendata.compat.ckan.search import packages_in_groups
from opendata.compat.ckan.users import any_user
from opendata.compat.ckan.wire import (
    ActionError,
    Arguments,
    Call,
    denied,
    listed,
    require,
    text_of,
    whole,
    wrong,
)

LIMIT, MOST = 31, 100
"""CKAN's ckan.activity_list_limit and ckan.activity_list_limit_max."""
MOST_TYPES = 50


def package_activity_list(call: Call) -> list[dict[str, Any]]:
    """What happened to a dataset, the newest first. `id`, `limit` (31, at most 100), `offset`, `before` and `after` (seconds
    since 1970), `activity_types` or `exclude_activity_types`."""
    key, part = require(call.args, "id"), wanted(call.args)
    return _stream(call, lines.of_datasets([packages.find(call.work, key).id]), part)


def group_activity_list(call: Call) -> list[dict[str, Any]]:
    """What happened to a group and its datasets. `id`, `limit`, `offset`, `before`, `after`, `activity_types`."""
    key, part = require(call.args, "id"), wanted(call.args)
    group = queries.group(call.work, key)
    members = packages_in_groups(call, [group])
    scope = or_(lines.of_subjects("group", [group.id]), lines.of_datasets(members))
    return _stream(call, scope, part)


def organization_activity_list(call: Call) -> list[dict[str, Any]]:
    """What happened to an organization and its datasets. `id`, `limit`, `offset`, `before`, `after`, `activity_types`."""
    key, part = require(call.args, "id"), wanted(call.args)
    return _stream(call, lines.of_agencies([agency_queries.find(call.work, key).id]), part)


def user_activity_list(call: Call) -> list[dict[str, Any]]:
    """What somebody did, for those who have an account. `id`: the person's, `limit`, `offset`, `before`, `after`,
    `activity_types`."""
    if call.work.actor.is_public:
        raise denied("users are shown to users only")
    key, part = require(call.args, "id"), wanted(call.args)
    user = any_user(call, key)
    return _stream(call, lines.of_users([user]), part, by=[user.id])


def recently_changed_packages_activity_list(call: Call) -> list[dict[str, Any]]:
    """What happened to datasets, the newest first. `limit` (31, at most 100), `offset`."""
    return _stream(call, lines.PACKAGES, wanted(call.args))


def wanted(args: Arguments) -> Wanted:
    """The part of a stream that was asked for."""
    types = [str(name) for name in listed(args, "activity_types")][:MOST_TYPES]
    without = [str(name) for name in listed(args, "exclude_activity_types")][:MOST_TYPES]
    if types and without:
        raise wrong({"activity_types": ["Cannot be used together with `exclude_activity_types"]})
    return Wanted(
        limit=_limit(args) or MOST,
        offset=whole(args, "offset", 0),
        before=_moment(args, "before"),
        after=_moment(args, "after"),
        types=types or without,
        without=bool(without),
    )


def _stream(
    call: Call, scope: ColumnElement[bool], part: Wanted, by: Collection[str] = ()
) -> list[dict[str, Any]]:
    return told(call, lines.listed(call.work, scope, part, by))


def _limit(args: Arguments) -> int:
    try:
        return whole(args, "limit", LIMIT, most=MOST)
    except ActionError as error:
        if error.body.get("limit") != ["Invalid integer"]:
            raise
        raise wrong({"limit": ["Invalid integer", "Please enter an integer value"]}) from None


def _moment(args: Arguments, name: str) -> datetime | None:
    text = text_of(args, name)
    if not text:
        return None
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise wrong({name: ["Must be a float timestamp"]}) from None
