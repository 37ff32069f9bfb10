"""What the platform that was left had recorded: each line `history.brought` of the trail holds entries with their own dates.

An entry is for everybody if that platform showed it to everybody and its dataset is public here; others are for the
dataset's own people. What a dataset said then was not brought along, but for its title.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    TableValuedAlias,
    and_,
    case,
    column,
    func,
    not_,
    or_,
    select,
    true,
)

from opendata.access import policy
from opendata.catalog.models import Dataset
from opendata.core.database import JSON_VALUE
from opendata.work.audit import AuditRow
from opendata.work.unit import Work

BROUGHT = "history.brought"
Key = tuple[datetime, int, int]
"""(time, number of the line, place in the line)."""


class Part(Protocol):
    """Which part of a stream is wanted (`lines.Wanted`)."""

    @property
    def before(self) -> datetime | None: ...
    @property
    def after(self) -> datetime | None: ...
    @property
    def types(self) -> Sequence[str]: ...
    @property
    def without(self) -> bool: ...
    @property
    def upwards(self) -> bool: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True)
class Entry:
    id: str
    at: datetime
    type: str
    by: str | None
    public: bool
    """Whether that platform showed it to everybody."""
    title: str = ""
    """Of the object, then."""


def keys(work: Work, scope: ColumnElement[bool], part: Part, by: Collection[str]) -> list[Key]:
    """Of the first entries, in the stream's order, that are in a scope of subjects or done by these people."""
    each = _Each(work)
    query = each.query().where(or_(scope, each.by.in_(by)) if by else scope)
    if part.types:
        chosen = each.type.in_(part.types)
        query = query.where(not_(chosen) if part.without else chosen)
    if part.before is not None:
        query = query.where(each.at < _text(part.before))
    if part.after is not None:
        query = query.where(each.at > _text(part.after))
    order = (each.at, AuditRow.seq, each.place)
    query = query.order_by(*order) if part.upwards else query.order_by(*(name.desc() for name in order))
    return [(_time(at), seq, place) for at, seq, place in work.session.execute(query.limit(part.end))]


def key(work: Work, entry_id: str) -> Key | None:
    """Of the entry with that id, if the actor sees it."""
    each = _Each(work)
    found = work.session.execute(each.query().where(each.id == entry_id).limit(1)).one_or_none()
    return (_time(found[0]), found[1], found[2]) if found else None


def entries(
    work: Work, seqs: Collection[int]
) -> Mapping[tuple[int, int], tuple[AuditRow, Dataset | None, Entry]]:
    """All entries of some lines, by number of the line and place."""
    if not seqs:
        return {}
    rows = work.session.execute(
        select(AuditRow, Dataset).outerjoin(Dataset, _OF).where(AuditRow.seq.in_(seqs))
    )
    return {
        (row.seq, place): (row, dataset, _entry(told))
        for row, dataset in rows
        for place, told in enumerate(row.details["entries"])
    }


def counted(work: Work, days: Sequence[datetime]) -> list[int]:
    """How many there are in all, and how many are older than each of these."""
    each = _Each(work)
    older = [func.count(case((each.at < _text(day), 1))) for day in days]
    query = (
        select(func.count(), *older)
        .select_from(AuditRow)
        .join(each.table, true())
        .where(AuditRow.action == BROUGHT)
    )
    return list(work.session.execute(query).one())


_OF = and_(AuditRow.subject_type == "dataset", Dataset.id == AuditRow.subject_id)


class _Each:
    """The entries of lines as rows of SQL."""

    def __init__(self, work: Work) -> None:
        self._work = work
        held, value = AuditRow.details["entries"], column("value", JSON_VALUE)
        if work.session.get_bind().dialect.name == "postgresql":
            unrolled = func.jsonb_array_elements(held).table_valued(value, with_ordinality="place")
            self.table: TableValuedAlias = unrolled.render_derived(name="entry")
            self.place: ColumnElement[int] = self.table.c.place - 1
        else:
            self.table = func.json_each(held).table_valued(value, column("key", Integer), name="entry")
            self.place = self.table.c.key
        told = self.table.c.value
        self.id, self.at, self.type, self.by = (told[name].as_string() for name in ("id", "at", "type", "by"))
        self.public = func.coalesce(told["public"].as_boolean(), False)

    def query(self) -> Select[Any]:
        """Time, line and place of all that the actor sees."""
        is_public = and_(self.public, policy.PUBLIC_FILTER)
        seen = (
            is_public if self._work.actor.is_public else or_(is_public, policy.seen_drafts_filter(self._work))
        )
        return (
            select(self.at, AuditRow.seq, self.place)
            .select_from(AuditRow)
            .join(self.table, true())
            .outerjoin(Dataset, _OF)
            .where(AuditRow.action == BROUGHT, or_(AuditRow.subject_type != "dataset", seen))
        )


def _entry(told: Mapping[str, Any]) -> Entry:
    return Entry(
        told["id"],
        _time(told["at"]),
        told["type"],
        told["by"],
        told.get("public", False),
        told.get("title", ""),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _text(at: datetime) -> str:
    """As the entries have it: UTC without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
