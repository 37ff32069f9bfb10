"""The public search over HTTP: what a result shows of itself."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


@pytest.fixture
def published(office: Any, settle: Any) -> str:
    made = office.draft(
        title="全市街道名录", title_en="List of towns", description="名称", description_en="Names"
    )
    office.upload(made["id"], "代码,名称\n01,甲\n".encode())
    office.publish(made["id"], settle)
    return str(made["id"])


@pytest.mark.parametrize(
    ("words", "language", "shown", "hits"),
    [
        ("街道", "en", "全市街道名录", ["街道"]),
        ("towns", "zh", "List of towns", ["towns"]),
        ("towns", "en", "List of towns", ["towns"]),
        ("街道", "zh", "全市街道名录", ["街道"]),
        ("名称", "zh", "全市街道名录", []),
        ("名称", "en", "List of towns", []),
    ],
)
def test_a_title_is_shown_in_the_language_that_holds_the_hit(
    client: Any, published: str, words: str, language: str, shown: str, hits: list[str]
) -> None:
    found = client.get("/api/v1/search", params={"q": words}, headers={"Accept-Language": language}).json()
    title = found["results"][0]["highlights"]["title"]
    assert "".join(segment["text"] for segment in title) == shown
    assert [segment["text"] for segment in title if segment["hit"]] == hits
