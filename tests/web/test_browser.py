"""The pages in a real browser: accessible at two widths, no wider than the window in either language, and a clerk's clicks counted.

Needs headless Chromium: `OPENDATA_TEST_CHROMIUM` names its program (`make test` sets it).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import uvicorn
from places import furnished
from playwright.sync_api import Browser, Page, sync_playwright

from opendata.application import Application
from opendata.main import create_app
from tests.support import page_types
from tests.support.page_types import PASSWORD

CHROMIUM = os.environ.get("OPENDATA_TEST_CHROMIUM", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="needs headless Chromium: OPENDATA_TEST_CHROMIUM not set"),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
MOST_CLICKS = 12
MOST_KEYS = 40
"""From the queue to the decision, at two keys a second a quarter of the 90 seconds; the rest is for reading."""
WIDTHS = (1280, 320)


@furnished
def catalogue(office: Any, settle: Callable[[], None]) -> dict[str, str]:
    """Paths by page type; before a colon, the name of who is signed in."""
    return page_types.catalogue(office, settle)


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Starting one takes as long as ten pages; what a test knows of it is in contexts of its own."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


def person_of(kind: str) -> str:
    """Who sees that page; "" for the public."""
    return kind.rpartition(":")[0]


def sign_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/zh/sign-in")
    page.fill("#f-name", name)
    page.fill("#f-password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/zh/console")


def faults(page: Page) -> list[str]:
    """What axe, which the page holds, finds; what is right it need not list: that is most of its work."""
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
    """axe takes its time: it sees each at both widths, at one of them in each language. All in one tab, which goes from person to
    person: a process of Chromium's for each page would take longer than what is looked at, and compile axe anew each time."""
    wrong: dict[str, list[str]] = {}
    said: list[str] = []
    context = chromium.new_context()
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.on("console", lambda m: said.append(m.text) if "status of" not in m.text else None)
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith(address) else None)
    for person, kinds in groupby(sorted(catalogue, key=person_of), person_of):
        context.clear_cookies()
        if person:
            sign_in(page, address, person)
        for kind in kinds:
            page.set_viewport_size({"width": WIDTHS[0], "height": 900})
            page.goto(f"{address}/{language}{catalogue[kind]}")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                wrong_here = overflow(page) + (faults(page) if width == examined_at else [])
                said += [f"{width}: {fault}" for fault in wrong_here]
            if said:
                wrong[kind] = said[:]
                said.clear()
    context.close()
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
    context = chromium.new_context(java_script_enabled=script)
    page = context.new_page()
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
    page = context.new_page()
    sign_in(page, address, "content")
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
    page = context.new_page()
    sign_in(page, address, "content")
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
