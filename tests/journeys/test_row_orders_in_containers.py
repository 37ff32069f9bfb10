"""D29, D31: rows leave every table of a file that holds several: an archive, a GeoPackage."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.journeys.test_row_orders import API, MARK, ROWS, confirmed, place, placed

pytestmark = pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)


def packed(*names: str) -> bytes:
    """An archive of these tables."""
    cells = (line.split(",") for line in ROWS.splitlines()[1:])
    data = "".join(
        f'<Placemark><name>{n}</name><ExtendedData><Data name="许可编号"><value>{row[0]}</value></Data></ExtendedData>'
        "<Point><coordinates>120,32</coordinates></Point></Placemark>"
        for n, row in enumerate(cells)
    )
    kml = (
        f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{data}</Document></kml>'
    )
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, kml if name.endswith("kml") else ROWS)
    return made.getvalue()


def layers(path: Path) -> bytes:
    """A GeoPackage of two tables."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""PRAGMA application_id = 1196444487;
            CREATE TABLE gpkg_contents (table_name TEXT, data_type TEXT, min_x, min_y, max_x, max_y);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);
            CREATE TABLE a (fid INTEGER PRIMARY KEY, 许可编号 TEXT, 企业名称 TEXT, 有效期至 TEXT);
            CREATE TABLE b (fid INTEGER PRIMARY KEY, 许可编号 TEXT, 企业名称 TEXT, 有效期至 TEXT);
            INSERT INTO gpkg_contents (table_name, data_type) VALUES ('a', 'attributes'), ('b', 'attributes');""")
        rows = [line.split(",") for line in ROWS.splitlines()[1:]]
        for insert in ("INSERT INTO a VALUES (NULL, ?, ?, ?)", "INSERT INTO b VALUES (NULL, ?, ?, ?)"):
            connection.executemany(insert, rows)
        connection.commit()
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["zip", "gpkg"])
def test_d31_rows_leave_every_table_of_a_file_that_is_read_as_several(
    office: Any, settle: Callable[[], None], kind: str, tmp_path: Path
) -> None:
    dataset = office.draft()
    body = packed("a.csv", "b.csv") if kind == "zip" else layers(tmp_path / "rows.gpkg")
    first = office.upload(dataset["id"], body, f"rows.{kind}")["id"]
    settle()
    assert office.editor.post(f"/resources/{first}/tables").status_code < 300
    office.publish(dataset["id"], settle)
    settle()
    resources = [
        one["id"] for one in office.client.get(f"{API}/datasets/{dataset['id']}").json()["resources"]
    ]
    assert len(resources) == 2
    order = placed(office, settle, dataset["id"])
    (told,) = order["files"]
    assert (told["rows"], told["problem"]) == (2, None)
    for resource in resources:
        assert office.client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 39
        answer = office.client.get(f"{API}/resources/{resource}/download")
        assert answer.status_code == 200
        unpacked = (
            b"".join(map(ZipFile(BytesIO(answer.content)).read, ("a.csv", "b.csv")))
            if kind == "zip"
            else answer.content
        )
        assert MARK.encode() not in unpacked
    confirmed(office, order, settle)


def test_d31_a_file_that_cannot_be_written_again_stays_shut_and_says_why(
    office: Any, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], packed("a.csv", "b.kml"), "rows.zip")["id"]
    settle()
    office.publish(dataset["id"], settle)
    settle()
    number = place(office, dataset["id"]).json()["number"]
    settle()
    order = office.secrecy.get(f"/row-orders/{number}").json()
    assert order["state"] == "placed"
    (problem,) = [file["problem"] for file in order["files"]]
    assert problem["code"] == "member_not_rewritable"
    assert "b.kml" in problem["detail"]
    assert office.client.get(f"{API}/resources/{resource}/download").status_code == 503
    assert (
        office.secrecy.post(f"/row-orders/{number}/lifting", json={"reason": "改为撤回数据集"}).status_code
        == 200
    )
    settle()
    assert office.client.get(f"{API}/resources/{resource}/download").status_code == 200
