"""A list comes in: looked at first (`plan.make`), then every line that is right goes in, each whole, the others stay out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit
from opendata.core.errors import Conflict, FieldError, Forbidden, NotFound
from opendata.core.ids import new_id
from opendata.inventory import service
from opendata.inventory.models import ListImport
from opendata.inventory.transfer import plan
from opendata.inventory.transfer.lines import Row, Wrong
from opendata.inventory.transfer.plan import ADDED, CHANGED, Plan
from opendata.inventory.transfer.reading import ReadList
from opendata.work.unit import Work

KEPT = timedelta(days=7)
"""How long a workbook waits for its clerk."""


def check_editor(work: Work, agency: Agency) -> None:
    """`Forbidden("agency_editor_only")`. Before anybody's bytes are read."""
    if not may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)


def apply(
    work: Work, agency: Agency, name: str, rows: Sequence[Row], *, import_id: str | None = None
) -> Plan:
    """Enters and changes the lines that are right. The list is looked at again, in this transaction: what became wrong
    since the preview stays out. `entry.line` are the lines afterwards."""
    check_editor(work, agency)
    import_id = import_id or new_id()
    found = plan.make(work, agency, rows)
    for entry in found.entries:
        if entry.action == ADDED:
            entry.line = service.create(work, agency, entry.read.fields, list_import_id=import_id)
        elif entry.action == CHANGED and entry.line is not None:
            service.update(work, entry.line, agency, entry.read.fields, list_import_id=import_id)
    work.record("inventory.imported", "agency", agency.id, file=name, list_import=import_id, **found.counts)
    return found


def keep(work: Work, agency: Agency, read: ReadList, found: Plan, marked: bytes | None) -> ListImport:
    """The list waits for its clerk to accept it; without the lines that it calls secret, which are kept nowhere."""
    check_editor(work, agency)
    expire(work)
    secret = [wrong for entry in found.entries if entry.read.secret for wrong in entry.read.wrong]
    kept = ListImport(
        id=new_id(),
        agency_id=agency.id,
        name=read.name,
        rows=plan.kept(read.rows, found),
        problems=[[w.row, w.column, w.error.code, dict(w.error.params), w.value] for w in secret],
        notes=dict(read.notes),
        marked=marked,
        created_by=work.actor.id or "system",
        created_at=work.now,
    )
    work.session.add(kept)
    work.session.flush()
    work.record(
        "inventory.list_read", "agency", agency.id, file=read.name, list_import=kept.id, **found.counts
    )
    return kept


def find(work: Work, agency: Agency, import_id: str) -> ListImport:
    """`NotFound("list_import_not_found")` also for one that is of another body or over."""
    check_editor(work, agency)
    kept = work.session.get(ListImport, import_id)
    if kept is None or kept.agency_id != agency.id or kept.created_at < work.now - KEPT:
        raise NotFound("list_import_not_found", id=import_id[:40])
    return kept


def accept(work: Work, agency: Agency, import_id: str) -> Plan:
    """The clerk has looked at the preview. Once only."""
    kept = find(work, agency, import_id)
    if kept.accepted_at is not None:
        raise Conflict("list_import_accepted")
    kept.accepted_at = work.now
    return apply(work, agency, kept.name, rows_of(kept), import_id=kept.id)


def rows_of(kept: ListImport) -> list[Row]:
    return [Row(number, cells) for number, cells in kept.rows]


def secrets_of(kept: ListImport) -> list[Wrong]:
    """What was wrong with the rows that were not kept."""
    return [
        Wrong(row, column, FieldError(column, code, params), value)
        for row, column, code, params, value in kept.problems
    ]


def expire(work: Work) -> None:
    """Lists that nobody has accepted in time, and those that are done with."""
    work.session.execute(delete(ListImport).where(ListImport.created_at < work.now - KEPT))
