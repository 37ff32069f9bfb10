"""The profile of a file, from its frames: whoever reads them all can make it on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from opendata.tabular.infer import Inference
from opendata.tabular.layout import Layout
from opendata.tabular.profiling.columns import Statistics
from opendata.tabular.stream import Tally, every_row, without_blank

SAMPLE_ROWS = 20


class Profiling:
    """Feed it all frames of a table in their order."""

    def __init__(self, found: Layout) -> None:
        self._found = found
        self._inference = Inference.of(found)
        self._statistics = Statistics(self._inference.columns)
        self._sample: list[list[str]] = []

    def feed(self, frame: pl.DataFrame) -> None:
        """Rows without blank ones."""
        if len(self._sample) < SAMPLE_ROWS:
            self._sample += [list(row) for row in frame.head(SAMPLE_ROWS - len(self._sample)).rows()]
        self._statistics.feed(frame, self._inference.feed(frame))

    def result(self, tally: Tally) -> dict[str, Any]:
        """What `tabular.tasks.profile` answers."""
        schema = self._inference.schema()
        columns = [
            {
                "name": described["name"],
                "type": described["type"],
                "filled": column.filled,
                "missing": tally.rows - column.filled,
                "longest": column.longest,
            }
            for described, column in zip(schema["fields"], self._inference.columns, strict=True)
        ]
        return {
            "layout": self._found.descriptor(),
            "schema": schema,
            "rows": tally.rows,
            "columns": columns,
            "statistics": self._statistics.result(),
            "sample": self._sample,
            "blank_rows": tally.blank,
            "ragged_rows": {"short": tally.short, "long": tally.long},
        }


class Onlooker:
    """Makes the profile while somebody else reads the rows, blank ones too; `result` is None if that one did not read all.

    A frame is looked at beside the reader's own work on it, in another thread: Polars lets both run."""

    def __init__(self, found: Layout) -> None:
        self.is_ended = False
        """To be set by who has shown all rows."""
        self._found = found
        self._looked = Profiling(found)
        self._tally = Tally()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._last: Future[None] | None = None

    def show(self, frame: pl.DataFrame) -> None:
        """Waits for the frame before: no more than two are held."""
        self._wait()
        self._last = self._thread.submit(self._look, frame)

    def watched(self, path: Path) -> Iterator[pl.DataFrame]:
        """All rows of the file, shown in passing."""
        for frame in every_row(path, self._found, self._tally):
            self.show(frame)
            yield frame
        self.is_ended = True

    def result(self) -> dict[str, Any] | None:
        self._wait()
        self._thread.shutdown()
        return self._looked.result(self._tally) if self.is_ended else None

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _look(self, frame: pl.DataFrame) -> None:
        kept = without_blank(frame)
        self._tally.blank += frame.height - kept.height
        self._tally.rows += kept.height
        if kept.height:
            self._looked.feed(kept)
