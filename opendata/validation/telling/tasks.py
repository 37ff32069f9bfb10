"""What may be called in the sandbox: a file is judged, and handed back with its wrong cells marked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from opendata.tabular.layout import layout
from opendata.tabular.shape import naming
from opendata.tabular.workbooks import marking
from opendata.tabular.workbooks.likeliest import likeliest
from opendata.validation.engine import classify
from opendata.validation.judging import validate_file
from opendata.validation.telling import notes
from opendata.validation.telling.groups import is_complete

MARKS = 10_000
"""Errors that are marked: ten times those of a report. A comment takes about a kilobyte of the file."""
MARKED = "marked.xlsx"


def annotate(
    path: str,
    name: str,
    output: str,
    options: Mapping[str, Any] | None = None,
    schema: Mapping[str, Any] | None = None,
    any_header: bool = False,
) -> dict[str, Any]:
    """Writes `<output>/marked.xlsx` and answers `{valid, errors, complete, cells, rows, whole}` (`marking.Marked`).

    `any_header`: the header may name the schema's fields in Chinese, by aliases, in any order, and the sheet that looks like the
    data is read, as `library.tasks.check` does; else it is judged as a resource's file is. Errors: those of `layout`."""
    source = Path(path)
    found = (likeliest if any_header else layout)(source, name, options)
    report = validate_file(source, name, options, schema, MARKS, found=found)
    own: dict[str, str] = {}
    if any_header and schema is not None:
        own = {one.field: one.column for one in naming.map_columns(schema, found.columns)}
    marked = marking.mark(
        source,
        found,
        notes.marks(report, schema or {}, found),
        Path(output, MARKED),
        notes=partial(notes.sheet, name=name, report=report, schema=schema or {}, own=own),
    )
    verdict = classify(report)
    return {
        "valid": verdict["valid"],
        "errors": verdict["errors"],
        "complete": is_complete(report),
        "cells": marked.cells,
        "rows": marked.rows,
        "whole": marked.whole,
    }
