"""What a draft's page says of files that cannot be used as they are, and the way out that it offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DESK = "/zh/console"


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
