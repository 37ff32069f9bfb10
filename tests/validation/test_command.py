"""`opendata validate`: what an agency checks at home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from opendata.cli import cli
from opendata.web.library.plain import width

NAMES = ("线路编号", "方向", "站序", "站点编号", "站点名称", "行政区划代码")


@pytest.fixture
def stops(tmp_path: Path) -> Path:
    path = tmp_path / "stops.csv"
    path.write_text(
        ",".join(NAMES) + "\nNT001,上行,1,S1,火车站,320613\nNT001,上行,2,S2,汽车站,320602\n",
        encoding="utf-8",
    )
    return path


def test_a_wrong_file_is_told_by_column_and_ends_with_one(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", "bus_stop", "--language", "zh"])
    assert ran.exit_code == 1
    assert "现用代码 320613" in ran.output
    lines = [line for line in ran.output.splitlines() if line.startswith(("列 ", "行政区划代码"))]
    head, row = lines
    assert width(head[: head.index("次数")]) == width(row[: row.index(" 1 ") + 1])


def test_a_right_file_ends_with_nought_and_its_schema_is_proposed(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--language", "en"])
    assert ran.exit_code == 0
    assert "bus_stop" in ran.output


def test_json_is_what_the_api_answers(stops: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(
        json.dumps({"fields": [{"name": name, "type": "string"} for name in NAMES]}), encoding="utf-8"
    )
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", str(own), "--json"])
    answer = json.loads(ran.output)
    assert (answer["schema_name"], answer["valid"], ran.exit_code) == (None, True, 0)


def test_a_schema_that_is_not_there(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", "no_such"])
    assert ran.exit_code == 1
    assert ran.exception is not None
