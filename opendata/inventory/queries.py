"""Reads of the inventory. What exists is public, also what is not open, and why (D03, D08); withheld lines are not there
for those who may not see them (`policy`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from opendata.core.errors import BadQuery, FieldError, NotFound
from opendata.core.paging import Page
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.plan.models import LineOpening
from opendata.inventory.policy import visible_lines
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import Value, read
from opendata.work.unit import Work


@dataclass(frozen=True)
class Wanted:
    """Which lines; an empty field asks for all."""

    agency_id: str = ""
    openness: str = ""
    domain: str = ""
    data_level: str = ""
    opened: bool | None = None
    """Whether a public dataset opens it now; False leaves out what is not to be opened at all."""
    text: str = ""
    """Part of the title, the abstract or the code."""
    city: Sequence[tuple[str, Value]] = ()
    """Values of the city's own fields, each by its field's name."""

    def conditions(self) -> list[ColumnElement[bool]]:
        line = InventoryLine
        found = [
            column == value
            for column, value in (
                (line.agency_id, self.agency_id),
                (line.openness, self.openness),
                (line.domain, self.domain),
                (line.data_level, self.data_level),
            )
            if value
        ]
        if self.opened is not None:
            found.append(line.id.in_(_OPENED) if self.opened else line.id.not_in(_OPENED))
            found.append(line.openness != Openness.CLOSED.value)
        if self.text:
            found.append(
                line.title.icontains(self.text, autoescape=True)
                | line.abstract.icontains(self.text, autoescape=True)
                | line.resource_code.startswith(self.text, autoescape=True)
            )
        return found + [_holds(name, value) for name, value in self.city]


def _holds(name: str, value: Value) -> ColumnElement[bool]:
    held: Any = InventoryLine.city_fields[name]
    said = (
        held.as_boolean()
        if isinstance(value, bool)
        else held.as_string()
        if isinstance(value, str)
        else held.as_float()
    )
    found: ColumnElement[bool] = said == value
    return found


def city_values(work: Work, wanted: Iterable[str]) -> Sequence[tuple[str, Value]]:
    """`NAME:VALUE` of the city's fields of lines; `BadQuery` for a field that there is not."""
    fields = {field.name: field for field in profile.line_fields(work)} if wanted else {}
    found = []
    for text in filter(None, wanted):  # of a form's choice of nothing
        name, _, value = text.partition(":")
        if name not in fields:
            told = {"value": name[:60], "known": ", ".join(fields) or "–"}
            raise BadQuery(fields=[FieldError("city_field", "unknown_value", told)])
        found.append((name, read(fields[name], value)))
    return found


_OPENED = select(LineOpening.line_id)
ALL = Wanted()


def page(work: Work, wanted: Wanted = ALL, *, offset: int = 0, limit: int = 100) -> Page[InventoryLine]:
    """Lines by resource code. What is passed over is passed over in an index: only the lines shown are read whole."""
    conditions = (visible_lines(work), *wanted.conditions())
    count = select(func.count()).select_from(InventoryLine).where(*conditions)
    ids = select(InventoryLine.id).where(*conditions).order_by(InventoryLine.resource_code)
    shown = select(InventoryLine).where(InventoryLine.id.in_(ids.offset(offset).limit(limit)))
    rows = work.session.execute(shown.order_by(InventoryLine.resource_code)).scalars().all()
    return Page(rows, work.session.execute(count).scalar_one(), offset, limit)


def every(work: Work, wanted: Wanted = ALL) -> Sequence[InventoryLine]:
    """All of them, for an export."""
    return work.session.execute(_lines(work, wanted).order_by(InventoryLine.resource_code)).scalars().all()


def counts_by_openness(work: Work, wanted: Wanted = ALL) -> dict[str, int]:
    query = select(InventoryLine.openness, func.count()).where(visible_lines(work), *wanted.conditions())
    rows = work.session.execute(query.group_by(InventoryLine.openness))
    return {str(openness): int(count) for openness, count in rows}


def opened_since(work: Work, ids: Collection[str]) -> dict[str, datetime]:
    """Since when a public dataset opens the line, by its id; a line that none opens is not there."""
    rows = work.session.execute(
        select(LineOpening.line_id, LineOpening.opened_at).where(LineOpening.line_id.in_(ids))
    )
    return {line_id: at for line_id, at in rows}  # noqa: C416 - rows are no pairs for mypy


def find(work: Work, ids: Iterable[str]) -> Sequence[InventoryLine]:
    """The lines of these ids or resource codes, in that order; `NotFound("line_not_found")` naming the first unknown one."""
    wanted = list(ids)
    query = select(InventoryLine).where(
        InventoryLine.id.in_(wanted) | InventoryLine.resource_code.in_(wanted), visible_lines(work)
    )
    found = {
        key: line for line in work.session.execute(query).scalars() for key in (line.id, line.resource_code)
    }
    missing = [i for i in wanted if i not in found]
    if missing:
        raise NotFound("line_not_found", id=missing[0][:100])
    return [found[i] for i in wanted]


def _lines(work: Work, wanted: Wanted) -> Select[InventoryLine]:
    return select(InventoryLine).where(visible_lines(work), *wanted.conditions())
