"""The catalogue as one Parquet file. Runs in the sandbox: the server does not load the library."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from opendata.feeds.dumps.lines import COLUMNS

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


def parquet(*, lines: str, output: str) -> dict[str, int]:
    """Writes `catalog.parquet` into the folder `output` from a file of NDJSON. {"datasets"}."""
    path = Path(output, "catalog.parquet")
    if Path(lines).stat().st_size == 0:
        rows = pl.LazyFrame(schema=SCHEMA)
    else:
        rows = pl.scan_ndjson(lines, schema=SCHEMA)
    typed = rows.with_columns(
        *(pl.col(name).str.to_date("%Y-%m-%d", strict=False) for name in DAYS),
        *(
            pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", strict=False)
            for name in TIMES
        ),
    )
    typed.sink_parquet(path, compression="zstd", row_group_size=10_000)
    return {"datasets": pl.scan_parquet(path).select(pl.len()).collect().item()}
