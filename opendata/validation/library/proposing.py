"""How a file would be read, put to the clerk: which column is which field, what is set aside, what else is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opendata.tabular.dialect import BLANKS
from opendata.tabular.shape import naming
from opendata.validation.library import matching

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """A column of the file and the field that it is, or None."""

    column: str
    field: str | None
    by: str
    """`accepted` by the clerk, else how it was found (`naming.Mapped.by`); empty for none."""


@dataclass(frozen=True)
class Proposal:
    columns: tuple[Reading, ...]
    missing: tuple[str, ...]
    """Required fields without a column."""
    absent: tuple[str, ...]
    """Optional ones."""
    doubtful: tuple[str, ...]
    """Fields whose values do not look like theirs."""
    notes: tuple[Mapping[str, Any], ...]
    """What is odd about the file, `tabular.layout.Layout.notes`."""
    options: Mapping[str, Any]
    """How it is read once the proposal is accepted: `ReadOptions`, complete."""
    tables: tuple[Mapping[str, str], ...]
    """Other tables of the file, each as the options that read it: `sheet` or `member`."""


def propose(profile: Mapping[str, Any], options: Mapping[str, Any], schema: Schema | None) -> Proposal:
    """Of a file's profile as it is read with `options`; `schema` is the one it is checked against, if any was named."""
    layout = profile["layout"]
    accepted = options.get("columns") or {}
    labels = [str(label) for label in layout.get("labels") or layout["columns"]]
    called = [str(accepted.get(label, label)) for label in labels]  # blank: no field
    match = matching.compare(schema, called, profile.get("sample", [])) if schema else None
    found = {one.column: one for one in match.mapped} if match else {}
    columns = tuple(_reading(*pair, accepted, found) for pair in zip(labels, called, strict=True))
    wanted = {one.column: one.field for one in columns if one.field and one.field != one.column}
    notes = tuple(layout.get("notes", ()))
    return Proposal(
        columns=columns,
        missing=match.missing if match else (),
        absent=match.absent if match else (),
        doubtful=match.doubtful if match else (),
        notes=notes,
        options=_options(options, {**accepted, **wanted}, notes),
        tables=_tables(layout),
    )


def _reading(
    label: str, called: str, accepted: Mapping[str, str], found: Mapping[str, naming.Mapped]
) -> Reading:
    if label in accepted:
        return Reading(label, called or None, "accepted")
    mapped = found.get(called)
    return Reading(label, mapped.field, mapped.by) if mapped else Reading(label, None, "")


def _options(
    options: Mapping[str, Any], columns: Mapping[str, str], notes: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    made = {**options, "columns": dict(columns)} if columns else dict(options)
    if any(note["code"] == "total_row" for note in notes):
        made["without_total"] = True
    if any(note["code"] == "blanks_between" for note in notes):
        made["delimiter"] = BLANKS
    return made


def _tables(layout: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    members = [{"member": name} for name in layout.get("members", []) if name != layout.get("member")]
    own = {"member": layout["member"]} if layout.get("member") else {}
    sheets = [{**own, "sheet": name} for name in layout.get("sheets", []) if name != layout.get("sheet")]
    return (*sheets, *members)
