"""Cleaning on offer: proposed with before and after, accepted for the file that was looked at, kept for the next delivery."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from opendata.validation.cleaning import tasks
from opendata.work.actor import SYSTEM, Role
from opendata.work.audit import AuditRow

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
MESSY = (
    "企业名单,,,,\n名称,登记日期,注册资本,区划代码,人数\n甲公司 ,2026年11月3日,\"1,200.5\",３２０６０２,１２\n"
    "乙公司,2026/1/5,300,320613,—\n名称,登记日期,注册资本,区划代码,人数\n,,,,\n合计,,\"1,500.5\",,12\n注：截至2026年,,,,\n"
).encode("gb18030")  # fmt: skip
CLEAN = "名称,登记日期,注册资本,区划代码,人数\n甲公司,2026-11-03,1200.5,320602,12\n乙公司,2026-01-05,300,320613,\n"
SCHEMA = {
    "fields": [
        {"name": "名称", "type": "string"},
        {"name": "登记日期", "type": "date"},
        {"name": "注册资本", "type": "number"},
        {"name": "区划代码", "type": "string", "constraints": {"pattern": "[0-9]{6}"}},
        {"name": "人数", "type": "integer"},
    ]
}


def ids(proposal: dict[str, Any]) -> list[str]:
    return [step["id"] for step in proposal["steps"]]


def rows(text: str) -> list[list[str]]:
    return [line.replace('""', "").split(",") for line in text.splitlines()]


def cleaned(folder: Path, data: bytes | str, name: str = "a.csv", schema: Any = None, **recipe: Any) -> str:
    """What the proposed recipe makes of a file."""
    path = folder / "source"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    steps = [one["step"] for one in tasks.propose(str(path), name, None, schema)]
    if not steps:
        return ""
    tasks.clean(str(path), name, {"steps": steps, **recipe}, str(folder), schema)
    return (folder / tasks.CLEANED).read_text("utf-8").replace('""', "")


class TestWhatIsCertain:
    def test_all_of_it_at_once(self, tmp_path: Path) -> None:
        assert cleaned(tmp_path, MESSY) == CLEAN
        assert cleaned(tmp_path, MESSY, schema=SCHEMA) == CLEAN

    def test_a_clean_file_has_nothing_to_offer(self, tmp_path: Path) -> None:
        assert cleaned(tmp_path, CLEAN) == ""

    @pytest.mark.parametrize(
        "text",
        [
            "备注\n见２楼\n无\n—\n",
            "日期\n10/08/2026\n2026-01-01\n",
            "日期\n46327\n2026-01-01\n",
            "说明\n2026年1月1日\n另行通知\n",
            '数量\n"1,20"\n5\n',
            '名称\n"1,200"\n甲\n',
            "名称,数量,单位\n注：甲,1,个\n合计公司,2,个\n",
            "日期\n2026年2月30日\n2026-01-01\n",
        ],
    )
    def test_what_is_not_certain_stays(self, tmp_path: Path, text: str) -> None:
        assert cleaned(tmp_path, text) == ""

    def test_lost_zeros_are_put_back_where_the_schema_says_how_many_digits(self, tmp_path: Path) -> None:
        check = {"type": "leading_zero_lost", "digits": 4}
        schema = {"fields": [{"name": "code", "type": "string", "checks": [check]}]}
        assert cleaned(tmp_path, "code\n12\n1234\n", schema=schema) == "code\n0012\n1234\n"
        assert cleaned(tmp_path, "code\n12\n1234\n") == ""

    def test_a_workbook_becomes_a_csv_with_its_codes_as_text(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for row in (["标题"], ["编号", "名称", "数量"], [320602, "甲", 1.5], ["00123", "乙", 2]):
            book.worksheets[0].append(row)
        made = io.BytesIO()
        book.save(made)
        text = cleaned(tmp_path, made.getvalue(), "a.xlsx")
        assert text == "编号,名称,数量\n320602,甲,1.5\n00123,乙,2\n"

    def test_a_chinese_header_finds_its_field(self, tmp_path: Path) -> None:
        schema = {"fields": [{"name": "reg_date", "title": "登记日期", "type": "date"}]}
        assert cleaned(tmp_path, "登记日期\n20260105\n", schema=schema) == "登记日期\n2026-01-05\n"

    def test_a_second_cleaning_finds_nothing(self, tmp_path: Path) -> None:
        assert cleaned(tmp_path, cleaned(tmp_path, MESSY)) == ""

    def test_large_files_are_cleaned_a_part_at_a_time(self, tmp_path: Path) -> None:
        lines = 60_000
        text = "a,b,c,d,e,f,g,h\n" + "x ,1,2,3,4,5,6,7\n" * lines
        assert cleaned(tmp_path, text).count("\nx,1") == lines


@light
class TestOverHttp:
    def proposed(self, office: Any, resource: str) -> dict[str, Any]:
        answer = office.editor.get(f"/resources/{resource}/cleaning")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def messy(self, office: Any, settle: Callable[[], None]) -> tuple[dict[str, Any], str]:
        draft = office.draft()
        resource = office.upload(draft["id"], MESSY)["id"]
        office.editor.patch(f"/resources/{resource}", json={"schema": SCHEMA})
        settle()
        return draft, resource

    def test_from_the_proposal_to_a_valid_file(self, office: Any, settle: Callable[[], None]) -> None:
        _draft, resource = self.messy(office, settle)
        report = f"/resources/{resource}/report?draft=true"
        assert not office.editor.get(report).json()["valid"]
        proposal = self.proposed(office, resource)
        assert ids(proposal) == [
            "utf8", "rows_above", "blank_row", "repeated_header", "total_row", "trim:名称", "date:登记日期",
            "thousands:注册资本", "half_width:区划代码", "half_width:人数", "missing_mark:人数",
        ]  # fmt: skip
        date = proposal["steps"][6]
        assert (date["count"], date["always"]) == (2, False)
        assert date["examples"][0] == {"row": 3, "before": "2026年11月3日", "after": "2026-11-03"}
        assert "登记日期" in date["sentence"]["zh"]
        body = {"file": proposal["file"], "recipe": proposal["recipe"]}
        made = office.editor.post(f"/resources/{resource}/cleaning", json=body)
        assert made.status_code == 201, made.text
        assert (made.json()["rows"], made.json()["aside"]) == (2, 3)
        settle()
        assert office.editor.get(report).json()["valid"]
        got = office.editor.get(f"/resources/{resource}/download?draft=true")
        assert got.text.replace('""', "") == CLEAN
        assert self.proposed(office, resource)["steps"] == []

    def test_only_what_is_wanted(self, office: Any, settle: Callable[[], None]) -> None:
        _draft, resource = self.messy(office, settle)
        proposal = self.proposed(office, resource)
        steps = [step for step in proposal["recipe"]["steps"] if step["step"] not in ("total_row", "trim")]
        body = {"file": proposal["file"], "recipe": {**proposal["recipe"], "steps": steps}}
        office.editor.post(f"/resources/{resource}/cleaning", json=body)
        text = office.editor.get(f"/resources/{resource}/download?draft=true").text
        assert "甲公司 ," in text
        assert "合计" in text

    def test_the_original_stays_and_the_recipe_is_kept_for_the_next_delivery(
        self, office: Any, settle: Callable[[], None]
    ) -> None:
        draft = office.draft()
        resource = office.upload(draft["id"], MESSY)["id"]
        office.publish(draft["id"], settle)
        before = office.client.get(f"/api/v1/resources/{resource}/download").content
        proposal = self.proposed(office, resource)
        body = {"file": proposal["file"], "recipe": proposal["recipe"]}
        assert office.editor.post(f"/resources/{resource}/cleaning", json=body).status_code == 201
        assert office.client.get(f"/api/v1/resources/{resource}/download").content == before == MESSY
        later = MESSY.replace(b"300", b"400").replace("区划代码".encode("gb18030"), b"area")
        office.editor.put(f"/resources/{resource}/file?name=b.csv", content=later, headers={"Content-Type": "application/octet-stream"})  # fmt: skip
        again = self.proposed(office, resource)
        assert again["kept"] == proposal["recipe"]
        made = office.editor.post(
            f"/resources/{resource}/cleaning", json={"file": again["file"], "recipe": again["kept"]}
        ).json()
        assert made["ignored"] == ["half_width:区划代码"]
        assert "2026-01-05,400" in office.editor.get(f"/resources/{resource}/download?draft=true").text
        with office.app.place.reading(SYSTEM) as work:
            query = select(AuditRow).where(AuditRow.action == "resource.cleaned")
            assert len(work.session.execute(query).scalars().all()) == 2

    def test_a_file_that_changed_meanwhile_is_not_cleaned(
        self, office: Any, settle: Callable[[], None]
    ) -> None:
        _draft, resource = self.messy(office, settle)
        proposal = self.proposed(office, resource)
        office.editor.put(f"/resources/{resource}/file?name=b.csv", content=b"a,b\n1,2\n", headers={"Content-Type": "application/octet-stream"})  # fmt: skip
        body = {"file": proposal["file"], "recipe": proposal["recipe"]}
        answer = office.editor.post(f"/resources/{resource}/cleaning", json=body)
        assert (answer.status_code, answer.json()["code"]) == (412, "edited_meanwhile")

    def test_for_those_who_edit_alone(self, office: Any, settle: Callable[[], None]) -> None:
        _draft, resource = self.messy(office, settle)
        body = {"file": "x", "recipe": {"steps": [{"step": "utf8"}]}}
        path = f"/resources/{resource}/cleaning"
        assert office.client.get(f"/api/v1{path}").status_code == 401
        assert office.client.post(f"/api/v1{path}", json=body).status_code == 401
        assert office.content.get(path).status_code == 403
        office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
        stranger = office.person("stranger", Role.EDITOR, agency="water")
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, json=body).status_code == 404

    @pytest.mark.parametrize(
        ("recipe", "field"),
        [
            ({"steps": []}, "recipe.steps"),
            ({"steps": [{"step": "rm"}]}, "recipe.steps.0.step"),
            ({"steps": [{"step": "leading_zeros", "digits": 10**9}]}, "recipe.steps.0.digits"),
            ({"steps": [{"step": "utf8"}], "version": 2}, "recipe.version"),
            ({"steps": [{"step": "utf8", "path": "/etc"}]}, "recipe.steps.0.path"),
        ],
    )
    def test_a_recipe_is_data_within_limits(self, office: Any, recipe: dict[str, Any], field: str) -> None:
        resource = office.upload(office.draft()["id"], MESSY)["id"]
        answer = office.editor.post(f"/resources/{resource}/cleaning", json={"file": "x", "recipe": recipe})
        assert answer.status_code == 422
        assert [e["field"] for e in answer.json()["errors"]] == [field], json.dumps(answer.json())

    def test_links_and_what_is_no_table(self, office: Any) -> None:
        draft = office.draft()
        link = office.editor.post(
            f"/datasets/{draft['id']}/resources", json={"url": "https://example.org/a.csv"}
        ).json()["id"]
        answer = office.editor.get(f"/resources/{link}/cleaning")
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_clean")
        pdf = office.upload(draft["id"], b"%PDF-1.7 x", "a.pdf")["id"]
        assert office.editor.get(f"/resources/{pdf}/cleaning").json()["code"] == "not_a_table"
