"""Rows that are public as soon as they are written (the `direct` policy): nobody reviews them, so each change is held against
the negative list and screened before it is written down. What is found refuses the whole change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.clock import day_of
from opendata.publishing.governance import bar
from opendata.publishing.rows import waiving
from opendata.review import screening
from opendata.review.detect import texts
from opendata.review.detect.rules import Found
from opendata.tables.rows.engine import Refused, RowEngine
from opendata.tables.rows.models import RowTable
from opendata.tables.rows.service import Check
from opendata.work.unit import Work


def check_columns(
    work: Work, view: DatasetView, resource: ResourceView, table: RowTable, aliases: Sequence[str] = ()
) -> None:
    """What is told of the columns, and the table's other names. `OnNegativeList`, `Refused("screened")`."""
    words = {str(field["id"]): _words(field) for field in table.fields} | dict(
        zip(aliases, aliases, strict=True)
    )
    bar.check_columns(work, view, words)
    if texts.may_hold("\n".join(words.values())):
        today = work.now.date()
        found = [finding for name, told in words.items() for finding in texts.scan(name, told, today)]
        _refuse(work, resource.id, found)


def guard(work: Work, engine: RowEngine, resource: ResourceView, table: RowTable) -> Check:
    """Screens the rows of a change. `Refused("screened")` with the findings that block."""
    hints = screening.hints_of(work.session, resource.meta)

    def check(state: Mapping[str, Any], part: Path) -> None:
        labels = {str(field["id"]): _label(field) for field in table.fields}
        args = {"state": state, "today": day_of(work.now).isoformat(), "hints": hints, "labels": labels}
        found = engine.run("tasks:scan", args, inputs={"part": part}, package="opendata.publishing.rows")
        _refuse(work, resource.id, [Found(**finding) for finding in found])

    return check


def _refuse(work: Work, resource_id: str, found: Iterable[Found]) -> None:
    blocking = [finding for finding in found if finding.confident]
    if not blocking:
        return
    waived = waiving.waived(work, resource_id)
    if held := [finding for finding in blocking if (finding.place, finding.rule) not in waived]:
        raise Refused("screened", {"findings": held, "resource": resource_id})


def _label(field: Mapping[str, Any]) -> str:
    return str((field.get("info") or {}).get("label") or "")


def _words(field: Mapping[str, Any]) -> str:
    told = [str(value) for value in (field.get("info") or {}).values() if value]
    return "\n".join([str(field["id"]), *told])
