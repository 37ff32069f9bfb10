"""A file without some of its rows: nothing else of it changes, in each format that we can write."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook, load_workbook

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import layout
from opendata.tabular.removal import keys
from opendata.tabular.removal.tasks import remove
from opendata.tabular.stream import frames

KEY = keys.subkey(b"secret", "dataset")
HEAD = ["编号", "名称", "有效期至"]
ROWS = [
    ["A1", "甲", "2026-01-05"],
    ["A2", "乙", "2026年2月1日"],
    ["A3", "丙", "20270101"],
    ["A4", "丁", "长期"],
]
NAMED = {"id": "named", "columns": ["编号"], "digests": [keys.digest(KEY, ["编号"], ["A2"])]}
PAST = {"id": "past", "columns": ["有效期至"], "digests": None}


def run(
    path: Path, tmp_path: Path, *orders: Mapping[str, Any], **more: Any
) -> tuple[dict[str, Any], Path | None]:
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    asked = {"options": {}, "schema": None, "today": "2026-02-02", **more}
    answer = remove(str(path), path.name, orders=[*orders], key=KEY.hex(), output=str(out), **asked)
    return answer, out / answer["file"] if answer["file"] else None


def left(path: Path, name: str, options: Mapping[str, Any] | None = None) -> list[list[str]]:
    found = layout(path, name, options)
    return [[str(cell) for cell in row] for frame in frames(path, found) for row in frame.rows()]


def text(rows: list[list[str]], end: str = "\n", delimiter: str = ",") -> str:
    return "".join(delimiter.join(row) + end for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_d29_a_delimited_file_keeps_every_other_byte(tmp_path: Path, encoding: str) -> None:
    table = [HEAD, *ROWS[:1], ["A9", '"戊，""己""\r\n第二行"', "2030-01-01"], *ROWS[1:]]
    path = tmp_path / "a.csv"
    path.write_bytes(text(table, "\r\n").encode(encoding))
    answer, made = run(path, tmp_path, NAMED)
    assert made is not None
    assert made.read_bytes() == text([row for row in table if row[0] != "A2"], "\r\n").encode(encoding)
    assert (answer["counts"], answer["suffix"], answer["options"]) == ({"named": 1}, "", None)


def test_d29_what_stands_above_and_below_a_table_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = text([["许可公示", "", ""], HEAD, *ROWS, ["注：数据来源于市局", "", ""]])
    path.write_text(lines, encoding="utf-8")
    options = {"header_row": 2, "last_row": 6}
    answer, made = run(path, tmp_path, NAMED, options=options)
    assert made is not None
    assert made.read_text(encoding="utf-8") == lines.replace("A2,乙,2026年2月1日\n", "")
    assert answer["options"] == {"header_row": 2, "last_row": 5}
    assert [row[0] for row in left(made, "a.csv", answer["options"])] == ["A1", "A3", "A4"]


def test_d29_rows_expire_on_the_day_after_their_last(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text([HEAD, *ROWS]), encoding="utf-8")
    answer, made = run(path, tmp_path, PAST, today="2026-02-01")
    assert made is not None
    assert [row[0] for row in left(made, "a.csv")] == ["A2", "A3", "A4"]
    assert (answer["counts"], answer["undated"], answer["next_on"]) == (
        {"past": 1},
        {"past": 1},
        "2026-02-01",
    )
    answer, made = run(path, tmp_path, PAST, today="2026-02-02")
    assert made is not None
    assert [row[0] for row in left(made, "a.csv")] == ["A3", "A4"]
    assert answer["next_on"] == "2027-01-01"


def test_d29_one_value_in_other_writings_is_one_key(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Code,Day\n ａ1 ,2026/1/5\nA1,2026-01-05T00:00:00\nA1,2026-01-06\n", encoding="utf-8")
    order = {
        "id": "o",
        "columns": ["code", "day"],
        "digests": [keys.digest(KEY, ["code", "day"], ["A1", "20260105"])],
    }
    answer, made = run(path, tmp_path, order)
    assert made is not None
    assert answer["counts"] == {"o": 2}
    assert left(made, "a.csv") == [["A1", "2026-01-06"]]


def test_d29_columns_are_found_by_the_names_of_a_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text([HEAD, *ROWS]), encoding="utf-8")
    schema = {
        "fields": [
            {"name": "code", "title": "编号"},
            {"name": "name"},
            {"name": "until", "title": "有效期至"},
        ]
    }
    order = {"id": "o", "columns": ["code"], "digests": [keys.digest(KEY, ["code"], ["A3"])]}
    answer, _made = run(path, tmp_path, order, schema=schema)
    assert answer["counts"] == {"o": 1}
    other, made = run(path, tmp_path, {**order, "columns": ["no_such"]}, schema=schema)
    assert (other["fits"], made) == ([], None)


def records() -> list[dict[str, Any]]:
    return [dict(zip(HEAD, row, strict=True)) | {"n": place} for place, row in enumerate(ROWS)]


def test_d29_records_stay_records(tmp_path: Path) -> None:
    documents = {
        "list.json": json.dumps(records(), ensure_ascii=False),
        "around.json": json.dumps({"total": 4, "data": {"records": records()}}, ensure_ascii=False, indent=2),
        "lines.ndjson": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records()),
        "places.geojson": json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": r,
                        "geometry": {"type": "Point", "coordinates": [120.9, 32.0]},
                    }
                    for r in records()
                ],
            }
        ),
    }
    for name, body in documents.items():
        path = tmp_path / name
        path.write_text(body, encoding="utf-8")
        answer, made = run(path, tmp_path, NAMED)
        assert made is not None, name
        told = made.read_text(encoding="utf-8")
        assert (answer["counts"], answer["suffix"]) == ({"named": 1}, ""), name
        assert "乙" not in told.encode().decode("unicode_escape" if name.endswith("geojson") else "utf-8"), (
            name
        )
        assert [row[0] for row in left(made, name)] == ["A1", "A3", "A4"], name
    around = json.loads((tmp_path / "out" / "rows.json").read_text(encoding="utf-8"))
    assert around["total"] == 4
    assert len(around["data"]["records"]) == 3


def test_d29_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"编号": ["A1", "A2", "A3"], "数": pa.array([1.5, None, 3.0]), "子": [[1], [2, 3], None]}
    pq.write_table(pa.table(columns), path)
    answer, made = run(path, tmp_path, NAMED)
    assert made is not None
    assert answer["counts"] == {"named": 1}
    assert pq.read_table(made).equals(pq.read_table(path).filter(pa.array([True, False, True])))


def workbook() -> Workbook:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "名单"
    for row in [["许可公示"], HEAD, *ROWS]:
        sheet.append(row)
    sheet["B4"].comment = None
    other = book.create_sheet("备份")
    for row in [HEAD, *ROWS, ["A5", "=1+1", 7]]:
        other.append(row)
    other.sheet_state = "hidden"
    return book


def test_d29_a_person_goes_from_every_sheet_of_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    workbook().save(path)
    answer, made = run(path, tmp_path, NAMED)
    assert made is not None
    assert answer["counts"] == {"named": 2}
    book = load_workbook(io.BytesIO(made.read_bytes()))
    assert [(sheet.title, sheet.sheet_state) for sheet in book] == [("名单", "visible"), ("备份", "hidden")]
    assert [row[0].value for row in book["名单"].iter_rows()] == ["许可公示", "编号", "A1", "A3", "A4"]
    assert [row[0].value for row in book["备份"].iter_rows()] == ["编号", "A1", "A3", "A4", "A5"]
    assert book["备份"]["C5"].value == 7
    assert [row[0] for row in left(made, "a.xlsx", answer["options"])] == ["A1", "A3", "A4"]


def test_d29_what_we_cannot_write_becomes_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    places = "".join(
        f"<Placemark><name>{code}</name><Point><coordinates>120.9,32.0</coordinates></Point></Placemark>"
        for code in ("A1", "A2", "A3")
    )
    path.write_text(
        f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{places}</Document></kml>',
        encoding="utf-8",
    )
    order = {"id": "o", "columns": ["name"], "digests": [keys.digest(KEY, ["name"], ["A2"])]}
    answer, made = run(path, tmp_path, order)
    assert made is not None
    assert (answer["suffix"], made.suffix) == ("csv", ".csv")
    assert [row[0] for row in left(made, "a.csv")] == ["A1", "A3"]


def packed(path: Path, members: Mapping[str, bytes]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.comment = "许可".encode()
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def inside(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_d29_an_archive_is_written_again_member_by_member(tmp_path: Path) -> None:
    book = io.BytesIO()
    workbook().save(book)
    table, without = (
        text([HEAD, *rows]).encode() for rows in (ROWS, [row for row in ROWS if row[0] != "A2"])
    )
    members = {
        "数据/a.csv": table,
        "b.csv": text([HEAD, ["B1", "戊", "长期"]]).encode("gb18030"),
        "名单.xlsx": book.getvalue(),
        "rows.ndjson": "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records()).encode(),
        "说明.pdf": b"%PDF-1.4 \x00\x01",
    }
    path = packed(tmp_path / "a.zip", members)
    answer, made = run(path, tmp_path, NAMED, options={"member": "数据/a.csv"}, readings=3)
    assert made is not None
    assert (answer["counts"], answer["suffix"], answer["options"]) == ({"named": 4}, "", None)
    assert answer["trouble"]["params"]["members"] == ["说明.pdf"]
    left_over = inside(made)
    assert list(left_over) == list(members)
    assert left_over["数据/a.csv"] == without
    assert (left_over["b.csv"], left_over["说明.pdf"]) == (members["b.csv"], members["说明.pdf"])
    assert len(left_over["rows.ndjson"].splitlines()) == 3
    sheets = load_workbook(io.BytesIO(left_over["名单.xlsx"]))
    assert "A2" not in [row[0].value for sheet in sheets for row in sheet.iter_rows()]
    with ZipFile(made) as archive:
        assert archive.comment == "许可".encode()
    assert [row[0] for row in left(made, "a.zip", {"member": "名单.xlsx"})] == ["A1", "A3", "A4"]


def test_d29_names_of_members_in_gbk_stay_readable(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"xx.csv": text([HEAD, *ROWS]).encode(), "b.txt": b"hello"})
    path.write_bytes(path.read_bytes().replace(b"xx.csv", "许.csv".encode("gbk")[:2] + b".csv"))
    answer, made = run(path, tmp_path, NAMED)
    assert made is not None
    assert answer["counts"] == {"named": 1}
    assert list(inside(made)) == ["许.csv", "b.txt"]


def test_d29_the_largest_member_stays_the_one_that_is_read(tmp_path: Path) -> None:
    """Without its rows it is the smaller one."""
    long = [["A2", "乙" * 50, ""] for _ in range(9)]
    members = {
        "a.csv": text([HEAD, *ROWS, *long]).encode(),
        "b.csv": text([HEAD, *ROWS[2:], ["B1" * 60, "", ""]]).encode(),
    }
    path = packed(tmp_path / "a.zip", members)
    answer, made = run(path, tmp_path, NAMED)
    assert made is not None
    assert answer["options"]["member"] == "a.csv"
    assert [row[0] for row in left(made, "a.zip", answer["options"])] == ["A1", "A3", "A4"]


def test_d29_an_archive_whose_member_cannot_be_written_again_is_refused(tmp_path: Path) -> None:
    kml = (
        b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>A2</name><Point>'
        b"<coordinates>120.9,32.0</coordinates></Point></Placemark></Document></kml>"
    )
    path = packed(tmp_path / "a.zip", {"a.csv": text([["name"], ["A1"]]).encode(), "b.kml": kml})
    order = {"id": "o", "columns": ["name"], "digests": [keys.digest(KEY, ["name"], ["A2"])]}
    with pytest.raises(TaskError) as wrong:
        run(path, tmp_path, order)
    assert (wrong.value.code, wrong.value.params["member"]) == ("member_not_rewritable", "b.kml")
    other = {**order, "digests": [keys.digest(KEY, ["name"], ["A1"])]}
    _answer, made = run(path, tmp_path, other)
    assert made is not None
    assert inside(made)["b.kml"] == kml
    alone, made = run(packed(tmp_path / "b.zip", {"b.kml": kml}), tmp_path, order)
    assert (alone["suffix"], alone["counts"]) == ("csv", {"o": 1})


def test_d29_two_readings_that_would_break_are_refused(tmp_path: Path) -> None:
    """Footnotes end the table of one reading at a row that is no longer its last."""
    lines = text([HEAD, *ROWS, ["注", "", ""]])
    path = packed(tmp_path / "a.zip", {"a.csv": lines.encode(), "b.csv": lines.encode()})
    options = {"member": "a.csv", "last_row": 5}
    with pytest.raises(TaskError) as wrong:
        run(path, tmp_path, NAMED, options=options, readings=2)
    assert wrong.value.code == "several_tables_in_file"
    answer, _made = run(path, tmp_path, NAMED, options=options)
    assert answer["options"] == {"member": "a.csv", "last_row": 4}


def layers(path: Path, *, more: str = "") -> Path:
    """A GeoPackage with an index of places as programs write it: a trigger keeps it, and another one is a stranger's."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """PRAGMA application_id = 1196444487;
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT, min_x DOUBLE, min_y DOUBLE,
              max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER,
              z TINYINT, m TINYINT);
            CREATE TABLE gpkg_ogr_contents (table_name TEXT PRIMARY KEY, feature_count INTEGER);
            CREATE TABLE "点" (fid INTEGER PRIMARY KEY, "编号" TEXT, "名称" TEXT, geom BLOB);
            CREATE TABLE "名录" (fid INTEGER PRIMARY KEY, "编号" TEXT, "名称" TEXT);
            CREATE TABLE "区" (fid INTEGER PRIMARY KEY, code TEXT);
            INSERT INTO "区" VALUES (1, 'A2');
            INSERT INTO gpkg_contents VALUES ('点', 'features', '点', 120, 31, 121, 33, 4326), ('名录', 'attributes', '名录', NULL,
              NULL, NULL, NULL, NULL), ('区', 'attributes', '区', NULL, NULL, NULL, NULL, NULL);
            INSERT INTO gpkg_geometry_columns VALUES ('点', 'geom', 'POINT', 4326, 0, 0);
            INSERT INTO gpkg_ogr_contents VALUES ('点', 4), ('名录', 4), ('区', 1);
            CREATE VIRTUAL TABLE "rtree_点_geom" USING rtree(id, minx, maxx, miny, maxy);
            CREATE TRIGGER "rtree_点_geom_delete" AFTER DELETE ON "点" BEGIN
              DELETE FROM "rtree_点_geom" WHERE id = OLD.fid; END;
            CREATE TRIGGER strange AFTER DELETE ON "名录" BEGIN INSERT INTO "区" (code) VALUES (OLD."名称"); END;
            """
        )
        connection.executescript(more)
        for number, (code, name, _day) in enumerate(ROWS, start=1):
            point = b"GP\x00\x01" + struct.pack("<i", 4326) + struct.pack("<BIdd", 1, 1, 120.0 + number, 32.0)
            connection.execute('INSERT INTO "点" VALUES (?, ?, ?, ?)', (number, code, name, point))
            connection.execute(
                'INSERT INTO "rtree_点_geom" VALUES (?, ?, ?, 32, 32)', (number, 120 + number, 120 + number)
            )
            connection.execute('INSERT INTO "名录" VALUES (?, ?, ?)', (number * 10, code, f"{name}zqxgone"))
        connection.commit()
    return path


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_d29_a_person_goes_from_every_layer_of_a_geopackage(tmp_path: Path) -> None:
    path = layers(tmp_path / "a.gpkg")
    before = ask(path, "SELECT type, name, sql FROM sqlite_master ORDER BY name")
    answer, made = run(path, tmp_path, NAMED, readings=2)
    assert made is not None
    assert (answer["counts"], answer["suffix"], answer["options"]) == ({"named": 2}, "", None)
    assert ask(made, "SELECT type, name, sql FROM sqlite_master ORDER BY name") == before
    assert ask(made, 'SELECT fid, "编号" FROM "点"') == [(1, "A1"), (3, "A3"), (4, "A4")]
    assert ask(made, 'SELECT fid, "编号" FROM "名录"') == [(10, "A1"), (30, "A3"), (40, "A4")]
    assert [row[0] for row in ask(made, 'SELECT id FROM "rtree_点_geom" ORDER BY id')] == [1, 3, 4]
    assert ask(made, 'SELECT * FROM "区"') == [(1, "A2")], (
        "no trigger of a stranger has run; a column of another name stays"
    )
    assert ask(made, "SELECT feature_count FROM gpkg_ogr_contents ORDER BY rowid") == [(3,), (3,), (1,)]
    assert ask(made, "SELECT min_x FROM gpkg_contents WHERE table_name = '点'") == [(None,)]
    assert "乙zqxgone".encode() not in made.read_bytes(), "and no page of the file has it still"
    assert "丙zqxgone".encode() in made.read_bytes()
    assert [row[1] for row in left(made, "a.gpkg", {"sheet": "点"})] == ["A1", "A3", "A4"]


def test_d29_a_geopackage_with_an_index_of_words_is_refused(tmp_path: Path) -> None:
    path = layers(tmp_path / "a.gpkg", more='CREATE VIRTUAL TABLE words USING fts4("名称");')
    with pytest.raises(TaskError) as wrong:
        run(path, tmp_path, NAMED)
    assert (wrong.value.code, wrong.value.params["member"]) == ("member_not_rewritable", "words")


def test_d29_a_geopackage_in_an_archive_is_written_again_too(tmp_path: Path) -> None:
    body = layers(tmp_path / "a.gpkg").read_bytes()
    path = packed(tmp_path / "a.zip", {"map.gpkg": body, "b.csv": text([HEAD, *ROWS]).encode()})
    answer, made = run(path, tmp_path, NAMED, options={"member": "b.csv"}, readings=2)
    assert made is not None
    assert answer["counts"] == {"named": 3}
    (tmp_path / "out.gpkg").write_bytes(inside(made)["map.gpkg"])
    assert ask(tmp_path / "out.gpkg", 'SELECT fid FROM "点"') == [(1,), (3,), (4,)]
