"""How many messy files give their true rows: without a person, after one accepted proposal; all others say why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from opendata.edge import messages
from opendata.ports.sandbox.port import TaskError
from opendata.tabular.tasks import profile, to_parquet
from opendata.validation.library.proposing import propose
from tests.support import messy
from tests.support.figures import FIGURE
from tests.support.messy import Messy

ALONE, ACCEPTED = 0.95, 0.99
"""Of the files that hold a table."""


def outcome(file: Messy, folder: Path) -> str:
    """alone, accepted, or the code that says why not; `wrong` for rows that are not those of the table."""
    path = folder / "file"
    path.write_bytes(file.data)
    try:
        found = profile(str(path), file.name)
        if is_true(path, file, {}, found, folder):
            return "alone"
    except TaskError as error:
        assert_said(error.code, error.params)
        return error.code
    for options in proposals(found):
        try:
            if is_true(path, file, options, profile(str(path), file.name, options), folder):
                return "accepted"
        except TaskError as error:
            assert_said(error.code, error.params)
    return "wrong"


def proposals(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a person is asked: the reading that is proposed, or another table of the file."""
    proposal = propose(found, {}, None)
    yield dict(proposal.options)
    yield from (dict(table) for table in proposal.tables)


def is_true(path: Path, file: Messy, options: dict[str, Any], found: Mapping[str, Any], folder: Path) -> bool:
    """Whether the rows, as they are loaded, are those of the table; names where the truth has one."""
    answer = to_parquet(
        str(path), file.name, options, {**found["schema"], "fields": texts(found)}, str(folder)
    )
    loaded = pl.read_parquet(folder / "table.parquet").fill_null("")
    names = [column["name"] for column in answer["columns"]]
    named = all(truth in ("", name) for truth, name in zip(file.header, names, strict=False))
    return len(names) == len(file.header) and named and [list(row) for row in loaded.rows()] == file.rows


def texts(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**described, "type": "string"} for described in found["schema"]["fields"]]


def assert_said(code: str, params: Mapping[str, Any]) -> None:
    for language in ("zh", "en"):
        sentence = messages.text(code, language, dict(params))
        assert sentence != code
        assert "{" not in sentence


def test_the_yield(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    files = messy.files()
    outcomes = [(file, outcome(file, tmp_path)) for file in files]
    holding = [(file, found) for file, found in outcomes if file.header]
    counted = Counter(found for _, found in holding)
    alone = counted["alone"] / len(holding)
    accepted = (counted["alone"] + counted["accepted"]) / len(holding)
    without = [(file.kind, found) for file, found in outcomes if found not in ("alone", "accepted")]
    record_property(
        FIGURE,
        f"{len(files)} files, {len(holding)} of them with a table: {alone:.1%} give its rows without a person, "
        f"{accepted:.1%} after one accepted proposal; {len(without)} give none and say why: {dict(Counter(without))}",
    )
    assert len(files) >= 200
    assert "wrong" not in counted, without
    assert alone >= ALONE, without
    assert accepted >= ACCEPTED, without


@pytest.mark.parametrize("file", list(messy.no_tables()), ids=lambda file: file.kind)
def test_what_holds_no_table_gives_none(file: Messy, tmp_path: Path) -> None:
    assert outcome(file, tmp_path) not in ("alone", "accepted", "wrong")
