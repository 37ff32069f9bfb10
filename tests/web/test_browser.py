"""The pages in a real browser: accessible at two widths, no wider than the window in either language, and a clerk's clicks counted.

Needs headless Chromium: `OPENDATA_TEST_CHROMIUM` names its program (`make test` sets it).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from opendata.accounts import service as accounts
from opendata.agencies import queries as agency_queries
from opendata.application import Application
from opendata.inventory.transfer import plan, service
from opendata.inventory.transfer.lines import Row
from opendata.inventory.transfer.reading import ReadList
from opendata.main import create_app
from opendata.work.actor import SYSTEM, SiteRole
from tests.support.harvested import harvested
from tests.support.reported import reported
from tests.validation.test_keeping import SCHEMA

CHROMIUM = os.environ.get("OPENDATA_TEST_CHROMIUM", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs headless Chromium: OPENDATA_TEST_CHROMIUM not set"),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PASSWORD = "a long enough password"
MOST_CLICKS = 12
MOST_KEYS = 40
"""From the queue to the decision, at two keys a second a quarter of the 90 seconds; the rest is for reading."""
WIDTHS = (1280, 320)
LONG = "南通市" + "超长标题" * 35 + " " + "unbroken" * 15
ROWS = "代码,名称,数量\n" + "".join(f"{n:04d},街道{n},{n}\n" for n in range(1, 200))
BAD = (
    "编号,日期\n"
    + "".join(f"{n:04d},2026-01-01\n" for n in range(20))
    + "0001,不是日期\n００２１,2026年1月2日\n合计,\n"
)

LIST = [
    {"name": "公园名录", "is_open": "是", "update_cycle": "每年", "item_name": "名称", "item_type": "C"},
    {"name": LONG, "is_open": "否", "update_cycle": "偶尔", "item_name": "名称", "item_type": "文字"},
]
LATER = (date.today() + timedelta(days=60)).isoformat()
RECTIFY = {
    "agency": "housing",
    "cause": "not_opened",
    "subject": LONG,
    "demand": LONG,
    "deadline": LATER,
}
NOTES = {"ignored_columns": ["备注"], "sheet": "甲", "other_sheets": ["乙"]}


@pytest.fixture
def address(app: Application) -> Iterator[str]:
    """The application on a loopback port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(app), port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def catalogue(app: Application, office: Any, settle: Callable[[], None]) -> dict[str, str]:
    """One public dataset, one in review, one draft with a wrong file; people with passwords. Paths by page type."""
    public = office.draft(
        title="街道代码表",
        title_en="Street codes",
        description="全市街道。",
        keywords=["街道"],
        themes=["GOVE"],
    )
    resource = office.upload(public["id"], ROWS.encode(), "streets.csv")["id"]
    office.publish(public["id"], settle)
    office.editor.patch(f"/datasets/{public['id']}", json={"title": LONG, "description": LONG})
    release = office.submit(public["id"])
    line = office.editor.post(
        "/inventory", json={"agency": "housing", "title": LONG, "items": [{"name": "编号"}]}
    ).json()
    draft = office.draft(title=LONG, title_en="unbroken" * 20)
    schema = '{"fields": [{"name": "编号", "type": "string", "constraints": {"unique": true}}, {"name": "日期", "type": "date"}]}'
    bad = office.upload(draft["id"], BAD.encode(), "bad.csv", schema=schema)["id"]
    office.editor.post(
        f"/datasets/{draft['id']}/resources",
        json={"url": "https://example.org/" + "long/" * 60, "name": LONG},
    )
    settle()
    with app.place.writing(SYSTEM) as work:
        for name in ("editor", "content", "secrecy", "root"):
            accounts.set_password(work, accounts.find_user(work, name), PASSWORD)
    held = lists(office)
    brought = reported(office, settle)  # before there is a message that waits for its next attempt
    ruled, brought = governed(office, settle), brought | harvested(office, settle, LONG)
    office.app.measuring.follow()
    here = f"/dataset/{public['name']}"
    desk = f"/console/dataset/{draft['id']}"
    return {
        "home": "/", "search": "/search?q=街道&domain=other", "nothing found": "/search?q=zzqqxx", "dataset": here,
        "resource": f"{here}/resource/{resource}", "filtered": f"{here}/resource/{resource}?column=名称&value=街道7&order=-数量",
        "no row": f"{here}/resource/{resource}?column=名称&value=x", "report": f"{here}/resource/{resource}/report",
        "agencies": "/agency", "agency": "/agency/housing", "about": "/about", "sign in": "/sign-in", "missing": "/dataset/none",
        "inventory": "/inventory", "line": f"/inventory/{held['line']}", "inventory history": "/agency/housing/inventory/versions",
        "editor:lists": "/console/agency/housing/list", "editor:list preview": f"/console/agency/housing/list/{held['list']}",
        "secrecy:withhold": f"/inventory/{held['line']}", "secrecy:withheld": f"/inventory/{held['withheld']}",
        "editor:desk": "/console", "editor:new": "/console/new", "editor:draft": desk, "try": "/validate",
        "editor:cleaning": f"{desk}/files/{bad}/cleaning", "editor:edit": f"{desk}/edit",
        "editor:account": "/console/account", "content:queue": "/console/reviews",
        "content:review": f"/console/reviews/{release['id']}", "root:members": "/console/agency/housing/members",
        "versions": f"{here}/releases", "version": f"{here}/release/1", "root:bodies": "/console/agency",
        "root:body": "/console/agency/housing/edit", "editor:inventory": "/console/agency/housing/inventory",
        "editor:new line": "/console/agency/housing/inventory/new",
        "editor:line": f"/console/agency/housing/inventory/{line['id']}", "editor:lines": f"{desk}/lines",
        "editor:dataset of a line": f"/console/new?line={line['id']}", "content:notices": "/console/notices",
        "content:delegations": "/console/delegations", "editor:standing": "/console/standing", "editor:approval form": f"/console/reviews/{release['id']}/form",
        "editor:board": "/console/agency/housing/board", "plan": "/plan", "scores": "/scores", "reports": "/reports", "use": "/usage",
        "root:audit": "/console/audit", "editor:plan": "/console/plan", "keeper:no drafts": "/console", "wrong query": "/plan?year=x",
        "catalogues": "/catalogues", "schemas": "/schemas", "negative list": "/negative-list",
        "keeper:lead of a catalogue": "/catalogues/livelihood", "quality": "/quality", "quality of a body": "/quality?agency=housing",
        "quality of a dataset": f"{here}/quality", "secrecy:row waivers": f"/console/row-waivers/{resource}", **ruled, **brought,
    }  # fmt: skip


def governed(office: Any, settle: Callable[[], None]) -> dict[str, str]:
    """What rules over the data: a withdrawn dataset, a row order, a schema of the city, an entry of the negative list, an
    order to rectify, a city's own field. Paths by page type."""
    gone = office.draft(title="停车收费标准", domain="livelihood")
    office.upload(gone["id"], ROWS.encode())
    office.publish(gone["id"], settle)
    office.editor.post(f"/datasets/{gone['id']}/withdraw", json={"reason": LONG})
    rows = office.draft(title="行政许可公示")
    office.upload(rows["id"], ROWS.encode())
    office.publish(rows["id"], settle)
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    office.person("watch", site_roles=[SiteRole.SUPERVISOR])
    made = [
        office.secrecy.post(
            "/row-orders",
            json={"dataset": rows["id"], "kind": "erase", "columns": ["代码"], "keys": ["0007"], "ground": "credit_repair", "reason": LONG, "document": "信修〔2026〕7号"},
        ),
        office.people["keeper"].post("/schemas", json={"schema": SCHEMA, "note": LONG}),
        office.people["keeper"].post(
            "/negative-list",
            json={"subject": LONG, "keywords": ["许可公示"], "ground": "personal_privacy", "basis": "个人信息保护法第二十八条", "approved_by": "市政务公开领导小组", "review_on": LATER},
        ),
        office.people["watch"].post("/rectifications", json=RECTIFY),
    ]  # fmt: skip
    assert [answer.status_code for answer in made] == [201] * 4, [answer.text for answer in made]
    settle()
    with office.app.place.writing(SYSTEM) as work:
        for name in ("keeper", "watch"):
            accounts.set_password(work, accounts.find_user(work, name), PASSWORD)
    row_order, schema, entry, order = (answer.json() for answer in made)
    return {
        "withdrawn": f"/dataset/{gone['name']}", "secrecy:row orders": "/console/row-orders", "secrecy:new row order": "/console/row-orders/new",
        "secrecy:row order": f"/console/row-orders/{row_order['number']}", "keeper:schemas of the city": "/console/schemas",
        "keeper:new schema": "/console/schemas/new", "keeper:schema": f"/console/schemas/{schema['id']}",
        "keeper:negative list": "/console/negative-list", "keeper:new entry": "/console/negative-list/new",
        "keeper:entry": f"/console/negative-list/{entry['number']}", "keeper:profile": "/console/metadata-profile",
        "keeper:new field": "/console/metadata-profile/new", "watch:orders": "/console/rectifications",
        "watch:new order": "/console/rectifications/new", "editor:order": f"/console/rectifications/{order['number']}",
    }  # fmt: skip


def lists(office: Any) -> dict[str, str]:
    """A closed line with a history, a withheld one, and a list of the editor's with wrong cells that waits."""
    closed = {"agency": "housing", "openness": "closed", "open_condition": "《个人信息保护法》第二十八条"}
    items = [{"name": LONG[:100], "type": "C", "length": 20, "level": "L3"}]
    line, withheld = (
        office.editor.post("/inventory", json={**closed, "title": title, "items": items}).json()["id"]
        for title in (LONG, "涉密单位名录")
    )
    office.editor.patch(f"/inventory/{line}", json={"lead_unit": "市政府办公室", "update_cycle": "monthly"})
    office.secrecy.put(f"/inventory/{withheld}/withheld", json={"ground": "存在即敏感"})
    read = ReadList("清单.csv", [Row(n, cells) for n, cells in enumerate(LIST, start=2)], {"name": 1}, NOTES)
    with office.app.place.writing(SYSTEM) as work:
        agency = agency_queries.find(work, "housing")
        kept = service.keep(work, agency, read, plan.make(work, agency, read.rows), b"PK")
    return {"line": line, "withheld": withheld, "list": kept.id}


def sign_in(context: BrowserContext, address: str, name: str) -> None:
    page = context.new_page()
    page.goto(f"{address}/zh/sign-in")
    page.fill("#f-name", name)
    page.fill("#f-password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/zh/console")
    page.close()


def faults(page: Page) -> list[str]:
    """What axe finds; what is right it need not list: that is most of its work."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
    return [f"{v['id']}: {[n['target'] for n in v['nodes']][:3]}" for v in found]


def overflow(page: Page) -> list[str]:
    """Whether the page is wider than the window."""
    root = "document.documentElement"
    wide, window = page.evaluate(f"[{root}.scrollWidth, {root}.clientWidth]")
    return [f"{wide} px wide in a window of {window}"] if wide > window else []


@pytest.mark.parametrize(("language", "examined_at"), [("zh", 1280), ("en", 320)])
def test_every_page_type_is_accessible(
    chromium: Browser, address: str, catalogue: dict[str, str], language: str, examined_at: int
) -> None:
    """axe takes seconds a page: it sees each at both widths, at one of them in each language."""
    wrong: dict[str, list[str]] = {}
    contexts: dict[str, BrowserContext] = {}
    for kind, path in catalogue.items():
        person = kind.partition(":")[0] if ":" in kind else ""
        if person not in contexts:
            contexts[person] = chromium.new_context()
            if person:
                sign_in(contexts[person], address, person)
        page = contexts[person].new_page()
        said: list[str] = []
        page.on("console", lambda m, said=said: said.append(m.text) if "status of" not in m.text else None)
        page.on("request", lambda r, said=said: said.append(r.url) if not r.url.startswith(address) else None)
        page.goto(f"{address}/{language}{path}")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wrong_here = overflow(page) + (faults(page) if width == examined_at else [])
            said += [f"{width}: {fault}" for fault in wrong_here]
        if said:
            wrong[kind] = said
        page.close()
    assert wrong == {}


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_workbook_is_submitted_in_few_clicks(
    chromium: Browser,
    address: str,
    catalogue: dict[str, str],
    settle: Callable[[], None],
    tmp_path: Path,
    script: bool,
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称"])
    for n in range(1, 100):
        book.active.append([f"{n:04d}", f"站点{n}"])
    book.save(tmp_path / "站点.xlsx")
    page = chromium.new_context(java_script_enabled=script).new_page()
    clicks = 0

    def click(selector: str) -> None:
        nonlocal clicks
        clicks += 1
        page.click(selector)

    page.goto(f"{address}/zh/")
    click("text=登录")
    page.wait_for_selector("#f-name:focus")
    page.keyboard.type("editor")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    click("main button")
    click("text=新建数据集")
    page.wait_for_selector("#f-title:focus")
    page.keyboard.type("监测站点名录")
    clicks += 1  # the file dialogue
    page.set_input_files("#f-file", tmp_path / "站点.xlsx")
    click("text=保存草稿并上传")
    page.wait_for_selector("text=草稿已建立")
    settle()
    if not script:
        click("text=刷新 >> nth=0")
    page.wait_for_selector("text=校验通过")
    click("button:has-text('提交审查')")
    page.wait_for_selector("text=已提交")
    settle()
    page.reload()
    page.wait_for_selector(".state-in_review")
    assert clicks <= MOST_CLICKS


def test_the_keyboard_is_enough(chromium: Browser, address: str, catalogue: dict[str, str]) -> None:
    """The skip link comes first and leads to the content; the search box works by Enter; focus can be seen."""
    page = chromium.new_page()
    page.goto(f"{address}/zh/search")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.type("街道")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark")


def test_d15_a_decision_is_made_by_keyboard_alone(
    chromium: Browser, app: Application, address: str, catalogue: dict[str, str]
) -> None:
    """From the queue to the decision: no mouse, and few keys."""
    context = chromium.new_context()
    sign_in(context, address, "content")
    page = context.new_page()
    page.goto(f"{address}/zh/console/reviews")
    keys = 0

    def press(key: str) -> None:
        nonlocal keys
        keys += 1
        page.keyboard.press(key)

    def reach(text: str) -> None:
        for _ in range(40):
            press("Tab")
            if text in page.evaluate("document.activeElement.textContent"):
                return
        raise AssertionError(f"{text} is not to be reached")

    reach("跳到正文")  # the skip link: the menus are passed by
    press("Enter")
    reach("打开")
    press("Enter")
    page.wait_for_selector("#decide")
    reach("直接到审查决定")
    press("Enter")
    reach("通过")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    press("Enter")
    page.wait_for_url("**/console/reviews?done=approved")
    print(f"{keys} keys from the queue to the decision")
    assert keys < MOST_KEYS
    page.goto(f"{address}/zh{catalogue['content:review']}")
    assert page.locator("#part-content ~ .mark.good").count() == 1


def test_the_menus_are_folded_on_a_telephone(
    chromium: Browser, address: str, catalogue: dict[str, str]
) -> None:
    """Without scripts: the content begins in the upper part of the screen, and the menus open where they are asked for."""
    context = chromium.new_context(viewport={"width": 375, "height": 700}, java_script_enabled=False)
    sign_in(context, address, "content")
    page = context.new_page()
    page.goto(f"{address}/zh/console/reviews")
    main = page.locator("main").bounding_box()
    assert main is not None
    assert main["y"] < 200
    for place, word in ((0, "数据目录"), (1, "我的账号")):
        link = page.locator("details.menu").nth(place).get_by_role("link", name=word)
        assert not link.is_visible()
        page.locator("details.menu > summary").nth(place).click()
        assert link.is_visible()
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.locator("details.menu").first.is_hidden()


def test_a_page_that_was_kept_is_still_a_page(
    chromium: Browser, address: str, catalogue: dict[str, str]
) -> None:
    """The second visit is answered with 304: the page comes from the browser's own store, its style with it."""
    page = chromium.new_page()
    for _ in range(2):
        answer = page.goto(f"{address}/zh/")
        assert answer
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.hero')).color") == "rgb(255, 255, 255)"
        )
    page.goto(f"{address}/zh/about")
    page.go_back()
    assert page.evaluate("getComputedStyle(document.querySelector('.hero')).color") == "rgb(255, 255, 255)"
