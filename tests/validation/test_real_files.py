"""The real files of ../shared/data: each has exactly the findings that its notes (SOURCES.md) announce, and its true rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package, Resource, Schema

from opendata.tabular.layout import layout
from opendata.tabular.stream import frames
from opendata.validation import validate_package
from opendata.validation.judging import validate_file

REAL = Path(__file__).parents[2].parent / "shared" / "data"
Found = Counter[tuple[str, str]]


@pytest.fixture(autouse=True)
def _at_hand() -> None:
    if not REAL.exists():
        pytest.skip("the real files of ../shared/data are not at hand")


def code(name: str, check: Any = "gbt2260") -> dict[str, Any]:
    return {
        "name": name,
        "type": "string",
        "constraints": {"required": True},
        "checks": [check, "full_width"],
    }


def digits(count: int) -> dict[str, Any]:
    return {"type": "gbt2260", "digits": count}


def schema(*fields: str | dict[str, Any]) -> dict[str, Any]:
    """Its first field is the key; rows that are no data are looked for."""
    told = [{"name": one, "type": "string"} if isinstance(one, str) else one for one in fields]
    return {
        "fields": told,
        "primaryKey": told[0]["name"],
        "checks": ["total_row", "title_row", "repeated_header"],
    }


def judged(name: str, against: dict[str, Any]) -> tuple[int, Found, list[str]]:
    """Rows, findings by (type, reason), and the cells that were found."""
    (task,) = validate_file(REAL / name, name, {}, against, limit_errors=100_000)["tasks"]
    found = Counter((error["type"], error.get("reason", "")) for error in task["errors"])
    return task["stats"]["rows"], found, [error["cell"] for error in task["errors"]]


def rows(name: str) -> list[tuple[str, ...]]:
    found = layout(REAL / name, name)
    return [row for frame in frames(REAL / name, found) for row in frame.rows()]


AREAS = schema(code("code"), "name", code("cityCode", digits(4)), code("provinceCode", digits(2)))
STREETS = schema(
    code("code", "scientific_notation_id"), "name", code("areaCode"), code("provinceCode", digits(2)), code("cityCode", digits(4))
)  # fmt: skip


def test_areas_are_clean() -> None:
    assert judged("admin_areas.csv", AREAS) == (2978, Counter(), [])


def test_areas_in_gb18030_are_the_same_rows() -> None:
    assert judged("admin_areas_gb18030.csv", AREAS) == (2978, Counter(), [])
    assert layout(REAL / "admin_areas_gb18030.csv", "admin_areas_gb18030.csv").encoding == "gb18030"
    assert rows("admin_areas_gb18030.csv") == rows("admin_areas.csv")


def test_cities_are_clean() -> None:
    cities = schema(code("code", digits(4)), "name", code("provinceCode", digits(2)))
    assert judged("admin_cities.csv", cities) == (342, Counter(), [])


def test_all_streets_are_clean() -> None:
    assert judged("admin_streets.csv", STREETS) == (41_352, Counter(), [])


def test_the_streets_of_the_city_are_clean_and_are_its_rows_of_the_whole() -> None:
    assert judged("nantong_streets.csv", STREETS) == (136, Counter(), [])
    assert rows("nantong_streets.csv") == [row for row in rows("admin_streets.csv") if row[4] == "3206"]


def test_the_industry_file_lost_its_zeros() -> None:
    """Where the code that is left is none; `11` for `011` is a class of industry, too (docs/schemas.md)."""
    industry = schema("id", "parent_id", code("code", "gbt4754"), "name", "enabled", "dest")
    count, found, cells = judged("gbt4754_2017_industry.csv", industry)
    assert (count, found) == (1970, Counter({("gbt4754", "leading_zero_lost"): 42}))
    assert cells[:5] == ["1", "113", "121", "122", "123"]


def test_the_peoples_kept_theirs() -> None:
    peoples = schema("id", "name", code("code_number", {"type": "leading_zero_lost", "digits": 2}), "code_letter", "pinyin", "pinyin_foreign", "enabled", "dest")  # fmt: skip
    assert judged("gb3304_ethnic.csv", peoples) == (56, Counter(), [])
    assert rows("gb3304_ethnic.csv")[0][2] == "01"


def test_codes_that_a_workbook_kept_as_numbers_are_text() -> None:
    areas = schema(
        code("区划代码"), "区划名称", {"name": "启用日期", "type": "date", "checks": ["mixed_date"]}
    )
    assert judged("nantong_areas.xls", areas) == (8, Counter(), [])
    assert rows("nantong_areas.xls")[1] == ("320613", "崇川区", "2020-01-02")


@pytest.mark.parametrize(
    ("one", "many", "column", "broken"),
    [
        ("admin_cities.csv", "admin_areas.csv", "cityCode", 0),
        ("admin_areas.csv", "nantong_streets.csv", "areaCode", 0),
        ("nantong_streets.csv", "admin_areas.csv", "cityCode", 2978),
    ],
)
def test_codes_refer_to_each_other(one: str, many: str, column: str, broken: int) -> None:
    """Cities of areas, areas of streets; the last is the counter-proof."""

    def resource(name: str, keys: list[dict[str, Any]]) -> Resource:
        names = layout(REAL / name, name).columns
        described = {"fields": [{"name": each, "type": "string"} for each in names], "foreignKeys": keys}
        return Resource(
            name=Path(name).stem.replace("_", "-"),
            path=name,
            basepath=str(REAL),
            schema=Schema.from_descriptor(described),
        )

    target = resource(one, [])
    key = {"fields": column, "reference": {"resource": target.name, "fields": "code"}}
    report = validate_package(
        Package(resources=[target, resource(many, [key])], basepath=str(REAL)), limit_errors=10_000
    )
    assert Counter(error.type for task in report.tasks for error in task.errors) == (
        Counter({"foreign-key": broken}) if broken else Counter()
    )
