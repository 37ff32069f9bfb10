"""Discarding a draft on its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DESK = "/zh/console"


def test_a_draft_that_was_rejected_is_discarded_and_stays_in_the_list_of_releases(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    dataset = office.draft(title="公开的")["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    settle()
    office.publish(dataset, settle)
    office.editor.patch(f"/datasets/{dataset}", json={"title": "改过的"})
    release = office.submit(dataset)
    settle()
    office.decide(release, "content", "reject", "不完整")
    editor, here = browser("editor"), f"{DESK}/dataset/{dataset}"
    assert editor.send(here, f"{here}/discard").status_code == 303
    shown = editor.see(here)
    assert "已放弃" in shown
    assert "改过的" not in shown
    assert "公开的" in editor.see(DESK)
