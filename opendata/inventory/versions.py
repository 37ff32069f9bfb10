"""Versions of lines, and so of a body's list: who changed what, when, from what to what (D03, D08)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, null, or_, select, update

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_see_drafts
from opendata.core.database import Written, table_of
from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.inventory.elements import ELEMENTS
from opendata.inventory.models import InventoryLine, LineVersion
from opendata.inventory.policy import PUBLIC_LINES
from opendata.work.unit import Work

_NOTE = Written(insert(table_of(LineVersion)))
REMOVED = "removed"


@dataclass(frozen=True)
class Change:
    """One element that differs."""

    element: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """What became of one line between two moments: `added`, `removed` or `changed`."""

    kind: str
    line_id: str
    resource_code: str
    title: str
    """Empty for a line that is gone, for those who may not know what it was."""
    changes: Sequence[Change]


def snapshot(line: InventoryLine) -> dict[str, Any]:
    """The line's elements as JSON values."""
    return {name: plain(getattr(line, name)) for name in ELEMENTS}


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """The elements that differ, in the order of the template."""
    old, new = before or {}, after or {}
    # A version from before an element was there has nothing of it, as a line that says nothing has.
    return [
        Change(e, old.get(e), new.get(e)) for e in ELEMENTS if (old.get(e) or None) != (new.get(e) or None)
    ]


def note(
    work: Work,
    line: InventoryLine,
    action: str,
    before: Mapping[str, Any] | None,
    *,
    public: bool,
    list_import_id: str | None = None,
) -> None:
    """Keeps what has just become of the line (flushed). `public`: neither before nor after it was withheld."""
    after = None if action == REMOVED else snapshot(line)
    if action == REMOVED:
        # What a line said goes with it: a withdrawn dataset's words must not live on in its line's history.
        old = update(LineVersion).where(LineVersion.line_id == line.id)
        work.session.execute(old.values(public=False))
    _NOTE.send(
        work.session,
        {
            "line_id": line.id,
            "agency_id": line.agency_id,
            "resource_code": line.resource_code,
            "edition": line.edition,
            "action": action,
            "at": work.now,
            "actor_id": work.actor.id,
            "actor_name": work.actor.name,
            "before": dict(before) if before is not None else null(),
            "after": after if after is not None else null(),
            "list_import_id": list_import_id,
            "public": public,
        },
    )


def last_public(work: Work, line: InventoryLine) -> dict[str, Any] | None:
    """The line as the public last knew it; None if it never did."""
    query = select(LineVersion.after).where(LineVersion.line_id == line.id, LineVersion.public)
    return work.session.execute(query.order_by(LineVersion.id.desc()).limit(1)).scalar()


def of_line(work: Work, line: InventoryLine, agency: Agency) -> Sequence[LineVersion]:
    """The line's versions, newest first. The line itself was found visible."""
    query = select(LineVersion).where(LineVersion.line_id == line.id)
    if not may_see_drafts(work.actor, agency):
        query = query.where(LineVersion.public)
    return work.session.execute(query.order_by(LineVersion.id.desc()).limit(1000)).scalars().all()


def version(work: Work, line: InventoryLine, agency: Agency, edition: int) -> LineVersion:
    """`NotFound("version_not_found")`."""
    found = next((v for v in of_line(work, line, agency) if v.edition == edition), None)
    if found is None:
        raise NotFound("version_not_found", id=str(edition))
    return found


def of_list(work: Work, agency: Agency, *, offset: int = 0, limit: int = 100) -> Page[LineVersion]:
    """All changes of a body's list, newest first."""
    query = select(LineVersion).where(LineVersion.agency_id == agency.id, _seen(work, agency))
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = work.session.execute(query.order_by(LineVersion.id.desc()).offset(offset).limit(limit))
    return Page(rows.scalars().all(), total, offset, limit)


def difference(work: Work, agency: Agency, since: datetime, until: datetime) -> list[Difference]:
    """What became of the body's list after `since`, up to and including `until`: one entry a line, by resource code."""
    query = select(LineVersion).where(
        LineVersion.agency_id == agency.id,
        LineVersion.at > since,
        LineVersion.at <= until,
        _seen(work, agency),
    )
    steps: dict[str, list[LineVersion]] = {}
    for step in work.session.execute(query.order_by(LineVersion.id)).scalars():
        steps.setdefault(step.line_id, []).append(step)
    inside = may_see_drafts(work.actor, agency)
    found = (_summed(of_one, inside=inside) for of_one in steps.values())
    return sorted((d for d in found if d is not None), key=lambda d: d.resource_code)


def shown(work: Work, agency: Agency, version: LineVersion) -> tuple[str, list[Change]]:
    """(title, changes) of a version, as the actor may know them: of a line that is gone the public learns the code alone."""
    if version.action == REMOVED and not may_see_drafts(work.actor, agency):
        return "", []
    told = version.after or version.before or {}
    return str(told.get("title", "")), changes(version.before, version.after)


def _seen(work: Work, agency: Agency) -> ColumnElement[bool]:
    if may_see_drafts(work.actor, agency):
        return LineVersion.agency_id == agency.id
    there = select(InventoryLine.id).where(InventoryLine.agency_id == agency.id, PUBLIC_LINES)
    return and_(LineVersion.public, or_(LineVersion.line_id.in_(there), LineVersion.action == REMOVED))


def _summed(steps: Sequence[LineVersion], *, inside: bool) -> Difference | None:
    first, last = steps[0], steps[-1]
    if last.action == REMOVED:
        if first.before is None and inside:
            return None  # came and went in between
        title = str((first.before or {}).get("title", "")) if inside else ""
        return Difference(REMOVED, last.line_id, last.resource_code, title, ())
    title = str((last.after or {}).get("title", ""))
    if first.before is None:
        return Difference("added", last.line_id, last.resource_code, title, ())
    # What a line said before it was removed and came back is not for everybody.
    told = inside or all(step.action != REMOVED for step in steps)
    found = changes(first.before, last.after) if told else []
    return (
        Difference("changed", last.line_id, last.resource_code, title, found) if found or not told else None
    )


def plain(value: Any) -> Any:
    """A value of an element as JSON: enum members as their text, days in ISO form."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, Iterable) else value
