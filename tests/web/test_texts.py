"""The pages' own texts: both languages say the same, and nothing is missing or idle."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opendata.edge import messages
from opendata.edge.messages import LANGUAGES
from opendata.web import render, texts

HERE = Path(texts.__file__).parent
FAMILIES = (
    "done.", "facet.", "harvest.limit.", "field.", "failure.", "domain.", "holdings.did.", "holdings.kind.", "list.count.",
    "facts.type.", "kept.change.", "kept.state.", "next.", "profile.", "reading.by.", "reading.note.", "remedy.", "review.", "scope.", "sort.", "standing.state.",
    "tab.", "type.", "webhooks.",
)  # fmt: skip
"""Keys that are put together from a code."""


def used() -> set[str]:
    sources = [*HERE.rglob("*.html"), *HERE.rglob("*.py")]
    return {
        key
        for source in sources
        for key in re.findall(
            r'(?<![.\w])(?:t|(?:texts\.)?text)\("([a-z_.A-Z0-9-]+)"', source.read_text(encoding="utf-8")
        )
    }


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    zh, en = texts.catalogue("zh"), texts.catalogue("en")
    assert zh.keys() == en.keys()
    assert [key for key in zh if places(zh[key]) != places(en[key])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_that_a_page_names_exists(language: str) -> None:
    known = texts.catalogue(language)
    assert sorted(key for key in used() if not key.endswith(".") and key not in known) == []


def test_no_text_is_idle() -> None:
    idle = {key.removesuffix(".one") for key in texts.catalogue("en")} - used()
    assert sorted(key for key in idle if not key.startswith(FAMILIES)) == []


def test_every_word_after_a_form_has_its_text() -> None:
    assert all(texts.has(f"done.{word}", "zh") for word in render.DONE)


def test_content_in_the_other_language_is_marked() -> None:
    assert texts.lang_of("停车场", "en") == "zh-Hans"
    assert texts.lang_of("Car parks", "zh") == "en"
    assert texts.lang_of("停车场 P+R", "zh") == ""
    assert texts.lang_of("2026-11-23", "zh") == ""


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (119_000_000, "119 MB"), (5 * 10**12, "5000 GB")],
)
def test_sizes(size: int, shown: str) -> None:
    assert messages.size(size) == shown
    assert shown in messages.text("file_too_large", "zh", {"limit": size})


def test_one_is_not_many() -> None:
    assert texts.text("file.rows", "en", count="1") == "1 row"
    assert texts.text("file.rows", "en", count="21") == "21 rows"


def test_a_link_leaves_out_what_is_empty() -> None:
    assert (
        render.link("/zh/search", q="a b", agency=["x", "y"], sort="", page=None)
        == "/zh/search?q=a+b&agency=x&agency=y"
    )


def test_pages_around() -> None:
    assert list(render.Pager(6, 10, 200).around) == [1, 0, 4, 5, 6, 7, 8, 0, 20]
    assert list(render.Pager(1, 10, 0).around) == [1]


@pytest.mark.parametrize("settings", ["light"], indirect=True)
def test_english_pages_say_what_has_an_english_text(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    """Titles at the desk and in the queue, both descriptions for who decides, and a place by its code."""
    draft = office.draft(
        title="监测站点",
        title_en="Stations",
        description="全市站点。",
        description_en="All stations.",
        region="320600",
    )
    office.upload(draft["id"], "编号,名称\n0001,站点1\n".encode(), "站点.csv")
    settle()
    editor = browser("editor")
    assert ">Stations</a>" in editor.see("/en/console")
    assert ">监测站点</a>" in editor.see("/zh/console")
    assert "南通市 (320600)" in editor.see(f"/en/console/dataset/{draft['id']}/edit")
    release = office.submit(draft["id"])
    settle()
    reviewer = browser("content")
    queue = reviewer.see("/en/console/reviews")
    assert ">Stations</a>" in queue
    assert "监测站点" not in queue
    page = reviewer.see(f"/en/console/reviews/{release['id']}")
    assert page.index("All stations.") < page.index("全市站点。")
