"""Writing the rows of a source Parquet file as the Parquet files of one version.

Row groups have exactly `ROW_GROUP` rows (the last one fewer) and `_id` counts on through all of them in the order of the
source, so the place of a row follows from its number alone. A page decodes one whole row group: out of 5 million rows of
20 columns that is 7.0 ms of CPU at 16,384 rows a group, 3.8 ms at 8,192 and 2.8 ms at 4,096, whose footers are twice and
four times as large. Dictionaries cost a page 1.8 ms and are kept for text that repeats.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from opendata.ports.table_store.columns import StoredColumn, stored_schema, to_stored
from opendata.ports.table_store.location import Location
from opendata.ports.table_store.port import HeldFile

ROW_GROUP = 8_192
GROUPS_PER_FILE = 32
_REPEATS = 8
"""Text whose values appear at least so often (in the first row group) gets a dictionary."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a version; `name` is relative to the table, `first_id` the `_id` of its first row."""

    name: str
    size: int
    rows: int
    first_id: int
    last_id: int = 0
    """0: the ids go on without a gap."""


def write_files(
    source: pq.ParquetFile, columns: Sequence[StoredColumn], location: Location, table: str
) -> Iterator[DataFile]:
    """Writes the rows file by file and yields each once it is durable. Memory: about two row groups, decoded."""
    groups = _row_groups(source, columns)
    first_id, number = 1, 0
    group = next(groups, None)
    repeating = _repeating(group) if group is not None else []
    while group is not None:
        name = f"part-{number:05d}-{uuid.uuid4()}.parquet"
        path = location.path(table, name)
        rows = 0
        with location.files.open_output_stream(path) as sink, _writer(sink, columns, repeating) as writer:
            for _ in range(GROUPS_PER_FILE):
                writer.write_table(_with_ids(group, first_id + rows, columns), row_group_size=ROW_GROUP)
                rows += group.num_rows
                group = next(groups, None)
                if group is None:
                    break
        if location.local:
            _sync(Path(path))
        yield DataFile(name, location.files.get_file_info(path).size, rows, first_id)
        first_id, number = first_id + rows, number + 1


def write_rows(path: Path, rows: pa.Table, columns: Sequence[StoredColumn]) -> None:
    """Rows that have their `_id`s, in that order, as one file. At most `ROW_GROUP * GROUPS_PER_FILE` of them."""
    schema = stored_schema(columns)
    with _writer(str(path), columns, _repeating(rows.slice(0, ROW_GROUP))) as writer:
        writer.write_table(rows.cast(schema), row_group_size=ROW_GROUP)


def held_files(files: Sequence[DataFile], paths: Sequence[Path]) -> list[HeldFile]:
    return [
        HeldFile(file.name, path, file.rows, file.first_id, file.last_id or file.first_id + file.rows - 1)
        for file, path in zip(files, paths, strict=True)
    ]


def data_file(file: HeldFile) -> DataFile:
    return DataFile(file.name, file.path.stat().st_size, file.rows, file.first_id, file.last_id)


def take_in(file: HeldFile, location: Location, table: str) -> DataFile:
    """Copies a file to where the table lies, under a name of its own."""
    name = f"part-{uuid.uuid4()}.parquet"
    target = location.path(table, name)
    if location.local:
        Path(target).parent.mkdir(exist_ok=True)
    with open(file.path, "rb") as source, location.files.open_output_stream(target) as sink:
        while piece := source.read(1 << 20):
            sink.write(piece)
    if location.local:
        _sync(Path(target))
    return DataFile(name, file.path.stat().st_size, file.rows, file.first_id, file.last_id)


def _row_groups(source: pq.ParquetFile, columns: Sequence[StoredColumn]) -> Iterator[pa.Table]:
    """The source's rows in its order, in tables of exactly `ROW_GROUP` rows (the last one fewer, none of them empty)."""
    schema = pa.schema(list(stored_schema(columns))[1:])
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in source.iter_batches(batch_size=ROW_GROUP):
        # By place, not by name: a header may be there twice.
        arrays = [to_stored(batch.column(place), column) for place, column in enumerate(columns)]
        waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        rows += batch.num_rows
        while rows >= ROW_GROUP:
            table = pa.Table.from_batches(waiting, schema=schema)
            yield table.slice(0, ROW_GROUP)
            rows -= ROW_GROUP
            waiting = table.slice(ROW_GROUP).to_batches()
    if rows:
        yield pa.Table.from_batches(waiting, schema=schema)


def _with_ids(group: pa.Table, first_id: int, columns: Sequence[StoredColumn]) -> pa.Table:
    ids = pa.array(range(first_id, first_id + group.num_rows), pa.int64())
    return pa.Table.from_arrays([ids, *group.columns], schema=stored_schema(columns))


def _repeating(group: pa.Table) -> list[str]:
    texts = [field.name for field in group.schema if pa.types.is_string(field.type)]
    return [
        name for name in texts if pc.count_distinct(group.column(name)).as_py() * _REPEATS <= group.num_rows
    ]


def _writer(
    sink: pa.NativeFile | str, columns: Sequence[StoredColumn], repeating: list[str]
) -> pq.ParquetWriter:
    schema = stored_schema(columns)
    return pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=repeating, store_schema=False)


def _sync(path: Path) -> None:
    """The file is on the disk before the log names it (a power cut must not leave a version of empty files)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
