"""The console of upward reporting, as people use it without a script: a platform, its preview, a push, the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.work.actor import SiteRole
from tests.support.province import TOKEN, Province, province

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
HERE = "/en/console/reporting"
FIELDS = {
    "name": "province", "map": "sszd", "options": '{"org_path": "江苏省/南通市"}', "own_map": "{}", "pause": "0", "schedule": "daily",
    "time": "03:00", "secret": TOKEN, "agency": "",
}  # fmt: skip
LONG = "全市住房租赁企业备案情况及信用评价结果一览表"


@pytest.fixture
def above(office: Any) -> Iterator[Province]:
    with province() as made:
        office.app.reporter.fetcher = GuardedFetcher([made.place])
        office.admin.patch("/agencies/housing", json={"uscc": "113206000143000121"})
        yield made


def added(root: Any, above: Province) -> str:
    answer = root.send(f"{HERE}/new", f"{HERE}/new", **FIELDS, url=above.url)
    assert answer.status_code == 303, answer.text
    path: str = answer.headers["location"].partition("?")[0]
    return path


def test_a_platform_its_preview_and_a_push(
    office: Any, browser: Callable[[str], Any], above: Province, settle: Callable[[], None]
) -> None:
    for title in ("公园名录", LONG):
        office.publish(office.link(title=title, disclosures=["result"]), settle)
    root = browser("root")
    target = added(root, above)
    assert "province" in root.see(HERE)
    push = root.send(target, target, act="preview").headers["location"]
    settle()
    plan = root.see(push)
    assert "What a push would send" in plan
    assert ">To be sent<" in plan
    assert above.records == {}
    push = root.send(target, target, act="push").headers["location"]
    settle()
    report = root.see(push)
    assert "公园名录" in report
    assert next(iter(above.records)) in report
    refused = root.see(f"{push}?show=refused")
    assert "title 不超过 20 字" in refused
    assert "公园名录" not in refused
    assert "上报报告" in root.see(push.replace("/en/", "/zh/"))
    assert TOKEN not in root.see(target)
    push = root.send(target, target, act="push").headers["location"]
    settle()
    assert ">Still refused<" in root.see(push)


def test_supervisors_read_and_administrators_keep(
    office: Any, browser: Callable[[str], Any], above: Province
) -> None:
    root = browser("root")
    target = added(root, above)
    office.person("overseer", site_roles=[SiteRole.SUPERVISOR])
    overseer, editor = browser("overseer"), browser("editor")
    page = overseer.see(target)
    assert "Push now" not in page
    assert "Settings of the platform" not in page
    assert editor.get(HERE).status_code == 403
    assert overseer.get(f"{HERE}/new").status_code == 403
    assert (
        overseer.post(target, {**overseer.hidden(target, "/en/sign-out"), "act": "push"}).status_code == 403
    )
    wrong = root.send(target, target, act="save", **{**FIELDS, "url": "ftp://x", "options": "{"})
    assert wrong.status_code == 422
    assert 'href="#f-options"' in wrong.text
    lacking = root.send(
        target, target, act="save", **{**FIELDS, "url": "ftp://x", "options": "{}", "pause": "x"}
    )
    assert lacking.status_code == 422
    assert 'href="#f-pause"' in lacking.text
    lacking = root.send(target, target, act="save", **{**FIELDS, "url": "ftp://x", "options": "{}"})
    assert 'href="#f-url"' in lacking.text
    assert 'href="#f-options"' in lacking.text
    both = root.send(target, target, act="save", **{**FIELDS, "url": above.url, "own_map": '{"title": "x"}'})
    assert 'href="#f-map"' in both.text
    saved = {**FIELDS, "url": above.url, "schedule": "weekly", "agency": "housing", "secret": ""}
    assert root.send(target, target, act="save", **saved).status_code == 303
    kept = office.admin.get(f"/reporting/targets/{target.rpartition('/')[2]}").json()
    assert (kept["schedule"], kept["agency"], kept["has_secret"]) == ("weekly 03:00", "housing", True)
    push = root.send(target, target, act="push").headers["location"]
    assert root.send(push, push, act="cancel").status_code == 303
    assert "Cancelled" in root.see(push)
    assert 'value="cancel"' not in root.see(push)
    assert root.send(target, target, act="end").status_code == 303
    assert "province" not in root.see(HERE).replace("province/", "")
