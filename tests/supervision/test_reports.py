"""The yearly report (D47): numbers frozen when the year ends, words by the body, published by the end of March, missing ones
listed on 1 April."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from town import line

from opendata.core.clock import FixedClock
from opendata.supervision.reports import service
from opendata.work.actor import SYSTEM

WORDS = {"summary": "开放 12 个数据集。", "problems": "更新不及时。", "plans": "建立自动更新。"}


@pytest.fixture
def year(town: Any, clock: FixedClock) -> Any:
    """Last year has ended with two lines in the inventory; today is the second of January."""
    line(town, "甲")
    line(town, "乙")
    clock.at = datetime(2025, 12, 31, 15, 59, tzinfo=UTC)  # 23:59 in Beijing
    service.freeze(town.app.place)
    assert town.editor.get("/reports/housing/2025").json()["code"] == "report_not_found"
    clock.at = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    service.freeze(town.app.place)
    return town


def listed(town: Any) -> tuple[list[str], list[str]]:
    found = town.client.get("/api/v1/reports?year=2025").json()
    return [report["agency"] for report in found["results"]], found["missing"]


def test_d47_numbers_are_frozen_when_the_year_ends(year: Any, clock: FixedClock) -> None:
    assert year.editor.get("/reports/housing/2025").json()["facts"]["lines"] == 2
    line(year, "丙")
    clock.advance(days=3)
    service.freeze(year.app.place)
    assert year.editor.get("/reports/housing/2025").json()["facts"]["lines"] == 2
    with pytest.raises(DBAPIError, match="only grows"), year.app.place.writing(SYSTEM) as work:
        work.session.execute(text("UPDATE yearly_report SET facts = '{}'"))
    with pytest.raises(DBAPIError, match="only grows"), year.app.place.writing(SYSTEM) as work:
        work.session.execute(text("DELETE FROM yearly_report"))


def test_d47_a_platform_that_came_later_makes_no_numbers_up(town: Any, clock: FixedClock) -> None:
    service.freeze(town.app.place)  # in June
    assert town.editor.get("/reports/housing/2025").status_code == 404


def test_d47_the_body_writes_and_publishes(year: Any) -> None:
    assert year.client.get("/api/v1/reports/housing/2025").status_code == 404
    assert year.people["judge"].get("/reports/housing/2025").status_code == 200
    bare = year.editor.post("/reports/housing/2025/publication")
    assert [e["field"] for e in bare.json()["errors"]] == ["summary", "problems", "plans"]
    for who, status in (("stranger", 404), ("judge", 403), ("content", 403), ("editor", 200)):
        assert year.people[who].patch("/reports/housing/2025", json=WORDS).status_code == status, who
    stale = year.editor.patch("/reports/housing/2025", json=WORDS, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    done = year.editor.post("/reports/housing/2025/publication").json()
    assert (done["published_by"], done["late"]) == ("editor", False)
    public = year.client.get("/api/v1/reports/housing/2025").json()
    assert {name: public[name] for name in WORDS} == WORDS
    again = year.editor.patch("/reports/housing/2025", json={"summary": "改"})
    assert again.json()["code"] == "report_published"


def test_d47_on_the_first_of_april_bodies_without_a_report_are_listed(
    year: Any, clock: FixedClock, settle: Callable[[], None]
) -> None:
    year.editor.patch("/reports/housing/2025", json=WORDS)
    year.editor.post("/reports/housing/2025/publication")
    clock.at = datetime(2026, 3, 31, 15, 59, tzinfo=UTC)
    assert listed(year) == (["housing"], [])
    clock.at = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    assert listed(year) == (["housing"], ["water"])
    stranger = year.people["stranger"]
    stranger.patch("/reports/water/2025", json=WORDS)
    assert stranger.post("/reports/water/2025/publication").json()["late"] is True
    assert listed(year) == (["housing", "water"], [])


def test_d47_the_report_is_a_document_too(year: Any) -> None:
    year.editor.patch("/reports/housing/2025", json=WORDS)
    path = "/api/v1/reports/housing/2025/document"
    assert year.client.get(path).status_code == 404
    year.editor.post("/reports/housing/2025/publication")
    answer = year.client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="report-housing-2025.docx"'
    made = Document(io.BytesIO(answer.content))
    told = [paragraph.text for paragraph in made.paragraphs]
    assert told[:4] == [
        "市住房和城乡建设局 2025 年数据开放年度报告",
        "市住房和城乡建设局 2026-01-01",
        "一、总体情况",
        "开放 12 个数据集。",
    ]
    rows = [[cell.text for cell in row.cells] for row in made.tables[0].rows]
    assert ["清单条目", "2"] in rows
    assert made.core_properties.title == told[0]
    assert made.styles["Normal"].element.rPr.rFonts.get(qn("w:eastAsia")) == "仿宋"
