"""An activity as CKAN tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset, Group, Release
from opendata.compat.ckan import groups, packages
from opendata.compat.ckan.activities.lines import RECORDED, Line
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.wire import Call

T = TypeVar("T", Agency, Group)


def told(call: Call, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """With what each is about, in a constant number of statements: a dataset as the release says that went out, groups and
    organizations as they are now."""
    data = _packages(call, lines) | _circles(call, lines)
    data |= {line.id: line.row.details["data"] for line in lines if line.row.action == RECORDED}
    data |= _brought(call, lines)
    return [
        {
            "id": line.id,
            "timestamp": stamp(line.at),
            "user_id": line.user_id,
            "object_id": line.object_id,
            "activity_type": line.activity_type,
            "data": data.get(line.id, {}),
            "permission_labels": _labels(line),
        }
        for line in lines
    ]


def _labels(line: Line) -> list[str] | None:
    """Who may see it, in CKAN's words; it says so of datasets alone."""
    if line.dataset is None or line.row.action == RECORDED:
        return None
    if line.is_public:
        return ["public"]
    return [f"collaborator-{line.dataset.id}", f"member-{line.dataset.agency_id}"]


def _packages(call: Call, lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    """Of what went out that release, of others the newest one."""
    ours = [line for line in lines if not line.entry]
    held = _newest(call, [line.dataset.id for line in ours if line.dataset and not line.release])
    found = [
        (line, dataset, release)
        for line in ours
        if (dataset := line.dataset) and (release := line.release or held.get(dataset.id))
    ]
    if not found:
        return {}
    shown = views.many(call.work.session, [(dataset, release) for _, dataset, release in found])
    names = _names(call, ours)
    return {
        line.id: {"package": {**package, "private": not line.is_public}, **_actor(call, names, line)}
        for (line, _, _), package in zip(found, packages.rendered_all(call, shown), strict=True)
    }


def _brought(call: Call, lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    """Of what was brought over the title that the object had."""
    old = [line for line in lines if line.entry]
    names = _names(call, old)
    return {
        line.id: {
            **({_key(line): {"title": line.entry.title}} if line.entry and line.entry.title else {}),
            **_actor(call, names, line),
        }
        for line in old
    }


def _key(line: Line) -> str:
    """What CKAN calls the object in an activity's data: organizations are groups to it."""
    return "package" if line.row.subject_type == "dataset" else "group"


def _actor(call: Call, names: Mapping[str | None, str], line: Line) -> dict[str, str | None]:
    return {} if call.work.actor.is_public else {"actor": names.get(line.user_id)}


def _names(call: Call, lines: Sequence[Line]) -> Mapping[str | None, str]:
    """Names of those who did it, for those who have an account."""
    if call.work.actor.is_public or not lines:
        return {}
    query = select(User.id, User.name).where(User.id.in_([line.user_id for line in lines]))
    return {row[0]: row[1] for row in call.work.session.execute(query)}


def _newest(call: Call, ids: Sequence[str]) -> Mapping[str, Release]:
    if not ids:
        return {}
    query = select(Dataset.id, Release).join(Release, Release.id == queries.last_release_id())
    return {row[0]: row[1] for row in call.work.session.execute(query.where(Dataset.id.in_(ids)))}


def _circles(call: Call, lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    found: dict[str, Agency | Group] = {
        **_rows(call, Group, "group", lines),
        **_rows(call, Agency, "agency", lines),
    }
    return {
        line.id: {"group": _face(thing)}
        for line in lines
        if not line.entry and (thing := found.get(line.row.subject_id)) is not None
    }


def _face(thing: Agency | Group) -> dict[str, Any]:
    """Without the parts that CKAN computes for lists."""
    computed = ("display_name", "image_display_url")
    found = {key: value for key, value in groups.face(thing).items() if key not in computed}
    return {**found, "extras": {}}


def _rows(call: Call, kind: type[T], subject_type: str, lines: Sequence[Line]) -> dict[str, T]:
    ids = [line.row.subject_id for line in lines if line.row.subject_type == subject_type and not line.entry]
    found = call.work.session.execute(select(kind).where(kind.id.in_(ids))).scalars() if ids else ()
    return {row.id: row for row in found}
