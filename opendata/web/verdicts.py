"""What was found in a file, as a clerk reads it: one state, counts, and the wrong cells by column with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opendata.catalog.views import ResourceView
from opendata.edge import messages
from opendata.tabular.shape import naming
from opendata.validation import service as validation
from opendata.validation.preparing import LARGE
from opendata.validation.telling.groups import Group, grouped, is_complete
from opendata.work.unit import Work


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
    """How many errors the groups stand for."""
    complete: bool = True
    """Whether these are all: a report stops at a limit."""
    at_once: bool = True
    """Whether the marked file comes without waiting for a job."""
    markable: bool = False
    """Whether the file is given back with its wrong cells marked."""
    cleanable: bool = False
    """Whether a cleaning can be proposed."""

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
    schema = validation.schema_of(work.session, resource.meta, known.profile) or {}
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
    groups = grouped(report.report, schema, _own_names(profile, schema))
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
        complete=is_complete(report.report),
        cleanable=broken is None,
        markable=bool(groups) and broken is None,
        at_once=resource.file.size <= LARGE,
    )


def _own_names(profile: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, str]:
    """What the file calls the fields of the schema: its clerk looks for these words."""
    columns = (profile.get("layout") or {}).get("columns", [])
    return {
        field: column for field, column in zip(naming.called(columns, schema), columns, strict=True) if field
    }


def _columns(profile: Mapping[str, Any], schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of the file with what its schema tells of them, by whatever name of theirs the header uses."""
    told = {f.get("name"): f for f in schema.get("fields", [])}
    columns = profile.get("columns", [])
    fields = [told.get(name, {}) for name in naming.called([column["name"] for column in columns], schema)]
    return [
        {
            **column,
            "type": str(field.get("type", column.get("type", "any"))),
            "title": str(field.get("title", "")),
            "description": str(field.get("description", "")),
        }
        for column, field in zip(columns, fields, strict=True)
    ]


def _told(error: Mapping[str, Any] | None, language: str) -> str:
    return messages.text(str(error["code"]), language, error.get("params", {})) if error else ""
