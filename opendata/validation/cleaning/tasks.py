"""What may be called in the sandbox: a cleaning is proposed, and a recipe is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from opendata.tabular.layout import Layout, layout
from opendata.tabular.stream import Tally, every_row
from opendata.validation.cleaning import proposing, steps
from opendata.validation.cleaning.recipe import ROWS, Recipe

CLEANED = "cleaned.csv"
Options = Mapping[str, Any] | None
Schema = Mapping[str, Any] | None


def propose(path: str, name: str, options: Options = None, schema: Schema = None) -> list[dict[str, Any]]:
    """The steps that are certain and would change something: `[{step, count, examples: [{row, before, after}]}]`.
    Errors: those of `layout`."""
    source = Path(path)
    return [
        {
            "step": change.step.model_dump(mode="json", exclude_none=True),
            "count": change.count,
            "examples": change.examples,
        }
        for change in proposing.propose(source, layout(source, name, options), schema)
    ]


def clean(
    path: str, name: str, recipe: Mapping[str, Any], output: str, schema: Schema = None
) -> dict[str, Any]:
    """Writes `<output>/cleaned.csv`, the table in UTF-8 with one header row: `{rows, aside, ignored}`; `ignored` are the
    ids of steps whose columns the file does not have. A bounded number of rows at a time. Errors: those of `layout`."""
    source, asked = Path(path), Recipe.model_validate(recipe)
    found = layout(source, name, asked.options.stored())
    changes = _by_place(found, asked)
    kinds = [kind for kind in ROWS if any(step.step is kind for step in asked.steps)]
    labels = proposing.labels_of(found, schema)
    rows = aside = 0
    with Path(output, CLEANED).open("wb") as file:
        pl.DataFrame([list(found.columns)], orient="row").write_csv(file, include_header=False)
        for frame in every_row(source, found, Tally()):
            marks = proposing.set_aside(frame, kinds, labels) if kinds else [None] * frame.height
            kept = frame.filter(pl.Series(marks, dtype=pl.String).is_null())
            done = kept.with_columns(
                _changed(kept.to_series(place), steps_of) for place, steps_of in changes.items()
            )
            done.write_csv(file, include_header=False, line_terminator="\n")
            rows, aside = rows + done.height, aside + frame.height - kept.height
    known = set(found.columns)
    ignored = [step.id for step in asked.steps if step.column and step.column not in known]
    return {"rows": rows, "aside": aside, "ignored": ignored}


def _by_place(found: Layout, asked: Recipe) -> dict[int, list[Callable[[str], str]]]:
    """What is done to each column, in the order of the recipe."""
    return {
        place: made
        for place, column in enumerate(found.columns)
        if (made := [steps.cell(step) for step in asked.steps if step.column == column])
    }


def _changed(cells: pl.Series, changes: Sequence[Callable[[str], str]]) -> pl.Series:
    distinct = cells.unique().to_list()
    after = []
    for text in distinct:
        now = text
        for change in changes:
            now = change(now)
        after.append(now)
    return cells.replace_strict(distinct, after, return_dtype=pl.String).alias(cells.name)
