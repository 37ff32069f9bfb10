"""Shapefiles in a ZIP: attributes in any encoding and shapes to rows; what is missing is named."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import shapefile

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import Layout, layout
from opendata.tabular.stream import frames
from opendata.tabular.tasks import profile

CGCS2000 = 'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]]]'
GAUSS = 'PROJCS["CGCS2000_3_Degree_GK_CM_120E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000"]]'
Parts = dict[str, bytes]


def points(encoding: str = "utf-8", prj: str = CGCS2000, cpg: str | None = None) -> Parts:
    """Two points and a deleted one between them, as programs write them."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, encoding=encoding, shapeType=shapefile.POINT) as made:
        made.field("code", "C", size=6)
        made.field("站名", "C", size=10)
        made.field("n", "N", size=8)
        for code, title, n, x, y in (
            ("001", "北站", 3, 120.9, 31.98),
            ("002", "拆", 1, 1, 1),
            ("003", "崇川公园", None, 120.5, 32),
        ):
            made.point(x, y)
            made.record(code, title.encode(encoding)[:10].decode(encoding, "ignore"), n)
    data = bytearray(dbf.getvalue())
    header, length = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
    data[header + length] = ord("*")
    found = {".shp": shp.getvalue(), ".shx": shx.getvalue(), ".dbf": bytes(data), ".prj": prj.encode()}
    return {**found, ".cpg": cpg.encode()} if cpg is not None else found


def polygons() -> Parts:
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYGON) as made:
        made.field("name", "C", size=20)
        outer, hole = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
        made.poly([outer, hole])
        made.record("with a hole")
        made.null()
        made.record("nowhere")
    return {".shp": shp.getvalue(), ".shx": shx.getvalue(), ".dbf": dbf.getvalue()}


def pack(path: Path, stem: str = "stops", **more: Parts) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, parts in more.items() or {}:
            for ending, data in parts.items():
                archive.writestr(f"{stem if name == 'one' else name}{ending}", data)
    return path


def read(path: Path, **options: Any) -> tuple[Layout, list[tuple[str, ...]]]:
    found = layout(path, path.name, options)
    return found, [row for frame in frames(path, found) for row in frame.rows()]


@pytest.mark.parametrize(
    ("encoding", "cpg", "notes"),
    [
        ("utf-8", "UTF-8", []),
        ("gb18030", "936", []),
        ("gb18030", "OEM 936", []),
        ("gb18030", None, []),
        ("utf-8", None, []),
        ("gb18030", "UTF-8", [{"code": "cpg_differs", "said": "UTF-8", "read": "gb18030"}]),
        ("gb18030", "GBK", []),
    ],
)
def test_attributes_and_points(
    tmp_path: Path, encoding: str, cpg: str | None, notes: list[dict[str, str]]
) -> None:
    found, rows = read(pack(tmp_path / "a.zip", one=points(encoding, cpg=cpg)))
    assert found.columns == ("code", "站名", "n", "lon", "lat", "geometry")
    assert [row[0] for row in rows] == ["001", "003"], "a deleted one is none"
    assert rows[0] == ("001", "北站", "3", "120.9", "31.98", '{"type":"Point","coordinates":[120.9,31.98]}')
    assert rows[1][2:5] == ("", "120.5", "32")
    assert list(found.notes) == notes


def test_a_sign_that_its_column_cuts_is_not_left_out_in_silence(tmp_path: Path) -> None:
    parts = points("utf-8")
    whole, cut = "崇川公"[:3].encode(), "崇川公园".encode()[:10]
    assert len(cut) == 10
    parts[".dbf"] = parts[".dbf"].replace(whole + b" ", cut)
    _, rows = read(pack(tmp_path / "a.zip", one=parts))
    assert rows[1][1] == "崇川公\ufffd"


def test_the_publisher_names_the_encoding(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", one=points("utf-8"))
    assert read(path, encoding="gb18030")[1][0][1] != "北站"
    with pytest.raises(TaskError, match="encoding_unsupported"):
        read(path, encoding="rot13")


@pytest.mark.parametrize(
    ("prj", "note"),
    [
        (GAUSS, {"code": "other_projection", "name": "CGCS2000_3_Degree_GK_CM_120E"}),
        ('GEOGCS["GCS_Beijing_1954",DATUM[]]', {"code": "other_projection", "name": "GCS_Beijing_1954"}),
        ("", {"code": "projection_missing"}),
    ],
)
def test_other_coordinates_are_no_longitude(tmp_path: Path, prj: str, note: dict[str, str]) -> None:
    found, _ = read(pack(tmp_path / "a.zip", one=points(prj=prj)))
    assert found.columns[3:5] == ("x", "y")
    assert note in found.notes


def test_polygons_with_holes_and_null_shapes(tmp_path: Path) -> None:
    _, rows = read(pack(tmp_path / "a.zip", one=polygons()))
    shape = json.loads(rows[0][3])
    assert shape["type"] == "Polygon"
    assert [len(ring) for ring in shape["coordinates"]] == [5, 5]
    assert rows[1] == ("nowhere", "", "", "")


def test_several_are_tables_of_the_zip(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "a.zip", **{"道路/road": polygons(), "STOPS": {k.upper(): v for k, v in points().items()}}
    )
    found = layout(path, path.name)
    assert set(found.members) == {"道路/road.shp", "STOPS.SHP"}
    assert read(path, member="STOPS.SHP")[1][0][1] == "北站"
    assert read(path, member="道路/road.shp")[1][0][0] == "with a hole"


@pytest.mark.parametrize(
    ("without", "named"),
    [((".dbf",), ".dbf"), ((".shx",), ".shx"), ((".shx", ".dbf"), ".shx, .dbf"), ((".shp",), ".shp")],
)
def test_a_missing_part_is_named(tmp_path: Path, without: tuple[str, ...], named: str) -> None:
    parts = {ending: data for ending, data in points().items() if ending not in without}
    with pytest.raises(TaskError) as caught:
        read(pack(tmp_path / "a.zip", one=parts))
    assert (caught.value.code, caught.value.params["parts"]) == ("shapefile_part_missing", named)


def test_the_shapes_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    path.write_bytes(points()[".shp"])
    with pytest.raises(TaskError, match="shapefile_part_missing"):
        read(path)


@pytest.mark.parametrize("part", [".shp", ".dbf"])
@pytest.mark.parametrize("harm", ["cut", "huge", "noise", "other"])
def test_broken_ones_say_so(tmp_path: Path, part: str, harm: str) -> None:
    parts = points()
    data = bytearray(parts[part])
    if harm == "cut":
        data = data[: len(data) - 30]
    elif harm == "huge":
        data[4:8] = b"\xff\xff\xff\x7f"  # so many records
        data[104:108] = b"\x7f\xff\xff\xff"  # so many bytes of a shape
    elif harm == "noise":
        data[33:] = bytes(range(256)) * 8
    else:
        data = bytearray(polygons()[part])
    with pytest.raises(TaskError, match="shapefile_"):
        read(pack(tmp_path / "a.zip", one={**parts, part: bytes(data)}))


def test_its_profile(tmp_path: Path) -> None:
    found = profile(str(pack(tmp_path / "a.zip", one=points())), "a.zip")
    types = {column["name"]: column["type"] for column in found["columns"]}
    assert (found["rows"], types["lon"], types["code"]) == (2, "number", "string")
