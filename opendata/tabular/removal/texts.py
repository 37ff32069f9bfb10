"""Delimited files and records written again, byte for byte but for the rows that go."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import records
from opendata.tabular.dialect import CELL_CHARACTERS
from opendata.tabular.layout import Layout, way
from opendata.tabular.removal.matching import Matcher

_BATCH = 4096


class _Heard:
    """Lines on their way to a reader, kept until they are asked for: what a record was written as."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._raw: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._raw.append(line)
            yield line

    def taken(self) -> str:
        raw = "".join(self._raw)
        self._raw.clear()
        return raw


def delimited(path: Path, found: Layout, matcher: Matcher, out: Path) -> None:
    """In the same encoding, with the same ends of lines and quotes. What stands above and below the table stays."""
    csv.field_size_limit(CELL_CHARACTERS)
    encoding = found.encoding or "utf-8"
    with (
        path.open(encoding=encoding, newline="") as source,
        out.open("w", encoding=encoding, newline="") as target,
    ):
        heard = _Heard(source)
        number = 0
        try:
            for number, cells in enumerate(way(found).reader(heard), start=1):
                raw = heard.taken()
                inside = number > found.header_end and (found.last_row is None or number <= found.last_row)
                if not (inside and matcher.hides(cells)):
                    target.write(raw)
        except csv.Error:
            raise TaskError("cell_too_large", limit=CELL_CHARACTERS, line=number + 1) from None


def ndjson(path: Path, found: Layout, matcher: Matcher, out: Path) -> None:
    encoding = found.encoding or "utf-8"
    with (
        path.open(encoding=encoding, newline="") as source,
        out.open("w", encoding=encoding, newline="") as target,
    ):
        for number, line in enumerate(source, start=1):
            if not line.strip():
                target.write(line)
                continue
            record = records.parse(line, number)
            if not isinstance(record, dict):
                raise TaskError("json_broken", line=number)
            if not matcher.hides(records.cells(record, found.labels)):
                target.write(line)


def document(path: Path, found: Layout, matcher: Matcher, out: Path) -> None:
    """A JSON document or a GeoJSON: all that stands around the records stays."""
    text = records.document_text(path, found.encoding or "utf-8")
    whole, held = records.listed_in(text)
    held.keep([not matcher.hides(records.cells(record, found.labels)) for record in held.records])
    if isinstance(whole, dict):
        whole.pop("bbox", None)  # was made of all features
    indent = 2 if "\n" in text.strip()[:200] else None
    written = json.dumps(whole, ensure_ascii=False, indent=indent)
    out.write_text(written + ("\n" if text.endswith("\n") else ""), encoding=found.encoding or "utf-8")


def parquet(path: Path, _found: Layout, matcher: Matcher, out: Path) -> None:
    try:
        with pq.ParquetFile(path) as source, pq.ParquetWriter(out, source.schema_arrow) as target:
            for batch in source.iter_batches(batch_size=_BATCH):
                texts = {place: records.as_text(batch.column(place)) for place in matcher.columns}
                kept = [
                    not matcher.hides({place: column[row] for place, column in texts.items()})
                    for row in range(batch.num_rows)
                ]
                target.write_batch(batch.filter(pa.array(kept, pa.bool_())))
    except (pa.ArrowException, OSError, ValueError):
        raise TaskError("parquet_broken") from None
