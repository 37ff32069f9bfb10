"""Both sides of a search cut text alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.search.analysis import fold, index_tokens, phrase_tokens, query_groups, query_tokens
from opendata.search.highlight import highlight


def found(query: str, text: str) -> bool:
    """Whether a document with this text holds every group of the query, as the index matches."""
    tokens = index_tokens(text)
    rows = {tuple(tokens[i : i + n]) for n in range(1, 9) for i in range(len(tokens) - n + 1)}
    return all(group in rows for group in query_groups(query))


def in_a_row(phrase: str, text: str) -> bool:
    tokens, wanted = index_tokens(text), phrase_tokens(phrase)
    return any(tokens[i : i + len(wanted)] == wanted for i in range(len(tokens) + 1))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("街道", "东华门街道"),
        ("东华门街道", "东华门街道办事处"),
        ("南通", "南通市公共厕所"),
        ("民政局", "市民政局"),
        ("崇川", "崇川区名单"),
        ("珺琪", "张珺琪工作室"),
        ("水", "饮用水水质"),
        ("公厕", "南通市公共厕所"),
        ("公共厕所", "公厕分布"),
        ("清单", "医院名录"),
        ("目录", "权责清单"),
        ("宾馆", "星级酒店"),
        ("administrative", "Administrative units"),
        ("dataset", "Datasets"),
        ("datasets", "dataset"),
        ("policies", "policy"),
        ("statistics", "Statistics 2023"),
        ("cafe", "Café"),
        ("CAFÉ", "cafe\u0301"),
        ("ｃｓｖ", "CSV"),
        ("pm2.5", "PM2.5浓度"),
        ("covid-19", "COVID-19 cases"),
        ("user_id", "user_id,name"),
        ("2023年", "2023年统计"),
        ("a股", "A股行情"),
        ("данные", "Открытые ДАННЫЕ"),
    ],
)
def test_is_found(query: str, text: str) -> None:
    assert found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("公园", "公共 园林"),
        ("covid-19", "19 covid"),
        ("琪珺", "珺琪"),
        ("bus", "bu"),
        ("gas", "ga"),
        ("厕", "公所"),
    ],
)
def test_is_not_found(query: str, text: str) -> None:
    assert not found(query, text)


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("厕所名录", "南通市公共厕所名录", True),
        ("市公共", "南通市公共厕所名录", True),
        ("通市公共厕所名", "南通市公共厕所名录", True),
        ("厕所公共", "南通市公共厕所名录", False),
        ("air quality", "Air-Quality readings", True),
        ("quality air", "air quality", False),
    ],
)
def test_phrases(phrase: str, text: str, expected: bool) -> None:
    assert in_a_row(phrase, text) is expected


def test_shape_of_tokens() -> None:
    assert index_tokens("，。!? _ - \n\t ·…") == []
    assert query_groups("《》“”—") == []
    assert index_tokens("x" * 300) == ["x" * 100]
    assert query_tokens("公共厕所 csv csv") == ["公共厕所", "csv"]
    assert found("x" * 300, "x" * 300)


@given(st.text(max_size=60))
def test_a_text_finds_itself(text: str) -> None:
    assert found(text[:12], text[:12])
    assert in_a_row(text, text)
    for token in index_tokens(text) + query_tokens(text):
        assert 0 < len(token) <= 100
        assert not any(
            unicodedata.category(c)[0] in "PZ" or unicodedata.category(c) in ("Cc", "Cf") for c in token
        )


@given(
    st.text(alphabet="市民政局南通公共厕所名录长江大桥街道办事处", max_size=14),
    st.integers(0, 13),
    st.integers(1, 6),
)
def test_any_part_of_chinese_is_found(text: str, start: int, length: int) -> None:
    part = text[start : start + length]
    assert found(part, text)


@given(st.text(max_size=30))
def test_folding_is_stable_and_by_character(text: str) -> None:
    assert fold(text) == "".join(fold(c) for c in text)


def marked(text: str, query: str, width: int = 100) -> str:
    return "".join(f"[{part}]" if hit else part for part, hit in highlight(text, query_tokens(query), width))


def test_highlight() -> None:
    assert marked("南通市公共厕所名录", "南通 厕所") == "[南通]市公共[厕所]名录"
    assert marked("南通市公共厕所名录", "公厕") == "南通市[公共厕所]名录", "synonyms are hits"
    assert marked("<b>Ｄatasets</b> & Café", "dataset cafe") == "<b>[Ｄatasets]</b> & [Café]"
    assert marked("nothing here", "x") == "nothing here"
    assert marked("", "x") == ""
    long = "a " * 100 + "target " + "b " * 100
    assert "[target]" in marked(long, "target", 40)
    assert marked(long, "target", 40).startswith("…")
    assert marked(long, "none", 10) == "a a a a a …"


@given(st.text(max_size=80), st.text(max_size=10), st.integers(1, 100))
def test_highlight_keeps_the_text(text: str, query: str, width: int) -> None:
    segments = highlight(text, query_tokens(query), width)
    shown = "".join(part for part, hit in segments if hit or part != "…")
    assert len(shown) <= width
    if len(text) <= width and "…" not in text:
        assert shown == text
