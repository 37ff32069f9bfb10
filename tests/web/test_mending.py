"""At the desk: a draft's file back with its wrong cells marked, and a cleaning on offer."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
MESSY = '编号,日期,数量\n１２３,2026年11月3日,"1,200"\n124,2026/1/5,—\n合计,,"1,200"\n'.encode("gb18030")
SCHEMA = {
    "fields": [
        {"name": "编号", "type": "string"},
        {"name": "日期", "type": "date"},
        {"name": "数量", "type": "integer"},
    ]
}


@pytest.fixture
def place(office: Any, settle: Callable[[], None]) -> tuple[str, str]:
    """The page of a draft, and the address of its file."""
    draft = office.draft()
    resource = office.upload(draft["id"], MESSY)["id"]
    office.editor.patch(f"/resources/{resource}", json={"schema": SCHEMA})
    settle()
    page = f"/zh/console/dataset/{draft['id']}"
    return page, f"{page}/files/{resource}"


def test_the_marked_file_is_at_hand(browser: Any, place: tuple[str, str]) -> None:
    page, file = place
    editor = browser("editor")
    assert f'href="{file}/marked"' in editor.see(page)
    sheet = openpyxl.load_workbook(io.BytesIO(editor.get(f"{file}/marked").content)).worksheets[0]
    assert {c.coordinate for row in sheet.iter_rows() for c in row if c.comment} >= {"B2", "C2", "B3", "C3"}
    assert browser("secrecy").get(f"{file}/marked").status_code == 200
    stranger = browser()
    assert stranger.get(f"{file}/marked").status_code in (303, 401)


def test_a_cleaning_from_the_offer_to_the_new_file(
    browser: Any, place: tuple[str, str], office: Any, settle: Callable[[], None]
) -> None:
    page, file = place
    editor = browser("editor")
    assert f'href="{file}/cleaning"' in editor.see(page)
    offer = editor.see(f"{file}/cleaning")
    for told in ("2026年11月3日", "2026-11-03", "改为半角", "去掉 1 行合计", "第 2 行"):
        assert told in offer
    assert offer.count('type="checkbox"') == 5
    wanted = ["date:日期", "thousands:数量", "total_row"]
    answer = editor.send(f"{file}/cleaning", f"{file}/cleaning", step=wanted)
    assert answer.headers["location"] == f"{page}?done=cleaned"
    settle()
    resource = file.rpartition("/")[2]
    text = office.editor.get(f"/resources/{resource}/download?draft=true").text
    assert text == "编号,日期,数量\n１２３,2026-11-03,1200\n124,2026-01-05,—\n"
    again = editor.see(f"{file}/cleaning")
    assert "上次的整理方法" in again
    assert editor.send(f"{file}/cleaning", f"{file}/cleaning", all="1").status_code == 303


def test_what_is_wrong_is_said_on_the_page(browser: Any, place: tuple[str, str], office: Any) -> None:
    _page, file = place
    editor = browser("editor")
    sent = editor.hidden(f"{file}/cleaning", f"{file}/cleaning")
    broken = editor.post(f"{file}/cleaning", {**sent, "recipe": "{"})
    assert broken.status_code == 422
    assert "整理方法无法读取" in broken.text
    resource = file.rpartition("/")[2]
    office.editor.put(f"/resources/{resource}/file", files={"file": ("b.csv", b"a\n1\n")})
    old = editor.post(f"{file}/cleaning", sent)
    assert old.status_code == 422
    assert browser("content").post(f"{file}/cleaning", sent).status_code == 403


def test_the_review_page_offers_the_marked_file(
    browser: Any, office: Any, settle: Callable[[], None]
) -> None:
    draft = office.draft()
    resource = office.upload(draft["id"], b"a\nx\n")["id"]
    office.editor.patch(
        f"/resources/{resource}", json={"schema": {"fields": [{"name": "a", "type": "integer"}]}}
    )
    release = office.submit(draft["id"])
    settle()
    page = browser("content").see(f"/zh/console/reviews/{release['id']}")
    assert f"/files/{resource}/marked" in page
