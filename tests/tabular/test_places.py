"""KML and GeoPackage: places to rows."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import layout
from opendata.tabular.stream import frames
from opendata.tabular.tasks import profile

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>
<Placemark><name>北站</name><ExtendedData><Data name="编号"><value>S1</value></Data></ExtendedData>
<Point><coordinates>120.9,31.98,0</coordinates></Point></Placemark>
<Placemark><name>公园</name><ExtendedData><SchemaData schemaUrl="#a"><SimpleData name="面积">12</SimpleData></SchemaData></ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 1,0 1,1 0,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
</Folder></Document></kml>"""


def read(path: Path, **options: Any) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    found = layout(path, path.name, options)
    return found.columns, [row for frame in frames(path, found) for row in frame.rows()]


def write(path: Path, data: str) -> Path:
    path.write_text(data, encoding="utf-8")
    return path


class TestKml:
    def test_placemarks_are_rows(self, tmp_path: Path) -> None:
        columns, rows = read(write(tmp_path / "a.kml", KML))
        assert columns == ("name", "编号", "lon", "lat", "geometry", "面积")
        assert rows[0][:4] == ("北站", "S1", "120.9", "31.98")
        ring = [[0, 0], [1, 0], [1, 1], [0, 0]]
        assert json.loads(rows[1][4]) == {"type": "Polygon", "coordinates": [ring]}

    def test_kmz_is_a_zip_of_it(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
            archive.writestr("doc.kml", KML)
        assert len(read(tmp_path / "a.kmz")[1]) == 2

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (KML[:-40], "kml_broken"),
            (KML.replace("120.9,", "x,"), "kml_broken"),
            ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><kml><Placemark/>&b;</kml>', "kml_broken"),
            ("<?xml version='1.0'?><other/>", "not_as_named"),
        ],
    )
    def test_what_is_broken_says_so(self, tmp_path: Path, data: str, code: str) -> None:
        with pytest.raises(TaskError, match=code):
            read(write(tmp_path / "a.kml", data))


def point(x: float, y: float) -> bytes:
    return b"GP\0\1" + struct.pack("<i", 4326) + struct.pack("<BIdd", 1, 1, x, y)


def package(path: Path, *more: str) -> Path:
    with sqlite3.connect(path) as made:
        made.executescript(
            """PRAGMA application_id = 0x47504B47;
            CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);
            CREATE TABLE stops (fid INTEGER PRIMARY KEY, geom BLOB, "站 名" TEXT, n REAL);
            CREATE TABLE notes (a TEXT);
            CREATE VIEW evil AS SELECT * FROM stops;
            INSERT INTO gpkg_contents VALUES ('stops', 'features'), ('notes', 'attributes'), ('evil', 'features');
            INSERT INTO gpkg_geometry_columns VALUES ('stops', 'geom', 4326);
            INSERT INTO notes VALUES ('x');"""
        )
        made.executemany(
            "INSERT INTO stops VALUES (?, ?, ?, ?)",
            [(1, point(120.5, 32.0), "北站", 1.5), (2, None, "南站", 2), (3, b"GP\0\1odd", None, None)],
        )
        for statement in more:
            made.executescript(statement)
    made.close()
    return path


class TestGeoPackage:
    def test_a_layer_is_a_table(self, tmp_path: Path) -> None:
        path = package(tmp_path / "a.gpkg")
        columns, rows = read(path)
        assert columns == ("fid", "站 名", "n", "lon", "lat", "geom")
        assert rows == [
            ("1", "北站", "1.5", "120.5", "32", '{"type":"Point","coordinates":[120.5,32.0]}'),
            ("2", "南站", "2", "", "", ""),
            ("3", "", "", "", "", ""),
        ]
        assert layout(path, path.name).sheets == ("stops", "notes"), "a view is nobody's table"
        assert read(path, sheet="notes") == (("a",), [("x",)])
        with pytest.raises(TaskError, match="sheet_missing"):
            read(path, sheet="evil")

    def test_another_reference_system_is_no_longitude(self, tmp_path: Path) -> None:
        path = package(tmp_path / "a.gpkg", "UPDATE gpkg_geometry_columns SET srs_id = 3857")
        assert read(path)[0][3:5] == ("x", "y")

    def test_a_broken_one(self, tmp_path: Path) -> None:
        path = package(tmp_path / "a.gpkg")
        path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 20_000)
        with pytest.raises(TaskError, match="geopackage_broken"):
            read(path)

    def test_shapes_of_all_kinds(self, tmp_path: Path) -> None:
        line = struct.pack("<BII", 1, 2, 2) + struct.pack("<4d", 0, 0, 1, 1)
        many = struct.pack("<BII", 1, 5, 1) + line
        huge = struct.pack("<BII", 1, 2, 1 << 31)
        path = package(tmp_path / "a.gpkg")
        with sqlite3.connect(path) as made:
            made.execute("DELETE FROM stops")
            for number, shape in enumerate((line, many, huge)):
                made.execute(
                    "INSERT INTO stops VALUES (?, ?, 'x', 1)", (number, b"GP\0\1" + bytes(4) + shape)
                )
        made.close()
        shapes = [row[5] for row in read(path)[1]]
        assert json.loads(shapes[0]) == {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
        assert json.loads(shapes[1])["coordinates"] == [[[0, 0], [1, 1]]]
        assert shapes[2] == ""

    def test_its_profile(self, tmp_path: Path) -> None:
        found = profile(str(package(tmp_path / "a.gpkg")), "a.gpkg")
        assert found["rows"] == 3
        assert {c["name"]: c["type"] for c in found["columns"]}["lon"] == "number"
