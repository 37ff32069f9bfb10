"""Runs frictionless over one file, as `tabular` reads it. Only inside the sandbox.

frictionless decides; `proof` spares it the rows that are clean.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from frictionless import Dialect, FrictionlessException, Schema, system
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.infer import Inference
from opendata.tabular.layout import Layout, content, layout
from opendata.tabular.profiling.whole import Onlooker
from opendata.tabular.stream import Tally, every_row, frames, write_csv
from opendata.tabular.tasks import profile
from opendata.validation.checks.making import descriptor_of
from opendata.validation.checks.plugin import checklist
from opendata.validation.library.fitting import fit
from opendata.validation.proof.digest import Digest
from opendata.validation.proof.patience import patience
from opendata.validation.proof.validating import validate

_DIRECT = ("utf-8", "utf-8-sig", "gb18030")


def validate_file(
    path: Path,
    name: str,
    options: Mapping[str, Any] | None,
    schema: Mapping[str, Any] | None,
    limit_errors: int = 1000,
    onlooker: Onlooker | None = None,
    found: Layout | None = None,
) -> dict[str, Any]:
    """A frictionless report descriptor; row numbers count the lines of the table in the original from 1, header included.

    Delimited files in UTF-8 and GB18030 are read as they are, all others as canonical CSV, its columns called as the schema
    does (`fitting.fit`). Without `schema` the inferred one holds. What cannot be read at all is a report with one error (its `code` and `params` are the
    `TaskError`'s); so is a crash of frictionless (type `task-error`). Raises nothing for what a file or schema holds."""
    try:
        found = found or layout(path, name, options)
        described, names = fit(schema or _inferred(path, found), found.columns, found.own)
        return _judge(path, name, replace(found, columns=names), described, limit_errors, onlooker)
    except TaskError as error:
        return _unreadable(name, error)


def judge_file(
    path: Path,
    name: str,
    options: Mapping[str, Any] | None,
    schema: Mapping[str, Any] | None,
    limit_errors: int = 1000,
) -> dict[str, Any]:
    """`{profile, report}`: what `tabular.tasks.profile` and `validate_file` answer, in one pass where the file is read by
    columns to its end, or as a copy. Without `schema` the profile's own holds: it is guessed from the first rows, and where the whole file
    says otherwise, judged by what that says. Errors: those of `tabular.tasks.profile`."""
    found = layout(path, name, options)
    onlooker = Onlooker(found)
    judged = schema if schema is not None else _inferred(path, found, first=1)
    report = validate_file(path, name, options, judged, limit_errors, onlooker, found)
    made = onlooker.result() or profile(str(path), name, options)
    if schema is None and judged != made["schema"]:
        report = validate_file(path, name, options, made["schema"], limit_errors, found=found)
    return {"profile": made, "report": report}


def _inferred(path: Path, found: Layout, first: int | None = None) -> dict[str, Any]:
    """From all rows, or from the first blocks of them."""
    inference = Inference.of(found)
    for frame in islice(frames(path, found), first):
        inference.feed(frame)
    return inference.schema()


def _is_direct(found: Layout) -> bool:
    """Whether the file is read as it is."""
    return found.format in ("csv", "tsv") and found.encoding in _DIRECT and found.is_as_written


def _judge(
    path: Path, name: str, found: Layout, schema: dict[str, Any], limit_errors: int, onlooker: Onlooker | None
) -> dict[str, Any]:
    source = content(path, found)
    if _is_direct(found):
        seen = onlooker if found.last_row is None and len(schema["fields"]) == len(found.columns) else None
        report = _frictionless(source, name, found, schema, limit_errors, seen)
        return report if source == path else _with_stats(report, path)
    with tempfile.TemporaryDirectory() as folder:
        canonical = Path(folder, "table.csv")
        rows = every_row(path, found, Tally()) if onlooker is None else onlooker.watched(path)
        write_csv(path, found, canonical, keep_lines=True, source=rows)
        report = _frictionless(canonical, name, _canonical(found), schema, limit_errors)
    return _with_stats(_with_formulas(report, found), path)


def _with_formulas(report: dict[str, Any], found: Layout) -> dict[str, Any]:
    """Adds a finding for each cell whose formula has no stored result: frictionless sees an empty one there."""
    note = next((n for n in found.notes if n["code"] == "formula_without_value"), None)
    errors = [
        {
            **_error("formula-value", f'cell "{cell}" holds a formula without a stored result'),
            "tags": ["#table", "#row", "#cell"],
            "rowNumber": row,
            "fieldNumber": column,
            "fieldName": found.columns[column - 1],
            "cell": cell,
        }
        for column, row, cell in (note or {}).get("cells", ())
        if row > found.header_end and column <= len(found.columns)
    ]
    if errors:
        report["valid"] = False
        for task in report["tasks"]:
            task["valid"], task["errors"] = False, [*task["errors"], *errors]
            task["stats"]["errors"] += len(errors)
        report["stats"]["errors"] += len(errors)
    return report


def _canonical(found: Layout) -> Layout:
    return replace(found, format="csv", encoding="utf-8", delimiter=",", quote='"')


def _frictionless(
    path: Path,
    name: str,
    found: Layout,
    schema: dict[str, Any],
    limit_errors: int,
    seen: Onlooker | None = None,
) -> dict[str, Any]:
    # All is said explicitly: frictionless would guess a missing part from the first hundred lines.
    control = CsvControl(
        delimiter=found.delimiter or ",",
        quote_char=found.quote or '"',
        double_quote=True,
        skip_initial_space=False,
        line_terminator="\r\n",
    )
    dialect = Dialect(header_rows=[found.header_end])
    dialect.add_control(control)
    try:
        with system.use_context(trusted=True), patience(schema):
            resource = TableResource(
                name="table",
                path=str(path),
                scheme="file",
                format="csv",
                encoding=found.encoding,
                dialect=dialect,
                schema=Schema.from_descriptor(schema),
            )
            made = validate(resource, checklist(schema), limit_errors=limit_errors, onlooker=seen)
            report = _plain(descriptor_of(made))
    except FrictionlessException as error:  # of the schema
        return _report(name, [_plain(item.to_descriptor()) for item in error.to_errors()])
    for task in report["tasks"]:
        task["place"] = name
    return report


def _plain(descriptor: dict[str, Any]) -> dict[str, Any]:
    """As JSON holds it."""
    plain: dict[str, Any] = json.loads(json.dumps(descriptor, default=str))
    return plain


def _with_stats(report: dict[str, Any], path: Path) -> dict[str, Any]:
    """Puts the original's bytes and hashes in place of those of the copy."""
    size, md5, sha256 = Digest.of(path).finish()
    for task in report["tasks"]:
        task["stats"].update({"bytes": size, "md5": md5, "sha256": sha256})
    return report


def _unreadable(name: str, error: TaskError) -> dict[str, Any]:
    kind = "encoding-error" if error.code.startswith("encoding_") else "format-error"
    if error.code in ("file_empty", "header_missing"):
        kind = "source-error"
    if error.code == "pattern_too_slow":
        kind = "schema-error"
    return _report(name, [{**_error(kind, error.code), "code": error.code, "params": error.params}])


def _error(kind: str, note: str) -> dict[str, Any]:
    title = kind.replace("-", " ").title()
    return {
        "type": kind,
        "title": title,
        "description": "",
        "message": f"{title}: {note}",
        "tags": [],
        "note": note,
    }


def _report(name: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    stats = {"errors": len(errors), "warnings": 0, "seconds": 0.0}
    task = {
        "name": "table", "type": "table", "valid": False, "place": name, "labels": [],
        "stats": stats, "warnings": [], "errors": errors,
    }  # fmt: skip
    return {"valid": False, "stats": {"tasks": 1, **stats}, "warnings": [], "errors": [], "tasks": [task]}
