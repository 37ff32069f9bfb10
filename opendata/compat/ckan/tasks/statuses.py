"""Actions on what loaders report of their work. A loader has a sysadmin's token, and its texts may tell of what is not
public: states are written and read by sysadmins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.tasks.models import TaskStatus
from opendata.compat.ckan.wire import MISSING, Call, denied, dicts, not_found, require, text_of, wrong
from opendata.core.ids import new_id

_NAMES = ("entity_id", "entity_type", "key", "task_type")
_MOST_OF_NAME = 200
_MOST_OF_TEXT = 100_000


def task_status_show(call: Call) -> dict[str, Any]:
    """A state, for sysadmins. `id`; or `entity_id`, `task_type` and `key`."""
    if not call.work.actor.sysadmin:
        raise denied(f"User {call.caller} not authorized to read task_status table")
    query = select(TaskStatus)
    if key := text_of(call.args, "id"):
        query = query.where(TaskStatus.id == key)
    else:
        for name in ("entity_id", "task_type", "key"):
            query = query.where(getattr(TaskStatus, name) == require(call.args, name))
    found = call.work.session.execute(query).scalar_one_or_none()
    if found is None:
        raise not_found()
    return _told(found)


def task_status_update(call: Call) -> dict[str, Any]:
    """Writes a state, for sysadmins. `id` of one that is there, `entity_id`, `entity_type`, `task_type`, `key`, `value`,
    `state`, `error`, `last_updated`."""
    return _told(_written(call, call.args))


def task_status_update_many(call: Call) -> dict[str, Any]:
    """Writes several states, all or none. `data`: a list of what task_status_update takes."""
    if "data" not in call.args:
        raise wrong({"data": [MISSING]})
    return {"results": [_told(_written(call, row)) for row in dicts(call.args, "data")]}


def task_status_delete(call: Call) -> None:
    """Drops a state, for sysadmins. `id`."""
    key = require(call.args, "id")
    found = call.work.session.get(TaskStatus, key)
    if not call.work.actor.sysadmin:
        raise denied()
    if found is None:
        raise not_found()
    call.work.session.delete(found)


def _written(call: Call, row: Mapping[str, Any]) -> TaskStatus:
    if not call.work.actor.sysadmin:
        raise denied(f"User {call.caller} not authorized to update task_status table")
    session, key = call.work.session, text_of(row, "id")
    found = session.get(TaskStatus, key) if key else None
    if key and found is None:
        raise not_found("TaskStatus was not found.")
    names = _names(row)
    found = found or session.execute(select(TaskStatus).filter_by(**_place(names))).scalar_one_or_none()
    if found is None:
        found = TaskStatus(id=new_id(), value="")
        session.add(found)
    found.value = _text(row, "value") or found.value
    found.state, found.error = _text(row, "state") or None, _text(row, "error") or None
    found.last_updated = _moment(row) or call.work.now
    for name, value in names.items():
        setattr(found, name, value)
    session.flush()
    return found


def _names(row: Mapping[str, Any]) -> dict[str, str]:
    names = {name: text_of(row, name) for name in _NAMES}
    errors: dict[str, list[str]] = {name: [MISSING] for name, value in names.items() if not value}
    too_long = [f"Must be at most {_MOST_OF_NAME} characters long"]
    errors |= {name: too_long for name, value in names.items() if len(value) > _MOST_OF_NAME}
    if errors:
        raise wrong(errors)
    return names


def _place(names: Mapping[str, str]) -> dict[str, str]:
    """What a state is of: two of the same would be one."""
    return {name: value for name, value in names.items() if name != "entity_type"}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = text_of(row, name)
    if len(value) > _MOST_OF_TEXT:
        raise wrong({name: [f"Must be at most {_MOST_OF_TEXT} characters long"]})
    return value


def _moment(row: Mapping[str, Any]) -> datetime | None:
    """CKAN's dates have no zone: they are of UTC."""
    text = text_of(row, "last_updated")
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise wrong({"last_updated": ["Date format incorrect"]}) from None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


def _told(row: TaskStatus) -> dict[str, Any]:
    return {
        "id": row.id,
        "entity_id": row.entity_id,
        "entity_type": row.entity_type,
        "task_type": row.task_type,
        "key": row.key,
        "value": row.value,
        "state": row.state,
        "error": row.error,
        "last_updated": stamp(row.last_updated),
    }
