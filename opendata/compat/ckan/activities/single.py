"""Actions on one activity: itself, what it was about, and how that differs from what was before."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from opendata.agencies import queries as agency_queries
from opendata.catalog import queries
from opendata.compat.ckan import packages
from opendata.compat.ckan.activities import lines
from opendata.compat.ckan.activities.lines import OBJECTS, RECORDED, TYPES, Line
from opendata.compat.ckan.activities.telling import told
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.users import any_user
from opendata.compat.ckan.wire import MISSING, ActionError, Call, denied, not_found, require, text_of, wrong
from opendata.core.errors import NotFound
from opendata.core.ids import new_id


def activity_show(call: Call) -> dict[str, Any]:
    """An activity of a dataset. `id`."""
    return told(call, [_found(call)])[0]


def activity_data_show(call: Call) -> dict[str, Any]:
    """What an activity was about: a dataset as it went out then. `id`, `object_type` (package)."""
    data: dict[str, Any] = told(call, [_found(call)])[0]["data"]
    wanted = text_of(call.args, "object_type")
    if not wanted:
        return data
    if wanted not in data:
        raise not_found("Could not find that object_type in the activity")
    found: dict[str, Any] = data[wanted]
    return found


def activity_diff(call: Call) -> dict[str, Any]:
    """How a dataset differs from what went out here before. `id`, `object_type` (package), `diff_type` (unified, context, html)."""
    key, wanted = require(call.args, "id"), require(call.args, "object_type")
    line = _found(call, key)
    before = None if line.entry else lines.before(call.work, line)
    if before is None:
        raise not_found("Previous activity for this object not found")
    activities = told(call, [before, line])
    if not all(wanted in activity["data"] for activity in activities):
        raise not_found("Could not find object in the activity data")
    old, new = (_lines(activity["data"][wanted]) for activity in activities)
    return {"diff": _diff(old, new, text_of(call.args, "diff_type", "unified")), "activities": activities}


def activity_create(call: Call) -> dict[str, Any]:
    """Records an activity by hand, for sysadmins; nobody else sees it. `user_id`, `object_id`, `activity_type`, `data`."""
    if not call.work.actor.sysadmin:
        raise denied()
    kind, user_id, object_id = _named(call)
    data = call.args.get("data") or {}
    if not isinstance(data, dict):
        raise wrong({"data": ["Must be a dictionary"]})
    kept = {"id": new_id(), "activity_type": kind, "user_id": user_id, "data": data}
    call.work.record(RECORDED, OBJECTS[kind.rpartition(" ")[2]], object_id, **kept)
    return {"timestamp": stamp(call.work.now), "object_id": object_id, "permission_labels": None, **kept}


def _found(call: Call, key: str = "") -> Line:
    """One of a dataset; others have nothing to be shown but what their lists tell."""
    line = lines.one(call.work, key or require(call.args, "id"))
    if line is None:
        raise not_found()
    if line.dataset is None and line.row.action != RECORDED:
        raise denied("object_type not recognized")
    return line


def _named(call: Call) -> tuple[str, str, str]:
    """(type, id of the person, id of the object), or all that is wrong with them."""
    kind, user, key = (text_of(call.args, name) for name in ("activity_type", "user_id", "object_id"))
    given = {"activity_type": kind, "user_id": user, "object_id": key}
    errors: dict[str, Sequence[str]] = {name: [MISSING] for name, value in given.items() if not value}
    if kind and kind not in TYPES:
        errors["activity_type"] = ["Not found: Activity type"]
        if key:
            errors["object_id"] = [f'There is no object_id validator for activity type "{kind[:100]}"']
    ids = {"user_id": "", "object_id": ""}
    if user:
        ids["user_id"], errors = _looked_up(call, "user", user, errors, "user_id", "Not found: User")
    if key and kind in TYPES:
        what = kind.rpartition(" ")[2]
        ids["object_id"], errors = _looked_up(call, what, key, errors, "object_id", _NOT_THERE[what])
    if errors:
        raise wrong(errors)
    return kind, ids["user_id"], ids["object_id"]


_NOT_THERE = {
    "package": "Dataset not found",
    "user": "Not found: User",
    "group": "Not found: Group",
    "organization": "Not found: Group",
}


def _looked_up(
    call: Call, what: str, key: str, errors: Mapping[str, Sequence[str]], name: str, missing: str
) -> tuple[str, dict[str, Sequence[str]]]:
    try:
        return _id_of(call, what, key), dict(errors)
    except (NotFound, ActionError):
        return "", {**errors, name: [missing]}


def _id_of(call: Call, what: str, key: str) -> str:
    if what == "package":
        return packages.find(call.work, key).id
    if what == "user":
        return any_user(call, key).id
    if what == "group":
        return queries.group(call.work, key).id
    return agency_queries.find(call.work, key).id


# -- differences -----------------------------------------------------------------------------------------------------


MOST_LINES = {"unified": 50_000, "context": 50_000, "html": 2_000}
"""Of each side: what takes longer than about a second is refused. The last one marks changes within lines."""


def _lines(thing: Any) -> list[str]:
    return orjson.dumps(thing, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode().split("\n")


def _diff(old: list[str], new: list[str], kind: str) -> str:
    if kind not in MOST_LINES:
        raise wrong({"message": "diff_type not recognized"})
    if max(len(old), len(new)) > MOST_LINES[kind]:
        raise wrong({"message": f"Too large to be compared: more than {MOST_LINES[kind]} lines"})
    if kind == "html":
        return difflib.HtmlDiff().make_table(_wrapped(old), _wrapped(new))
    compare = difflib.unified_diff if kind == "unified" else difflib.context_diff
    return "\n".join(compare(old, new))


def _wrapped(text: list[str]) -> list[str]:
    return [part for line in text for part in re.findall(r".{1,70}(?:\s+|$)", line)]
