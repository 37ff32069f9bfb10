"""The files that are published: a table of twelve columns of the kinds that registers have, a workbook, bytes without meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import openpyxl  # type: ignore[import-untyped]  # it ships no types
import polars as pl

BLOCK = 1 << 20
CHUNK = 500_000
STREETS = [
    "人民路",
    "解放街",
    "中山大道",
    "Harbour Road",
    "Station Street",
    "长江路",
    "Mill Lane",
    "青年西路",
]
KINDS = ["行政许可", "行政处罚", "备案", "inspection", "registration", "renewal"]
STATES = ["有效", "注销", "pending", "closed"]


def csv_table(path: Path, rows: int) -> Path:
    """A CSV of `rows` rows and 12 columns, about 119 bytes a row; made in chunks, the same for the same number."""
    with path.open("wb") as file:
        for start in range(0, rows, CHUNK):
            frame = _frame(start, min(CHUNK, rows - start))
            frame.write_csv(file, include_header=start == 0)
    return path


def people_table(path: Path, rows: int) -> Path:
    """A CSV of `rows` rows and 12 columns in which nearly every cell is somebody's: the screening's worst case."""
    with path.open("wb") as file:
        for start in range(0, rows, CHUNK):
            _people(start, min(CHUNK, rows - start)).write_csv(file, include_header=start == 0)
    return path


def workbook(path: Path, rows: int, start: int = 0) -> Path:
    """Rows of the same table from `start` on, as .xlsx."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("data")
    frame = _frame(start, rows)
    sheet.append(frame.columns)
    for row in frame.iter_rows():
        sheet.append(list(row))
    book.save(path)
    return path


def _frame(start: int, count: int) -> pl.DataFrame:
    """Values by arithmetic on the row's number: fast, and spread enough that compression finds no short cut."""
    number = pl.int_range(start, start + count, dtype=pl.UInt64, eager=True).alias("n")
    mixed = number.hash(seed=7)
    frame = pl.DataFrame({"n": number, "m": mixed})

    def part(divisor: int, modulus: int) -> pl.Expr:
        return (pl.col("m") // divisor) % modulus

    def one_of(words: list[str], divisor: int) -> pl.Expr:
        return pl.lit(pl.Series(words)).implode().list.get(part(divisor, len(words)))

    def digits(divisor: int, width: int) -> pl.Expr:
        return part(divisor, 10**width).cast(pl.String).str.zfill(width)

    issued = pl.lit(date(2015, 1, 1)) + pl.duration(days=part(11, 4000).cast(pl.Int64))
    return frame.select(
        (pl.col("n") + 1).alias("id"),
        (pl.lit("32") + digits(13, 10)).alias("licence_code"),
        (pl.lit("企业") + digits(17, 7)).alias("holder"),
        (one_of(STREETS, 19) + (part(23, 999) + 1).cast(pl.String)).alias("address"),
        (pl.lit("3206") + digits(29, 2)).alias("region_code"),
        one_of(KINDS, 31).alias("kind"),
        issued.alias("issued"),
        (issued + pl.duration(days=365)).alias("expires"),
        (part(37, 10_000_000).cast(pl.Float64) / 100).round(2).alias("amount"),
        part(41, 5000).alias("employees"),
        (part(43, 2_000_000).cast(pl.Float64) / 1_000_000 + 31).round(6).alias("latitude"),
        one_of(STATES, 47).alias("state"),
    )


@dataclass(frozen=True)
class Noise:
    """A file of so many bytes that compresses badly, never held whole."""

    size: int

    def blocks(self) -> Iterator[bytes]:
        """Blocks that differ: each begins with its number."""
        block = Random(7).randbytes(BLOCK)  # noqa: S311 - noise, nothing secret
        for number in range(0, self.size, BLOCK):
            piece = number.to_bytes(16, "big") + block[16:]
            yield piece[: min(BLOCK, self.size - number)]

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


def _people(start: int, count: int) -> pl.DataFrame:
    number = pl.int_range(start, start + count, dtype=pl.UInt64, eager=True).alias("n")
    frame = pl.DataFrame({"n": number, "m": number.hash(seed=3)})

    def digits(divisor: int, width: int) -> pl.Expr:
        value: pl.Expr = (pl.col("m") // divisor) % 10**width
        return value.cast(pl.String).str.zfill(width)

    born = (1950 + pl.col("m") % 60).cast(pl.String) + "0" + (1 + pl.col("m") // 7 % 9).cast(pl.String)
    return frame.select(
        (pl.lit("320602") + born + "1" + digits(11, 5)).alias("身份证号"),
        pl.lit("张三").alias("姓名"),
        (pl.lit("138") + digits(19, 8)).alias("手机号"),
        (pl.lit("南通市崇川区人民路") + digits(23, 3) + "号" + digits(31, 3) + "室").alias("家庭住址"),
        (pl.lit("62220") + digits(37, 14)).alias("银行卡号"),
        (pl.lit("苏F") + digits(41, 5)).alias("车牌"),
        (pl.lit("u") + digits(43, 7) + "@qq.com").alias("邮箱"),
        (pl.lit("0513-8") + digits(47, 7)).alias("电话"),
        (pl.lit("120.") + digits(53, 8)).alias("经度"),
        (pl.lit("31.") + digits(59, 8)).alias("纬度"),
        (pl.lit("9132060") + digits(61, 11)).alias("订单号"),
        (pl.lit("申请人于20240101提交材料，联系13900000000，备注") + digits(67, 7)).alias("备注"),
    )
