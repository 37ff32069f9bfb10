"""What an authority binds: the shape of the files, and how far an update may drift from what the reviewers saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opendata.catalog.views import DatasetView
from opendata.core.canonical import sha256_json
from opendata.validation import service as validation
from opendata.work.unit import Work

Problem = dict[str, Any]
"""{code, params}; `messages` hold the sentence of each code."""
UPDATED = frozenset({"data_updated_on", "temporal_start", "temporal_end"})
"""Metadata that an update may bring; all else is the reviewers'."""


def schema_hash(work: Work, view: DatasetView) -> str | None:
    """Of names and types of all columns and the schemas that they are judged by; None if a file has no rows to be read."""
    shapes = {}
    for resource in view.resources:
        if resource.file is None:
            return None
        verdict = validation.known(work.session, resource.file, resource.meta)
        schema = validation.schema_of(work.session, resource.meta, verdict.profile)
        if schema is None or verdict.report is None or not verdict.report.valid:
            return None
        columns = [[field.get("name"), field.get("type")] for field in schema.get("fields", [])]
        shapes[resource.id] = {"schema": resource.meta.schema_name, "columns": columns}
    return sha256_json(shapes) if shapes else None


def measure(work: Work, view: DatasetView) -> dict[str, Any]:
    """By resource: {rows, filled: {column: share}}."""
    found = {}
    for resource in view.resources:
        if resource.file is not None:
            profile = validation.known(work.session, resource.file, resource.meta).profile
            facts = (profile.profile if profile else None) or {}
            rows = int(facts.get("rows") or 0)
            filled = {
                str(column["name"]): round((rows - int(column.get("missing") or 0)) / rows, 4)
                if rows
                else 0.0
                for column in facts.get("columns", [])
            }
            found[resource.id] = {"rows": rows, "filled": filled}
    return found


def drift(
    baseline: Mapping[str, Any], now: Mapping[str, Any], *, rows_drift: int, filled_drift: int
) -> Iterator[Problem]:
    """What lies out of bounds."""
    for resource_id, before in baseline.items():
        after = now.get(resource_id, {"rows": 0, "filled": {}})
        if abs(after["rows"] - before["rows"]) * 100 > rows_drift * before["rows"]:
            yield _problem("rows", before=before["rows"], after=after["rows"], bound=rows_drift)
        for column, share in before["filled"].items():
            new = after["filled"].get(column, 0.0)
            if round(abs(new - share) * 100, 2) > filled_drift:
                told = {"before": round(share * 100, 1), "after": round(new * 100, 1), "bound": filled_drift}
                yield _problem("filled", column=column, **told)


def same_words(old: DatasetView, new: DatasetView) -> bool:
    """Whether nothing but files and dates of the data differ."""
    return _words(old) == _words(new)


def _words(view: DatasetView) -> dict[str, Any]:
    meta = {name: value for name, value in view.meta.stored().items() if name not in UPDATED}
    return {
        "name": view.dataset.name,
        "meta": meta,
        "files": [(r.id, r.meta.stored()) for r in view.resources],
    }


def _problem(code: str, **params: Any) -> Problem:
    return {"code": code, "params": params}
