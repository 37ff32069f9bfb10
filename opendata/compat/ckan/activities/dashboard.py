"""Actions on one's own dashboard: what happened to what one follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from opendata.accounts.models import User
from opendata.catalog import queries
from opendata.compat.ckan.activities import lines
from opendata.compat.ckan.activities.models import Dashboard
from opendata.compat.ckan.activities.streams import wanted
from opendata.compat.ckan.activities.telling import told
from opendata.compat.ckan.following import queries as following
from opendata.compat.ckan.search import packages_in_groups
from opendata.compat.ckan.wire import Call, denied, wrong

MOST_FOLLOWED = 500
"""Things of each kind that a dashboard looks at."""


def dashboard_activity_list(call: Call) -> list[dict[str, Any]]:
    """What the caller did and what happened to what they follow, the newest first; `is_new` since they last looked. `limit`
    (31, at most 100), `offset`, `before`, `after`."""
    user = _user(call)
    found = _found(call, user)
    seen_at = _viewed_at(call, user)
    return [
        {**activity, "is_new": line.user_id != user.id and line.at > seen_at}
        for line, activity in zip(found, told(call, found), strict=True)
    ]


def dashboard_new_activities_count(call: Call) -> int:
    """How many of them are new."""
    user = _user(call)
    found = _found(call, user)
    seen_at = _viewed_at(call, user)
    return sum(line.user_id != user.id and line.at > seen_at for line in found)


def dashboard_mark_activities_old(call: Call) -> None:
    """All that is there has been looked at."""
    call.work.session.merge(Dashboard(user_id=_user(call).id, viewed_at=call.work.now))


def send_email_notifications(call: Call) -> None:
    """Sends nothing: the platform tells people by notices of its own, what they have to do first. For sysadmins."""
    if not call.work.actor.sysadmin:
        raise denied()
    raise wrong({"message": "ckan.activity_streams_email_notifications is not enabled in config"})


def _user(call: Call) -> User:
    if call.work.actor.id is None:
        raise denied("You must be logged in to access your dashboard.")
    return call.work.session.get_one(User, call.work.actor.id)


def _viewed_at(call: Call, user: User) -> datetime:
    found = call.work.session.get(Dashboard, user.id)
    return found.viewed_at if found else user.created_at


def _found(call: Call, user: User) -> list[lines.Line]:
    """What the caller did, and what happened to what they follow, and in followed groups and organizations."""
    followed = following.followed(call.work, user.id)
    datasets, groups, agencies, people = (
        followed.get(kind, ())[:MOST_FOLLOWED] for kind in ("dataset", "group", "organization", "user")
    )
    query = select(User).where(User.id.in_([user.id, *people]))
    scopes = [lines.of_users(call.work.session.execute(query).scalars().all())]
    if groups:
        named = [group for group in queries.groups(call.work) if group.id in groups]
        datasets = [*datasets, *packages_in_groups(call, named)]
        scopes.append(lines.of_subjects("group", groups))
    if agencies:
        scopes.append(lines.of_agencies(agencies))
    if datasets:
        scopes.append(lines.of_datasets(datasets))
    return lines.listed(call.work, or_(*scopes), wanted(call.args), by=[user.id, *people])
