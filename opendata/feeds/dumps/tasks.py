"""The catalogue as one Parquet file. Runs in the sandbox: the server does not load the library."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from opendata.feeds.dumps.columns import COLUMNS

LISTS = ("keywords", "themes", "language", "resource_codes")
DISTRIBUTION = pl.Struct(
    dict.fromkeys(("id", "name", "format", "media_type", "access_url", "download_url"), pl.String)
    | {"byte_size": pl.Int64, "sha256": pl.String, "rows": pl.Int64}
)
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **{name: pl.List(pl.String) if name in LISTS else pl.String for name in COLUMNS},
    "release": pl.Int64,
    "distributions": pl.List(DISTRIBUTION),
}
DAYS = ("temporal_start", "temporal_end", "data_updated_on")
TIMES = ("issued", "modified")
PIECE = 8 << 20
"""Bytes of lines that become a row group: all of the catalogue that memory holds."""


def parquet(*, lines: str, output: str) -> dict[str, int]:
    """Writes `catalog.parquet` into the folder `output` from a file of NDJSON, piece by piece: a scan of the whole file takes
    memory by its size. {"datasets"}."""
    datasets = 0
    none = _arrow(pl.DataFrame(schema=SCHEMA))
    with (
        Path(lines).open("rb") as source,
        pq.ParquetWriter(
            Path(output, "catalog.parquet"),
            none.schema,
            store_schema=False,
            compression="zstd",
            compression_level=3,
        ) as writer,
    ):
        while some := b"".join(source.readlines(PIECE)):
            table = _arrow(pl.read_ndjson(some, schema=SCHEMA))
            writer.write_table(table)
            datasets += table.num_rows
    return {"datasets": datasets}


def _arrow(rows: pl.DataFrame) -> pa.Table:
    typed = rows.with_columns(
        *(pl.col(name).str.to_date("%Y-%m-%d", strict=False) for name in DAYS),
        *(
            pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", strict=False)
            for name in TIMES
        ),
    )
    return typed.to_arrow(compat_level=pl.CompatLevel.oldest())
