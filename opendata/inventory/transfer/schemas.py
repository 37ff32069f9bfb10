"""API shapes of a list that came in."""

from __future__ import annotations

import base64

from pydantic import BaseModel, Field

from opendata.edge import messages
from opendata.inventory.schemas import ChangeOut
from opendata.inventory.transfer.plan import UNCHANGED, Entry, Group, Plan, grouped
from opendata.inventory.transfer.reading import ReadList

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ColumnOut(BaseModel):
    name: str
    zh: str
    en: str


class SentenceOut(BaseModel):
    zh: str
    en: str


class ProblemOut(BaseModel):
    """The same thing wrong in the same column with the same value."""

    column: ColumnOut
    rule: str
    value: str
    count: int
    rows: list[int] = Field(description="The first of them, as the office program counts")
    detail: SentenceOut


class LineOut(BaseModel):
    rows: list[int]
    resource_code: str | None = Field(description="Null for a new line that would get the next code")
    title: str
    action: str = Field(description="added, changed, wrong")
    changes: list[ChangeOut]


class WorkbookOut(BaseModel):
    """The clerk's own workbook, the wrong cells coloured and commented."""

    name: str
    media_type: str
    base64: str


class ListImportOut(BaseModel):
    agency: str
    file: str
    dry_run: bool
    added: int
    changed: int
    unchanged: int
    wrong: int
    lines: list[LineOut] = Field(description="Without the unchanged ones")
    problems: list[ProblemOut]
    ignored_columns: list[str] = Field(description="Headers that the template does not have")
    sheet: str | None
    other_sheets: list[str] = Field(description="Sheets of the workbook that were not read")
    workbook: WorkbookOut | None = Field(description="Null if nothing is wrong")


def list_import_out(
    agency: str, read: ReadList, found: Plan, marked: bytes | None, *, dry_run: bool
) -> ListImportOut:
    return ListImportOut(
        agency=agency,
        file=read.name,
        dry_run=dry_run,
        **found.counts,
        lines=[_line(entry) for entry in found.entries if entry.action != UNCHANGED],
        problems=[problem_out(group, found) for group in grouped(found.wrong)],
        ignored_columns=list(read.notes["ignored_columns"]),
        sheet=read.notes["sheet"],
        other_sheets=list(read.notes["other_sheets"]),
        workbook=workbook_out(read.name, marked),
    )


def problem_out(group: Group, found: Plan) -> ProblemOut:
    zh, en = (messages.field_text(group.error, language) for language in ("zh", "en"))
    return ProblemOut(
        column=ColumnOut(
            name=group.column, zh=found.title(group.column, "zh"), en=found.title(group.column, "en")
        ),
        rule=group.error.code,
        value=group.value,
        count=group.count,
        rows=group.rows,
        detail=SentenceOut(zh=zh, en=en),
    )


def marked_name(name: str) -> str:
    """Of the marked workbook, by that of the clerk's file."""
    return f"{name.rpartition('.')[0] or name}-marked.xlsx"


def workbook_out(name: str, marked: bytes | None) -> WorkbookOut | None:
    if marked is None:
        return None
    return WorkbookOut(
        name=marked_name(name), media_type=XLSX, base64=base64.b64encode(marked).decode("ascii")
    )


def _line(entry: Entry) -> LineOut:
    changes = [ChangeOut(element=c.element, before=c.before, after=c.after) for c in entry.changes]
    code = entry.line.resource_code if entry.line is not None else entry.read.code or None
    return LineOut(
        rows=entry.rows, resource_code=code, title=entry.read.title, action=entry.action, changes=changes
    )
