"""The city's table schemas at the desk: uploaded, compared, decided by a second person, withdrawn."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import pytest

from opendata.work.actor import SiteRole
from tests.validation.test_keeping import ROWS, SCHEMA

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
DESK = "/zh/console/schemas"


class Desk:
    """Somebody at the pages, in a browser of their own."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.csrf = re.findall(r'name="csrf" value="([^"]+)"', browser.see("/zh/console"))[0]

    def get(self, path: str) -> Any:
        return self.browser.get(path)

    def post(self, path: str, **fields: str) -> Any:
        return self.browser.post(path, {"csrf": self.csrf, **fields})

    def send(self, path: str, schema: Any, note: str = "首版") -> Any:
        data = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
        return self.browser.post(path, {"csrf": self.csrf, "note": note}, {"file": ("schema.json", data)})


@pytest.fixture
def desks(office: Any, browser: Any) -> tuple[Desk, Desk]:
    for name in ("planner", "keeper"):
        office.person(name, site_roles=[SiteRole.CITY_ADMIN])
    return Desk(browser("planner")), Desk(browser("keeper"))


def where(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    found: str = answer.headers["location"].partition("?")[0]
    return found


def published(author: Desk, reviewer: Desk, schema: dict[str, Any]) -> str:
    here = where(author.send(f"{DESK}/new", schema))
    where(author.post(f"{here}/submit"))
    seen = re.search(r'name="hash" value="([0-9a-f]{64})"', reviewer.get(here).text)
    assert seen is not None
    where(reviewer.post(f"{here}/approve", hash=seen[1]))
    return here


def test_from_upload_to_withdrawal(office: Any, desks: tuple[Desk, Desk]) -> None:
    author, reviewer = desks
    here = published(author, reviewer, SCHEMA)
    newer = deepcopy(SCHEMA)
    newer["x-version"] = "1.1.0"
    newer["fields"][1]["constraints"]["enum"] = ["香樟"]
    second = where(author.send(f"{DESK}/new", b"\xef\xbb\xbf" + json.dumps(newer).encode()))
    page = author.get(second).text
    assert "fields.species.constraints.enum" in page
    assert "原先合格的文件可能不再合格" in page
    assert 'action="' + second + '/approve"' not in page, "nobody decides on their own"
    where(author.post(f"{second}/submit"))
    refused = reviewer.post(f"{second}/return", hash="0" * 64, reason="x")
    assert refused.status_code == 422
    seen = re.search(r'name="hash" value="([0-9a-f]{64})"', reviewer.get(second).text)
    assert seen is not None
    assert reviewer.post(f"{second}/return", hash=seen[1]).status_code == 422, "without a reason"
    where(reviewer.post(f"{second}/return", hash=seen[1], reason="取值太少"))
    assert "取值太少" in author.get(second).text
    where(author.send(f"{second}/contents", newer, "改过"))
    where(author.post(f"{second}/discard"))
    assert author.get(second).status_code == 404
    where(author.post(f"{here}/withdraw", reason="代码有误"))
    assert "代码有误" in office.client.get("/zh/schemas/street_tree/1.0.0").text
    assert "已停用" in reviewer.get(DESK).text


def test_a_wrong_file_names_its_places(desks: tuple[Desk, Desk]) -> None:
    author, _ = desks
    wrong = {**SCHEMA, "x-version": "1", "path": "/etc/passwd"}
    answer = author.send(f"{DESK}/new", wrong)
    assert answer.status_code == 422
    assert "x-version: " in answer.text
    assert "path: " in answer.text
    bare = {"fields": [{**SCHEMA["fields"][0], "name": "X"}], "x-version": "1"}
    answer = author.send(f"{DESK}/new", bare, "首版说明").text
    assert 'value="首版说明"' in answer, "what was typed stays"
    for said in (
        "name: 此项必填",
        "x-version: 版本号不符合要求",
        "x-legal-basis: 此项必填",
        "fields.0.name: 标识不符合要求",
    ):
        assert said in answer, said
    for data in (b"", b"{", b"[" * 100_000, b"\xff\xff"):
        assert author.send(f"{DESK}/new", data).status_code == 422


def test_the_desk_is_not_everybodys(office: Any, browser: Any) -> None:
    editor = Desk(browser("editor"))
    assert editor.get(DESK).status_code == 403
    assert f'href="{DESK}"' not in editor.get("/zh/console").text
    content = Desk(browser("content"))
    assert content.get(DESK).status_code == 200
    assert content.get(f"{DESK}/new").status_code == 403


def test_a_proposal_says_score_and_differences(office: Any, desks: tuple[Desk, Desk]) -> None:
    published(*desks, SCHEMA)
    for name, text, said in (
        ("all.csv", ROWS, ("100 %", "列名一致")),
        ("more.csv", "树木编号,品种,行政区划代码,高度\nT0001,香樟,320613,3\n", ("86 %", "多出的列：高度")),
        ("none.csv", "甲,乙\n1,2\n", ("没有与这些列相符的现成结构",)),
    ):
        page = office.client.post("/zh/validate", files={"file": (name, text.encode())}).text
        assert all(words in page for words in said), (name, page)


def test_the_draft_tells_a_finding_by_the_files_own_name(
    office: Any, browser: Any, desks: tuple[Desk, Desk], settle: Any
) -> None:
    published(*desks, SCHEMA)
    dataset = office.draft()["id"]
    office.upload(dataset, ROWS.replace("香樟", "桃树").encode(), schema_name="street_tree")
    office.upload(dataset, ROWS.encode(), "b.csv")
    settle()
    page = Desk(browser("editor")).get(f"/zh/console/dataset/{dataset}").text
    assert "<td>品种</td>" in page or ">品种<" in page
    assert "列名一致" in page
