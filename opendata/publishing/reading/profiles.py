"""The profile of a resource's file, as anybody may see it who may see its rows: no value of a column that is about people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendata.access.service import SeenResource
from opendata.review import queries as reviews
from opendata.validation import service as validation
from opendata.work.unit import Work

PERSONAL = frozenset(("resident_id", "mobile", "email", "person_name", "address", "plate"))
"""Semantic types of which no value is shown."""
COUNTED = ("semantic_type", "distinct")
"""What is told of a column about people."""
VALUES = ("min", "max", "mean", "quantiles", "top", "histogram")


def of(work: Work, found: SeenResource) -> dict[str, Any]:
    """`{state, rows, blank_rows, columns, problem}` of the resource's file; `columns` as `tabular.profiling.columns` finds them.
    The caller has asked whether the actor may see the file."""
    file = found.resource.file
    known = validation.known(work.session, file, found.resource.meta) if file else None
    row = known.profile if known else None
    profile = (row.profile if row else None) or {}
    screened = _screened(work, found)
    columns = [
        _column(column, facts, screened)
        for column, facts in zip(profile.get("columns", []), profile.get("statistics", []), strict=False)
    ]
    return {
        "state": "done" if columns else validation.state_of(known) if known else "no_table",
        "rows": profile.get("rows"),
        "blank_rows": profile.get("blank_rows"),
        "columns": columns,
        "made_at": row.made_at if row else None,
        "problem": row.error if row else None,
    }


def _screened(work: Work, found: SeenResource) -> frozenset[str]:
    """Places that the screening named, whatever was decided about them."""
    named = reviews.findings(work, found.view.release)
    return frozenset(finding.place for finding in named if finding.resource_id == found.resource.id)


def _column(column: Mapping[str, Any], facts: Mapping[str, Any], screened: frozenset[str]) -> dict[str, Any]:
    name = str(column["name"])
    hidden = facts["semantic_type"] in PERSONAL or any(_is_place(place, name) for place in screened)
    counts = {key: column[key] for key in ("name", "type", "missing", "longest")}
    values = {key: None if hidden else facts.get(key) for key in VALUES}
    return {
        **counts,
        "count": column["filled"],
        **{key: facts[key] for key in COUNTED},
        "values_hidden": hidden,
        **values,
    }


def _is_place(place: str, name: str) -> bool:
    """Places may begin with a sheet or a table of an archive, and end with a number."""
    last = place.rpartition("!")[2]
    return name.strip() in (place, last, last.partition("[")[0], last.rpartition("/")[2])
