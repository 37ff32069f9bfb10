"""What may be called in the sandbox: a file tried against a schema whose names its header need not use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from opendata.tabular.layout import Layout
from opendata.tabular.shape import naming
from opendata.tabular.stream import frames
from opendata.tabular.workbooks.likeliest import likeliest
from opendata.validation.judging import validate_file

SAMPLE = 50
Schema = Mapping[str, Any]


def check(
    path: str,
    name: str,
    options: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    limit_errors: int = 1000,
) -> dict[str, Any]:
    """`{report, layout, mapped, columns, sample}` of a file: frictionless' report against `schema`, else against the inferred
    one, and how the file was read; with a schema, which column is which field; without one, what a ready one is found by.
    Errors: those of `layout`."""
    source = Path(path)
    found = likeliest(source, name, options)
    report = validate_file(source, name, options, schema, limit_errors, found=found)
    answer = {"report": report, "layout": found.descriptor()}
    if schema is None:
        sample = _sample(source, found)
        return answer | {"mapped": [], "columns": list(found.columns), "sample": sample}
    mapped = naming.map_columns(schema, found.columns)
    return answer | {"mapped": [asdict(one) for one in mapped], "columns": [], "sample": []}


def _sample(source: Path, found: Layout) -> list[list[str]]:
    return [list(row) for frame in islice(frames(source, found), 1) for row in frame.head(SAMPLE).rows()]
