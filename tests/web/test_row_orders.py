"""Row orders on pages: previewed, placed, confirmed by a second person, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opendata.work.actor import Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
HERE = "/zh/console/row-orders"
NEW = f"{HERE}/new"
ROWS = "许可编号,企业名称\n" + "".join(f"A{n:04d},公司{n}\n" for n in range(9))


def test_d31_an_order_on_pages(office: Any, browser: Callable[..., Any], settle: Callable[[], None]) -> None:
    dataset = office.draft(title="行政许可公示")
    office.upload(dataset["id"], ROWS.encode())
    office.publish(dataset["id"], settle)
    settle()
    office.person("second", Role.ADMIN)
    clerk = browser("secrecy")
    assert "还没有撤行令" in clerk.see(HERE)
    order = {
        "dataset": dataset["id"], "kind": "erase", "columns": "许可编号", "keys": "A0003\nA0004\n", "ground": "credit_repair",
        "document": "信修〔2026〕7号", "reason": "核准修复",
    }  # fmt: skip
    refused = clerk.send(NEW, NEW, **order | {"dataset": "", "step": "place"})
    assert refused.status_code == 422
    assert 'href="#f-dataset"' in refused.text
    refused = clerk.send(
        NEW, NEW, **order | {"columns": "没有的列", "ground": "", "document": "", "step": "place"}
    )
    for field in ("columns", "ground", "document"):
        assert f'href="#f-{field}"' in refused.text, field
    none = clerk.send(NEW, NEW, **order | {"keys": "B1", "step": "preview"})
    assert "没有任何版本包含这些行" in none.text
    tried = clerk.send(NEW, NEW, **order, step="preview")
    assert tried.status_code == 200, tried.text
    assert "将隐去 2 行，其中现行公开版本 2 行" in tried.text
    assert 'value="许可编号"' in tried.text
    placed = clerk.send(NEW, NEW, **order, step="place")
    assert placed.status_code == 303, placed.text
    one = placed.headers["location"].partition("?")[0]
    assert "正在隐去" in clerk.see(one)
    settle()
    assert "须由下达人以外的第二人确认" in clerk.see(one)
    assert clerk.post(one, {**clerk.hidden(one, one), "outcome": "confirm"}).status_code == 403
    editor = browser("editor").see(one)
    assert "A0003" not in editor
    assert "<form" not in editor.partition("<main")[2].partition("</main>")[0]
    assert browser("editor").get(NEW).status_code == 403
    second = browser("second")
    assert "A0003" in second.see(one)
    assert second.send(one, one, outcome="lift", reason="").status_code == 422
    assert second.send(one, one, outcome="confirm").status_code == 303
    settle()
    page = second.see(one.replace("/zh/", "/en/"))
    assert "salted hashes alone are kept" in page
    assert "A0003" not in page
    assert "已清除" in clerk.see(HERE)
    assert "撤下 2 行" in browser("editor").see(f"/zh/dataset/{dataset['name']}")
    assert "2 rows were removed" in browser("editor").see(f"/en/dataset/{dataset['name']}")
