"""The console: what each role may see and do, and that a form is believed only if it is ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from opendata.core.clock import FixedClock
from opendata.work.actor import Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)

DESK = "/zh/console"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
BAD = "编号,日期\n" + "".join(f"{n:04d},2026-01-01\n" for n in range(20)) + "0001,不是日期\n"


def workbook(rows: int = 30) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称", "数量"])
    for n in range(1, rows + 1):
        book.active.append([f"{n:04d}", f"站点{n}", n])
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def test_who_is_not_signed_in_is_led_to_the_door_and_back(office: Any, browser: Any) -> None:
    stranger = browser()
    for path in ("", "/new", "/reviews", "/account", "/agency/housing/members"):
        answer = stranger.get(DESK + path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/zh/sign-in?next=")
    browser("editor")
    answer = stranger.send(
        f"/zh/sign-in?next={DESK}/new", "/zh/sign-in", name="editor", password="a long enough password"
    )
    assert answer.headers["location"] == f"{DESK}/new"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example", "/zh//evil", "/\\evil", "/api/v1/me", "/zh/\\evil"]
)
def test_the_door_leads_to_our_pages_only(office: Any, browser: Any, wanted: str) -> None:
    browser("editor")
    fresh = browser()
    fields = fresh.hidden("/zh/sign-in", "/zh/sign-in") | {
        "next": wanted,
        "name": "editor",
        "password": "a long enough password",
    }
    assert fresh.post("/zh/sign-in", fields).headers["location"] == DESK


def test_a_wrong_password_is_told_and_counted(
    office: Any, browser: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.place, "clock", clock := FixedClock(app.place.clock.now()))
    browser("editor")
    stranger = browser()
    for _ in range(5):
        answer = stranger.sign_in("editor", "wrong password")
        assert answer.status_code == 422
        assert "用户名或密码不对" in answer.text
    told = stranger.sign_in("editor", "wrong password")
    assert told.status_code == 429
    assert "wrong password" not in answer.text + told.text
    clock.advance(seconds=1)
    assert stranger.sign_in("editor").status_code == 303


def test_signing_out_ends_the_session(office: Any, browser: Any) -> None:
    editor = browser("editor")
    kept = dict(editor.client.cookies)
    assert editor.send(DESK, "/zh/sign-out").status_code == 303
    editor.client.cookies.update(kept)
    assert editor.get(DESK).status_code == 303


def test_a_clerk_brings_a_workbook_to_submission(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    editor = browser("editor")
    dataset = editor.new(
        {"file": ("站点.xlsx", workbook())},
        title="监测站点",
        keywords="站点，监测、环境",
        update_cycle="monthly",
    )
    here = f"{DESK}/dataset/{dataset}"
    assert "data-waiting" in editor.see(here)
    settle()
    page = editor.see(here)
    assert "校验通过" in page
    assert "data-waiting" not in page
    assert "站点7" in page
    answer = editor.send(here, f"{here}/submit")
    assert answer.headers["location"] == f"{here}?done=submitted"
    settle()
    assert "state-in_review" in editor.see(here)
    seen = office.editor.get(f"/datasets/{dataset}").json()
    assert seen["keywords"] == ["站点", "监测", "环境"]
    assert seen["draft"]["release_state"] == "in_review"


def test_the_body_is_chosen_for_a_clerk_of_one_body(office: Any, browser: Any) -> None:
    assert '<select id="f-agency"' not in browser("editor").see(f"{DESK}/new")
    office.admin.post("/agencies", json={"name": "other", "title": "另一机构"})
    office.person("both", Role.EDITOR)
    office.person("root2", sysadmin=True)
    assert '<select id="f-agency"' in browser("root2").see(f"{DESK}/new")


def test_nothing_typed_is_lost(office: Any, browser: Any) -> None:
    editor = browser("editor")
    answer = editor.send(
        f"{DESK}/new", f"{DESK}/new", {"file": ("a.csv", b"")}, title="留着", description="也留着"
    )
    assert answer.status_code == 422
    answer = editor.send(
        f"{DESK}/new", f"{DESK}/new", {"file": ("", b"")}, title=" ", description=f"也留着{EVIL}"
    )
    assert answer.status_code == 422
    assert "也留着" in answer.text
    assert "<img src=x" not in answer.text
    assert 'href="#f-title"' in answer.text
    assert 'aria-describedby="h-title e-title"' in answer.text


def test_what_is_missing_leads_to_its_field(office: Any, browser: Any) -> None:
    editor = browser("editor")
    dataset = editor.new(title="还没有文件")
    here = f"{DESK}/dataset/{dataset}"
    page = editor.see(here)
    assert 'href="#files"' in page
    assert f'action="{here}/submit"' not in page
    editor.send(
        f"{here}/edit", f"{here}/edit", title="还没有文件", description="", licence="", **{"themes.sent": "1"}
    )
    page = editor.see(here)
    assert f'href="{here}/edit#f-description"' in page
    assert f'href="{here}/edit#f-licence"' in page
    refused = editor.post(
        f"{here}/submit", editor.hidden(here, f"{here}/files") | editor.hidden(f"{here}/edit", f"{here}/edit")
    )
    assert refused.status_code == 422
    assert "请检查以下内容" in refused.text


def test_wrong_cells_are_told_by_column(office: Any, browser: Any, settle: Callable[[], None]) -> None:
    draft = office.draft(title="有错")
    schema = '{"fields": [{"name": "编号", "type": "string", "constraints": {"unique": true}}, {"name": "日期", "type": "date"}]}'
    office.upload(draft["id"], BAD.encode(), "bad.csv", schema=schema)
    settle()
    page = browser("editor").see(f"{DESK}/dataset/{draft['id']}")
    assert "应为日期" in page
    assert "不是日期" in page
    assert "第 22 行" in page
    assert "应唯一" in page


def test_the_schema_that_a_file_fits_is_proposed(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    draft = office.draft(title="站点")
    stops = "route_id,direction,seq,stop_id,stop_name\nNT001,上行,1,S1,火车站\n"
    made = office.upload(draft["id"], stops.encode(), "stops.csv")
    settle()
    page = browser("editor").see(f"{DESK}/dataset/{draft['id']}")
    assert "推荐：公交站点" in page
    office.editor.patch(f"/resources/{made['id']}", json={"schema_name": "bus_stop"})
    settle()
    page = browser("editor").see(f"{DESK}/dataset/{draft['id']}")
    assert "推荐：公交站点" not in page
    assert '<option value="bus_stop/1.0.0" selected>' in page


def test_editing_replacing_reading_and_removing(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    editor = browser("editor")
    dataset = editor.new({"file": ("a.csv", b"a,b\n1,2\n")}, title="旧标题")
    here = f"{DESK}/dataset/{dataset}"
    resource = office.editor.get(f"/datasets/{dataset}").json()["draft"]["resources"][0]["id"]
    file = f"{here}/files/{resource}"
    assert editor.send(f"{here}/edit", f"{here}/edit", title="新标题", themes=["ENVI"]).status_code == 303
    assert editor.send(here, file, {"file": ("b.csv", b"c,d\n3,4\n")}).status_code == 303
    assert (
        editor.send(
            here, f"{file}/reading", name="好名字", schema_name="", sheet="", header_row=""
        ).status_code
        == 303
    )
    settle()
    page = editor.see(here)
    assert "新标题" in page
    assert "好名字" in page
    assert "b.csv" in page
    draft = office.editor.get(f"/datasets/{dataset}").json()["draft"]
    assert draft["themes"] == ["ENVI"]
    assert draft["resources"][0]["id"] == resource
    assert editor.get(f"{file}/download").content == b"c,d\n3,4\n"
    assert editor.send(here, f"{file}/reading", name="x", header_row="zero").status_code == 422
    assert editor.send(here, f"{file}/remove").status_code == 303
    assert office.editor.get(f"/datasets/{dataset}").json()["draft"]["resources"] == []


def test_an_edit_on_an_old_page_overwrites_nothing(office: Any, browser: Any) -> None:
    editor = browser("editor")
    dataset = editor.new(title="第一")
    action = f"{DESK}/dataset/{dataset}/edit"
    old = editor.hidden(action, action)
    office.editor.patch(f"/datasets/{dataset}", json={"title": "别人改的"})
    answer = editor.post(action, {**old, "title": "覆盖"})
    assert answer.status_code == 412
    assert office.editor.get(f"/datasets/{dataset}").json()["title"] == "别人改的"


def test_two_reviewers_decide_on_one_page(office: Any, browser: Any, settle: Callable[[], None]) -> None:
    draft = office.draft(title="待审")
    office.upload(draft["id"], BAD.encode(), "rows.csv")
    release = office.submit(draft["id"])
    settle()
    content, secrecy = browser("content"), browser("secrecy")
    here = f"{DESK}/reviews/{release['id']}"
    assert "待审" in content.see(f"{DESK}/reviews")
    page = content.see(here)
    assert release["content_hash"] in page
    assert page.count('value="approve"') == 1
    assert "由保密审查员决定" in page
    assert (
        content.send(here, here, outcome="approve", reason="").headers["location"].endswith("done=approved")
    )
    assert secrecy.send(here, here, outcome="reject", reason=" ").status_code == 422
    answer = secrecy.send(here, here, outcome="reject", reason=f"含内部编号{EVIL}")
    assert answer.headers["location"].endswith("done=rejected")
    told = browser("editor").see(f"{DESK}/dataset/{draft['id']}")
    assert "含内部编号" in told
    assert "<img src=x" not in told
    assert "step-returned" in told


def test_the_second_approval_publishes(office: Any, browser: Any, settle: Callable[[], None]) -> None:
    draft = office.draft(title="将公开")
    office.upload(draft["id"], b"a,b\n1,2\n")
    release = office.submit(draft["id"])
    settle()
    here = f"{DESK}/reviews/{release['id']}"
    for name in ("content", "secrecy"):
        assert browser(name).send(here, here, outcome="approve").status_code == 303
    settle()
    assert "将公开" in browser().see(f"/zh/dataset/{draft['name']}")
    editor = browser("editor")
    desk = f"{DESK}/dataset/{draft['id']}"
    assert editor.send(desk, f"{desk}/withdraw", reason="").status_code == 422
    assert editor.send(desk, f"{desk}/withdraw", reason="数据有误").status_code == 303
    assert browser().get(f"/zh/dataset/{draft['name']}").status_code == 410


def test_an_author_reads_why_they_may_not_review(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    office.person("double", Role.EDITOR, Role.CONTENT_REVIEWER)
    double = browser("double")
    dataset = double.new({"file": ("a.csv", b"a,b\n1,2\n")}, title="自己的")
    here = f"{DESK}/dataset/{dataset}"
    double.send(here, f"{here}/submit")
    settle()
    release = office.editor.get(f"/datasets/{dataset}").json()["draft"]["release"]
    page = double.see(f"{DESK}/reviews/{release['id']}")
    assert 'value="approve"' not in page
    fields = double.hidden(DESK, "/zh/sign-out") | {
        "kind": "content",
        "outcome": "approve",
        "content_hash": release["content_hash"],
    }
    assert double.post(f"{DESK}/reviews/{release['id']}", fields).status_code == 422
    assert office.editor.get(f"/releases/{release['id']}").json()["decisions"] == []


def test_a_change_is_shown_against_what_is_public(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    draft = office.draft(title="原标题")
    office.upload(draft["id"], b"a,b\n1,2\n")
    office.publish(draft["id"], settle)
    office.editor.patch(f"/datasets/{draft['id']}", json={"title": "改后标题"})
    release = office.submit(draft["id"])
    settle()
    page = browser("content").see(f"{DESK}/reviews/{release['id']}")
    assert re.search(r"标题</th><td><del>原</del>标题</td><td><ins>改后</ins>标题</td>", page)


def test_strangers_to_a_body_see_nothing_of_its_desk(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    office.admin.post("/agencies", json={"name": "other", "title": "另一机构"})
    office.person("elsewhere", Role.EDITOR, Role.ADMIN, agency="other")
    draft = office.draft(title="本机构的")
    resource = office.upload(draft["id"], b"a,b\n1,2\n")["id"]
    release = office.submit(draft["id"])
    settle()
    other = browser("elsewhere")
    here = f"{DESK}/dataset/{draft['id']}"
    for path in (
        here,
        f"{here}/edit",
        f"{here}/files/{resource}/download",
        f"{DESK}/reviews/{release['id']}",
    ):
        assert other.get(path).status_code == 404, path
    assert "本机构的" not in other.see(DESK)
    assert "本机构的" not in other.see(f"{DESK}/reviews")
    token = other.hidden(DESK, "/zh/sign-out")
    for action in (
        "submit",
        "withdraw",
        "discard",
        "edit",
        f"files/{resource}/remove",
        f"files/{resource}/reading",
    ):
        assert other.post(f"{here}/{action}", {**token, "reason": "x", "title": "x"}).status_code == 404, (
            action
        )
    for action in ("files", f"files/{resource}"):
        assert other.post(f"{here}/{action}", token, {"file": ("a.csv", b"x")}).status_code == 404, action
    assert other.get(f"{DESK}/agency/housing/members").status_code == 403
    assert (
        other.post(
            f"{DESK}/agency/housing/members", {**token, "user": "elsewhere", "roles": ["admin"]}
        ).status_code
        == 403
    )


def test_a_form_of_another_site_does_nothing(office: Any, browser: Any) -> None:
    editor = browser("editor")
    dataset = editor.new(title="原样")
    action = f"{DESK}/dataset/{dataset}/edit"
    good = editor.hidden(action, action) | {"title": "被改"}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        editor.headers = headers
        assert editor.post(action, good).status_code == 403, headers
        assert editor.post(f"{DESK}/new", good, {"file": ("a.csv", b"a")}).status_code == 403, headers
    editor.headers = {}
    for wrong in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
        assert editor.post(action, {k: v for k, v in good.items() if k != "csrf"} | wrong).status_code == 403
        assert (
            editor.post(f"{DESK}/dataset/{dataset}/files", wrong, {"file": ("a.csv", b"a")}).status_code
            == 403
        )
    other = browser("secrecy").hidden(DESK, "/zh/sign-out")["csrf"]
    assert editor.post(action, {**good, "csrf": other}).status_code == 403
    seen = office.editor.get(f"/datasets/{dataset}").json()
    assert seen["title"] == "原样"
    assert seen["draft"]["resources"] == []


def test_get_changes_nothing(office: Any, browser: Any) -> None:
    editor = browser("editor")
    dataset = editor.new(title="原样")
    for action in ("submit", "withdraw", "discard", "files"):
        assert editor.get(f"{DESK}/dataset/{dataset}/{action}").status_code in (404, 405)
    assert editor.get("/zh/sign-out").status_code in (404, 405)
    assert editor.get(DESK).status_code == 200


def test_the_api_ignores_the_cookie(office: Any, browser: Any) -> None:
    editor = browser("editor")
    assert editor.client.get("/api/v1/me").status_code == 401
    assert editor.client.post("/api/v1/datasets", json={"agency": "housing", "title": "x"}).status_code == 401


def test_session_pages_are_kept_by_nobody(office: Any, browser: Any) -> None:
    editor = browser("editor")
    for path in (DESK, f"{DESK}/new", f"{DESK}/account", f"{DESK}/reviews"):
        assert editor.get(path).headers["cache-control"] == "private, no-store"


def test_a_draft_can_be_given_up(office: Any, browser: Any) -> None:
    editor = browser("editor")
    dataset = editor.new(title="放弃我")
    here = f"{DESK}/dataset/{dataset}"
    assert editor.send(here, f"{here}/discard").status_code == 303
    assert "放弃我" not in editor.see(DESK)
    assert editor.get(here).status_code == 410
