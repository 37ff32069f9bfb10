"""What was found in a file, as a clerk reads it: one state, counts, and the wrong cells by column with examples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opendata.catalog.views import ResourceView
from opendata.edge import messages
from opendata.validation import service as validation
from opendata.validation.library.dictionary import rules
from opendata.web import texts
from opendata.work.unit import Work

EXAMPLES = 5
PARAMS = ("value", "form", "name", "until", "successor", "edition", "digits", "unit")
"""What a sentence of one of our checks may name; empty where the check does not know it."""
_FORMULA = re.compile(r'"(.*)"', re.DOTALL)
_CONSTRAINT = re.compile(r'constraint "(\w+)" is "(.*)"')


@dataclass
class Group:
    """Errors of one kind in one column (or in the table as a whole, if the column is empty)."""

    column: str
    sentence: str
    count: int = 0
    examples: list[tuple[int | None, str]] = field(default_factory=list)
    """(row number as in the file, the cell)"""


@dataclass(frozen=True)
class Verdict:
    state: str
    """waiting, no_table, unreadable, valid, wrong_cells, structural"""
    reason: str = ""
    """Why it could not be read."""
    rows: int | None = None
    columns: Sequence[Mapping[str, Any]] = ()
    """[{name, title, type, description, filled, missing}]"""
    header: Sequence[str] = ()
    sample: Sequence[Sequence[str]] = ()
    layout: Mapping[str, Any] = field(default_factory=dict)
    error_count: int = 0
    groups: Sequence[Group] = ()
    listed: int = 0
    """How many errors the groups stand for; the report stops at a limit."""

    @property
    def other_sheets(self) -> Mapping[str, Any] | None:
        """`{read, sheets, likely}` where the workbook has other sheets and nobody has chosen one."""
        return next((n for n in self.layout.get("notes", ()) if n["code"] == "other_sheets"), None)

    @property
    def likely_sheet(self) -> str:
        """The sheet that looks more like the data than the one that was read, or empty."""
        return str((self.other_sheets or self.layout).get("likely") or "")

    @property
    def filled(self) -> str:
        """How many of a hundred cells hold something, one place after the point, rounded down; empty for no cells."""
        cells = (self.rows or 0) * len(self.columns)
        if not cells or any("missing" not in column for column in self.columns):
            return ""
        tenths = (cells - sum(column["missing"] for column in self.columns)) * 1000 // cells
        return f"{tenths // 10}.{tenths % 10}"


def of(work: Work, resource: ResourceView, language: str) -> Verdict | None:
    """What is known of the resource's file; None for a link."""
    if resource.file is None:
        return None
    known = validation.known(work.session, resource.file, resource.meta)
    profile = (known.profile.profile if known.profile else None) or {}
    schema = validation.schema_of(resource.meta, known.profile) or {}
    error = known.profile.error if known.profile else None
    state = validation.state_of(known)
    if state != "done":
        return Verdict(state, reason=_told(error, language))
    report = known.report
    if error is not None or report is None:
        known_sheets = (error or {}).get("params", {})
        layout = {"sheets": known_sheets.get("sheets", ()), "likely": known_sheets.get("likely")}
        return Verdict("unreadable", reason=_told(error, language), layout=layout)
    broken = report.report.get("problem")
    groups = grouped(report.report, schema, language)
    return Verdict(
        "valid" if report.valid else "structural" if report.structural else "wrong_cells",
        reason=_told(broken, language),
        rows=profile.get("rows"),
        columns=_columns(profile, schema),
        header=(profile.get("layout") or {}).get("columns", []),
        sample=profile.get("sample", []),
        layout=profile.get("layout", {}),
        error_count=report.error_count,
        groups=groups,
        listed=sum(group.count for group in groups),
    )


def grouped(report: Mapping[str, Any], schema: Mapping[str, Any], language: str) -> list[Group]:
    """The errors of a frictionless report by column and kind, in the order of the columns."""
    types = {str(f.get("name")): str(f.get("type", "any")) for f in schema.get("fields", [])}
    asked = {formula: said for said, formula in rules(schema, language) if said}
    errors = [
        *report.get("errors", []),
        *(e for task in report.get("tasks", []) for e in task.get("errors", [])),
    ]
    found: dict[tuple[int, str, str], Group] = {}
    for error in errors:
        column = str(error.get("fieldName") or error.get("label") or "")
        sentence = _sentence(error, types.get(column, "any"), language, asked)
        key = (int(error.get("fieldNumber") or 0), column, sentence)
        group = found.setdefault(key, Group(column, sentence))
        group.count += 1
        if len(group.examples) < EXAMPLES and (error.get("rowNumber") or error.get("cell")):
            group.examples.append((error.get("rowNumber"), str(error.get("cell") or "")[:200]))
    return [found[key] for key in sorted(found)]


def _sentence(error: Mapping[str, Any], kind: str, language: str, asked: Mapping[str, str]) -> str:
    """In plain words where we have them; frictionless' own note for what is rare. `asked`: what row rules say, by formula."""
    name, note = str(error.get("type", "")), str(error.get("note", ""))
    if reason := error.get("reason"):
        return _reasoned(name, str(reason), error, language)
    if name == "row-constraint" and (match := _FORMULA.search(note)) and match[1] in asked:
        return texts.text("finding.row-rule", language, rule=asked[match[1]])
    if name == "type-error":
        return texts.text("finding.type-error", language, type=texts.type_name(kind, language))
    if name == "constraint-error" and (match := _CONSTRAINT.search(note)):
        key = f"finding.constraint.{match[1]}"
        if texts.has(key, language):
            return texts.text(key, language, value=match[2].strip("[]").replace("'", "")[:200])
    key = f"finding.{name}"
    if texts.has(key, language):
        return texts.text(key, language)
    title = str(error.get("title") or name)
    return f"{title}: {note}" if note else title


def _reasoned(name: str, reason: str, error: Mapping[str, Any], language: str) -> str:
    """Of one of our checks: its own sentence for the reason, else the one that all checks share."""
    for key in (f"finding.{name}.{reason}", f"finding.any.{reason}"):
        if texts.has(key, language):
            params = {k: str(v)[:200] for k, v in (error.get("params") or {}).items()}
            return texts.text(key, language, **(dict.fromkeys(PARAMS, "") | params))
    return f"{error.get('title') or name}: {error.get('note', '')}"


def _columns(profile: Mapping[str, Any], schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of the file with what its schema tells of them, by name."""
    told = {f.get("name"): f for f in schema.get("fields", [])}
    return [
        {
            **column,
            "type": str(told.get(column["name"], {}).get("type", column.get("type", "any"))),
            "title": str(told.get(column["name"], {}).get("title", "")),
            "description": str(told.get(column["name"], {}).get("description", "")),
        }
        for column in profile.get("columns", [])
    ]


def _told(error: Mapping[str, Any] | None, language: str) -> str:
    return messages.text(str(error["code"]), language, error.get("params", {})) if error else ""
