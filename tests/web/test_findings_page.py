"""Findings on the console's pages: the author masks by one click, the secrecy reviewer lets go with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
DESK = "/zh/console"
ID = "11010519491231002X"
PEOPLE = f"姓名,身份证号,手机号\n张三,{ID},13812345678\n王小明,320602198501011231,13912345678\n".encode()


@pytest.fixture
def returned(office: Any, settle: Callable[[], None]) -> dict[str, str]:
    dataset = office.draft(title="补贴名单")
    office.upload(dataset["id"], PEOPLE, "名单.csv")
    release = office.submit(dataset["id"])
    settle()
    return {"release": release["id"], "dataset": dataset["id"]}


def test_the_author_reads_what_was_found_and_masks_it_by_one_click(
    office: Any, browser: Any, settle: Callable[[], None], returned: dict[str, str]
) -> None:
    editor = browser("editor")
    here = f"{DESK}/dataset/{returned['dataset']}"
    page = editor.see(here)
    assert "列名说明了它的含义" in page
    assert "建议脱敏。" in page
    assert ID not in page.partition('id="files"')[0], "samples are masked"
    assert page.count(" checked") == 3
    answer = editor.send(here, f"{here}/mask")
    assert answer.status_code == 303
    assert "正在脱敏" in editor.see(here)
    settle()
    page = editor.see(here)
    assert "已脱敏。请查看新文件" in page
    assert ID not in page
    assert "110***********002X" in page
    again = editor.post(f"{here}/mask", {"csrf": "", "edition": ""})
    assert again.status_code in (403, 412), "an old page, or another site's"


def test_the_secrecy_reviewer_lets_findings_go_with_a_reason(
    office: Any, browser: Any, settle: Callable[[], None], returned: dict[str, str]
) -> None:
    secrecy, content = browser("secrecy"), browser("content")
    here = f"{DESK}/reviews/{returned['release']}"
    assert "因筛查退回" in secrecy.see(f"{DESK}/reviews")
    assert f"{here}/waivers" not in content.see(here)
    page = secrecy.see(here)
    nothing = secrecy.send(here, f"{here}/waivers", reason="依据")
    assert nothing.status_code == 422
    found = [
        f["id"]
        for f in office.editor.get(f"/releases/{returned['release']}").json()["screening"]
        if f["blocks"]
    ]
    silent = secrecy.send(here, f"{here}/waivers", finding=found, reason=" ")
    assert silent.status_code == 422
    assert "须说明理由" in silent.text
    assert silent.text.count(" checked") == len(found), "what was ticked stays ticked"
    done = secrecy.send(here, f"{here}/waivers", finding=found, reason="已取得本人书面同意")
    assert done.status_code == 303, done.text
    settle()
    page = secrecy.see(here)
    assert "state-in_review" in page
    assert page.count("已取得本人书面同意") == len(found)


def test_the_secrecy_reviewer_lets_written_rows_pass_on_a_page(office: Any, browser: Any) -> None:
    dataset = office.draft(title="补贴名单")
    resource = office.upload(dataset["id"], b"a,b\n1,2\n")["id"]
    secrecy, editor = browser("secrecy"), browser("editor")
    here = f"{DESK}/row-waivers/{resource}"
    assert "由本单位的保密审查员登记" in editor.see(here)
    assert secrecy.send(here, here, column="证件号码", rule="resident_id", reason="").status_code == 422
    assert secrecy.send(here, here, column="", rule="resident_id", reason="依法公开").status_code == 422
    assert (
        secrecy.send(here, here, column="证件号码", rule="resident_id", reason="依法公开").status_code == 303
    )
    assert "有效" in editor.see(here)
    (waiver,) = office.editor.get(f"/resources/{resource}/row-waivers").json()
    assert (waiver["column"], waiver["rule"], waiver["reason"]) == ("证件号码", "resident_id", "依法公开")
    assert secrecy.send(here, here, ended=waiver["id"]).status_code == 303
    assert "已终止" in editor.see(here)
