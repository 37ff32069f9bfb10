"""What a draft's page says of files that cannot be used as they are, and the way out that it offers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
import pytest

DESK = "/zh/console"


@pytest.mark.parametrize("settings", ["light"], indirect=True)  # where the test says when a file is read
def test_an_unreadable_file_is_missing_with_its_remedy(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    draft = office.draft(title="读不了")
    made = office.upload(draft["id"], b"a,b\n\xff\xff\xff,3\n", "坏.csv")
    here = f"{DESK}/dataset/{draft['id']}"
    assert "内容齐全" in browser("editor").see(here), "nobody has read it yet"
    settle()
    page = browser("editor").see(here)
    assert "内容齐全" not in page
    assert f'<a href="#r-{made["id"]}">坏.csv：文本既非 UTF-8 也非 GB18030' in page
    assert f'action="{here}/submit"' not in page
    english = browser("editor").see(here.replace("/zh/", "/en/"))
    assert "The text is neither UTF-8 nor GB18030" in english


def cover_and_table() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["请先阅读"])
    data, secret = book.create_sheet("数据"), book.create_sheet("底稿")
    secret.sheet_state = "hidden"
    for n in range(30):
        data.append([f"编号{n}", f"名称{n}", "备注"])
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_cover_sheet_leads_to_the_sheet_with_the_data(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    draft = office.draft(title="有封面")
    made = office.upload(draft["id"], cover_and_table(), "封面.xlsx")
    settle()
    here = f"{DESK}/dataset/{draft['id']}"
    editor = browser("editor")
    page = editor.see(here)
    assert "文件有 3 个表，读取的是“说明”" in page
    assert "“数据”更像数据所在的工作表" in page
    assert "下载文件的人都能看到）：底稿" in page
    assert '<option value="底稿">底稿（隐藏）</option>' in page
    assert editor.send(here, f"{here}/files/{made['id']}/sheet").status_code == 303
    settle()
    page = editor.see(here)
    assert '<option value="数据" selected>' in page
    assert "名称3" in page
    report = office.editor.get(f"/resources/{made['id']}/report", params={"draft": "true"}).json()
    assert (report["layout"]["sheet"], report["layout"]["hidden"]) == ("数据", ["底稿"])


def test_a_reviewer_reads_what_became_of_a_file(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    draft = office.draft(title="换文件")
    made = office.upload(draft["id"], "数量,名称,旧列\n1,甲,x\n".encode(), "旧.csv")
    office.publish(draft["id"], settle)
    new = "数量,名称,新列\n一,甲,y\n二,乙,z\n".encode()
    office.editor.put(f"/resources/{made['id']}/file", files={"file": ("新.csv", new)})
    release = office.submit(draft["id"])
    settle()
    page = browser("content").see(f"{DESK}/reviews/{release['id']}")
    for told in ("新增的列</dt><dd>新列", "减少的列</dt><dd>旧列", "数量：整数 → 文本", "2 行", hash12(new)):
        assert told in page, told
    assert "&#34;sha256&#34;" not in page
    english = browser("content").see(f"/en/console/reviews/{release['id']}")
    assert "Columns added</dt><dd>新列" in english


def hash12(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
