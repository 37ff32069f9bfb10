"""Messy files with a known truth: real tables, changed as clerks, office programs and exports change them. Nothing is drawn by
chance, so that a file is the same in every run."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import polars as pl

REAL = Path(__file__).parents[2] / "opendata" / "demo" / "data"
ROWS, COLUMNS = 60, 6
Grid = list[list[str]]


@dataclass(frozen=True)
class Table:
    name: str
    header: list[str]
    rows: Grid


@dataclass(frozen=True)
class Messy:
    kind: str
    table: str
    name: str
    data: bytes
    header: list[str] = field(default_factory=list)
    rows: Grid = field(default_factory=list)
    """The truth; no header for what holds no table."""


def tables() -> list[Table]:
    """Real ones: the first columns and rows, without rows and cells that would make the truth a matter of opinion."""
    found = []
    for path in sorted(REAL.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = islice_rows(csv.reader(file))
        clean = [[cell.strip().replace("\n", " ") for cell in row] for row in rows]
        found.append(
            Table(path.stem, header, [row for row in clean if all(row[:2]) and len(row) == len(header)])
        )
    return found


def islice_rows(reader: Iterator[list[str]]) -> Grid:
    return [row[:COLUMNS] for _, row in zip(range(ROWS), reader, strict=False)]


def text(grid: Grid, delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(grid)
    return out.getvalue()


def padded(width: int, *cells: str) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def aligned(grid: Grid) -> str:
    """In columns that blanks alone keep apart, as statistical programs print them."""
    cells = [[cell if cell and " " not in cell else f'"{cell}"' for cell in row] for row in grid]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in cells
    )


def at_places(grid: Grid, measure: Callable[[str], int]) -> str:
    """In columns of fixed width, as old programs export them: what is empty is blank."""
    widths = [max(map(measure, column)) for column in zip(*grid, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - measure(cell)) for cell, width in zip(row, widths, strict=True))
        for row in grid
    ]
    return "\n".join(lines) + "\n"


def on_the_screen(text: str) -> int:
    """How wide a text is where Chinese signs are as wide as two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def two_levels(table: Table) -> tuple[Grid, list[str]]:
    """The last two columns under one merged cell."""
    upper = [*table.header[:-2], "指标", ""]
    lower = ["" for _ in table.header[:-2]] + table.header[-2:]
    return [upper, lower], [*table.header[:-2], *(f"指标 {name}" for name in table.header[-2:])]


def delimited(table: Table) -> Iterator[Messy]:
    grid = [table.header, *table.rows]
    width = len(table.header)
    plain = text(grid)

    def made(kind: str, data: str | bytes, name: str = "table.csv", **truth: object) -> Messy:
        raw = data.encode() if isinstance(data, str) else data
        told = {"header": table.header, "rows": table.rows} | truth
        return Messy(kind, table.name, name, raw, **told)  # type: ignore[arg-type]

    yield made("plain", plain)
    yield made("utf-16 of the other end", b"\xfe\xff" + plain.encode("utf-16-be"))
    yield made("tab in gb18030", text(grid, "\t", "\r\n").encode("gb18030"), "table.txt")
    yield made("semicolon, all quoted", text(grid, ";", "\r\n", csv.QUOTE_ALL))
    yield made(
        "utf-16 tab, as a spreadsheet saves it", text(grid, "\t", "\r\n").encode("utf-16"), "table.txt"
    )
    yield made("bom", b"\xef\xbb\xbf" + plain.encode())
    yield made("gb18030", plain.encode("gb18030"))
    yield made("utf-16", plain.encode("utf-16"))
    yield made("utf-16 without mark", plain.encode("utf-16-le"))
    for kind, delimiter in (("semicolon", ";"), ("tab", "\t"), ("pipe", "|")):
        yield made(kind, text(grid, delimiter))
    yield made("tab in a text file", text(grid, "\t"), "table.txt")
    yield made("without an ending", plain, "table")
    yield made("text called xls", text(grid, "\t"), "table.xls")
    yield made("crlf", text(grid, end="\r\n"))
    yield made("cr", text(grid, end="\r"))
    lines = [text([row], end=("\n", "\r\n", "\r")[n % 3]) for n, row in enumerate(grid)]
    yield made("mixed line ends", "".join(lines))
    yield made("all quoted", text(grid, quoting=csv.QUOTE_ALL))
    yield made("sep line", "sep=;\r\n" + text(grid, ";"))
    title = [padded(width, "某市数据公开表")]
    maker = [padded(width, "填报单位：市统计局", "", "日期：2026-01-01")]
    yield made("title", text([*title, *grid]))
    yield made("title, maker, blank", text([*title, *maker, [""] * width, *grid]))
    yield made("title without padding", "某市数据公开表\n" + plain)
    notes = [
        padded(width, "注：1.本表数据为初步统计"),
        padded(width, "2.金额单位为万元"),
        padded(width, "数据来源：市统计局"),
    ]
    yield made("footnotes", text([*grid, [""] * width, *notes]))
    total = [["合计", *[""] * (width - 2), str(len(table.rows))]]
    yield made("total", text([*grid, *total]))
    yield made("all around", text([*title, *maker, *grid, *notes]))
    heads, joined = two_levels(table)
    yield made("two levels", text([*heads, *table.rows]), header=joined)
    yield made(
        "two levels in gb18030 below a title",
        text([*title, *heads, *table.rows]).encode("gb18030"),
        header=joined,
    )
    stray = [list(row) for row in table.rows]
    if not any('"' in cell for row in grid for cell in row) and '"' not in plain:
        stray[3][1] = '"' + stray[3][1]
        yield made("stray quote", "\n".join(",".join(row) for row in [table.header, *stray]), rows=stray)
    twice = [table.header[0], *table.header[:-1]]
    yield made("repeated header", text([twice, *table.rows]), header=["", "", *twice[2:]])
    unnamed = [*table.header[:-1], ""]
    yield made("blank header", text([unnamed, *table.rows]), header=unnamed)
    yield made(
        "blank rows", text([table.header, *(row for one in table.rows for row in (one, [""] * width))])
    )
    yield made("lines without cells", plain.replace("\n", "\n\n"))
    if width > 2 and not any(sign in cell for row in grid for cell in row for sign in ',;|\t"'):
        yield made("aligned by blanks", aligned(grid), "table.txt")
        if not any("  " in cell for row in grid for cell in row):
            yield made("fixed width", at_places(grid, len), "table.txt")
            wide = at_places(grid, on_the_screen)
            yield made("fixed width on the screen", wide.encode("gb18030"), "table.txt")
    short = [row[:-1] if not row[-1] else row for row in table.rows]
    yield made("short rows", text([table.header, *short]))


def workbook(*sheets: tuple[str, Grid], merged: tuple[str, ...] = (), hidden: tuple[int, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, grid in sheets:
        sheet = book.create_sheet(name)
        for row in grid:
            sheet.append([cell or None for cell in row])
    for span in merged:
        book.worksheets[0].merge_cells(span)
    for number in hidden:
        book.worksheets[0].row_dimensions[number].hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(grid: Grid) -> bytes:
    office, text_ns = (
        "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    )
    body = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in grid
    )  # fmt: skip
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{office}" xmlns:text="{text_ns}" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="表">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return archive(("mimetype", kind), ("content.xml", content), ("META-INF/manifest.xml", manifest))


def books(table: Table) -> Iterator[Messy]:
    grid = [table.header, *table.rows]
    width = len(table.header)
    last = openpyxl.utils.get_column_letter(width)
    title = [padded(width, "某市数据公开表")]
    heads, joined = two_levels(table)
    before = openpyxl.utils.get_column_letter(width - 1)
    note = [padded(width, "注：本表数据为初步统计")]
    total = [["总计", *[""] * (width - 2), str(len(table.rows))]]
    down = tuple(
        f"{openpyxl.utils.get_column_letter(n)}2:{openpyxl.utils.get_column_letter(n)}3"
        for n in range(1, width - 1)
    )

    def made(kind: str, data: bytes, header: list[str] | None = None, name: str = "table.xlsx") -> Messy:
        return Messy(kind, table.name, name, data, header or table.header, table.rows)

    yield made("workbook", workbook(("表", grid)))
    yield made("workbook with a title", workbook(("表", title + grid), merged=(f"A1:{last}1",)))
    merged = (f"A1:{last}1", f"{before}2:{last}2", *down)
    yield made("workbook of two levels", workbook(("表", title + heads + table.rows), merged=merged), joined)
    yield made("workbook with a total", workbook(("表", grid + total)))
    yield made("workbook with a note", workbook(("表", [*grid, [""] * width, *note])))
    yield made("workbook with hidden rows", workbook(("表", grid), hidden=(3, 4)))
    yield made(
        "workbook of three sheets", workbook(("表", grid), ("二", [["x"], ["1"]]), ("三", [["y"], ["2"]]))
    )
    yield made(
        "workbook with a cover", workbook(("说明", [["本工作簿说明"], ["请看第二张表"]]), ("表", grid))
    )
    yield made("workbook with a header in row 6", workbook(("表", [*title, *[[""] * width] * 4, *grid])))
    yield made("ods with a title and a note", ods([*title, *grid, *note]), name="table.ods")
    yield made("workbook called xls", workbook(("表", grid)), name="table.xls")
    yield made("workbook called csv", workbook(("表", grid)), name="table.csv")
    yield made("ods", ods(grid), name="table.ods")


def archive(*members: tuple[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return out.getvalue()


def records(table: Table) -> Iterator[Messy]:
    grid = [table.header, *table.rows]
    objects = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    dumped = json.dumps(objects, ensure_ascii=False)
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in objects)
    out = io.BytesIO()
    pl.DataFrame(table.rows, schema=table.header, orient="row").write_parquet(out)
    plain = text(grid)
    several = archive(("readme.md", "x"), ("小表.csv", "a,b\n1,2\n"), ("大表.csv", plain))
    gbk = archive(("XXXX.csv", plain.encode("gb18030"))).replace(b"XXXX.csv", "区划.csv".encode("gb18030"))
    made: list[tuple[str, str, str | bytes]] = [
        ("json", "table.json", dumped),
        ("json under data", "table.json", f'{{"total": 1, "data": {dumped}}}'),
        ("json of an api", "table.json", f'{{"success": true, "result": {{"records": {dumped}}}}}'),
        (
            "json of several tables",
            "table.json",
            f'{{"year": 2026, "rows of it": {dumped}, "codes": {{"a": "甲"}}}}',
        ),
        ("json with a bom", "table.json", b"\xef\xbb\xbf" + dumped.encode()),
        ("json in gb18030", "table.json", dumped.encode("gb18030")),
        ("ndjson in a zip", "table.zip", archive(("table.ndjson", lines))),
        (
            "gb18030 with semicolons in a zip",
            "table.zip",
            archive(("t.csv", text(grid, ";").encode("gb18030"))),
        ),
        ("json lines", "table.json", lines),
        ("ndjson", "table.ndjson", lines),
        ("parquet", "table.parquet", out.getvalue()),
        ("zip", "table.zip", archive(("table.csv", plain))),
        ("zip of several", "table.zip", several),
        ("zip with a gbk name", "table.zip", gbk),
        (
            "zip with a folder",
            "table.zip",
            archive(("数据/2026/table.csv", plain), ("__MACOSX/._table.csv", b"\0\1")),
        ),
        ("zip of a workbook", "table.zip", archive(("table.xlsx", workbook(("表", grid))))),
    ]
    for kind, name, data in made:
        yield Messy(
            kind,
            table.name,
            name,
            data if isinstance(data, bytes) else data.encode(),
            table.header,
            table.rows,
        )


def no_tables() -> Iterator[Messy]:
    """What cannot give rows, and must say why."""
    book = workbook(("表", [["a", "b"], ["1", "2"]]))
    made: list[tuple[str, str, bytes]] = [
        ("empty", "a.csv", b""),
        ("blank lines", "a.csv", b"\n\n\n"),
        ("pdf called csv", "a.csv", b"%PDF-1.7 x"),
        ("picture", "a.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("half a workbook", "a.xlsx", book[: len(book) // 2]),
        ("page called xls", "a.xls", b"<html><body><p>404</p></body></html>"),
        ("bytes", "a.csv", bytes(range(256)) * 10),
        ("half a character", "a.csv", "区,名\n崇川,好\n".encode() + b"\xff\xfe\xff"),
        ("bomb", "a.zip", archive(("a.csv", b"0" * (30 << 20)))),
        ("zip of pictures", "a.zip", archive(("a.png", b"\x89PNG"))),
        ("broken json", "a.json", b'[{"a": 1}, {"a": '),
        ("json without records", "a.json", b'{"a": 1}'),
        ("broken parquet", "a.parquet", b"PAR1" + bytes(50)),
        ("too many columns", "a.csv", b"a," * 3000 + b"b\n"),
        ("one endless cell", "a.csv", b'a,b\n1,"' + b"x" * (2 << 20)),
    ]
    for kind, name, data in made:
        yield Messy(kind, "-", name, data)


MAKERS: tuple[Callable[[Table], Iterator[Messy]], ...] = (delimited, books, records)


def files() -> list[Messy]:
    return [one for table in tables() for maker in MAKERS for one in maker(table)] + list(no_tables())
