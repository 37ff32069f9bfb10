"""Rows by position: only the row groups that hold them are read, with footers kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from opendata.core.errors import Unavailable
from opendata.ports.table_store.rowfiles import ROW_GROUP

_DECODED = 4
"""A footer in memory takes about this many times its size in the file (measured)."""


class RowGroupReader:
    """Reads positions out of data files. Thread-safe; `footer_bytes` bounds the memory of kept footers."""

    def __init__(self, footer_bytes: int) -> None:
        self._limit = footer_bytes
        self._used = 0
        self._footers: OrderedDict[Path, pq.FileMetaData] = OrderedDict()
        self._lock = Lock()

    def read(self, path: Path, start: int, stop: int, fields: Sequence[str]) -> pa.Table:
        """The rows at `start` to `stop` (0-based within the file, `stop` excluded; both are cut to the file's rows).

        `FileNotFoundError`; `Unavailable` when the file cannot be read.
        """
        try:
            return self._read(path, start, stop, fields)
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException):
            raise Unavailable("tables_unavailable") from None

    def _read(self, path: Path, start: int, stop: int, fields: Sequence[str]) -> pa.Table:
        # One thread a read: pages are small, and other requests want the cores.
        with pq.ParquetFile(
            path, metadata=self._footers.get(path), pre_buffer=False, memory_map=True
        ) as source:
            self._keep(path, source.metadata)
            stop = min(stop, source.metadata.num_rows)
            first = start // ROW_GROUP
            groups = range(first, (stop - 1) // ROW_GROUP + 1)
            table = source.read_row_groups(list(groups), columns=list(fields), use_threads=False)
            return table.slice(start - first * ROW_GROUP, stop - start)

    def _keep(self, path: Path, footer: pq.FileMetaData) -> None:
        with self._lock:
            if path not in self._footers:
                self._footers[path] = footer
                self._used += _DECODED * footer.serialized_size
            self._footers.move_to_end(path)
            while self._used > self._limit and len(self._footers) > 1:
                _, dropped = self._footers.popitem(last=False)
                self._used -= _DECODED * dropped.serialized_size
