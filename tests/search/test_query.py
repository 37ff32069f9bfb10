"""What people type into the search box."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.core.errors import BadQuery
from opendata.ports.search_index.port import All, AnyOf, Everything, Exact, Not, Phrase, Query, Words
from opendata.search.query import MAX_LENGTH, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Everything()),
        ("  ，。 \u3000", Everything()),
        ("bus", Words("text", ("bus",))),
        ("公共厕所", Words("text", ("公共厕所",))),
        ('"air quality"', Phrase("text", ("air", "quality"))),
        ("“空气质量”", Phrase("text", ("空", "气", "质", "量"))),
        ("-bus", Not(Words("text", ("bus",)))),
        ("air -bus", All((Words("text", ("air",)), Not(Words("text", ("bus",)))))),
        ("format:csv", Exact("formats", ("csv", "CSV"))),
        ("格式：CSV", Exact("formats", ("CSV", "csv"))),
        ("theme:交通", Exact("themes", ("交通",))),
        ('tag:"a b"', Exact("tags", ("a b", "A B"))),
        ("agency:水务局", AnyOf((Exact("agency", ("水务局",)), Words("agency_title", ("水务局",))))),
        ("title:养老", Words("title", ("养老",))),
        ('标题:"air quality"', Phrase("title", ("air", "quality"))),
        ("http://x", Words("text", ("http", "x"))),
        ("covid-19", Phrase("text", ("covid", "19"))),
        ('"', Everything()),
        ('open "quote', All((Words("text", ("open",)), Phrase("text", ("quote",))))),
    ],
)
def test_parse(text: str, expected: Query) -> None:
    assert parse(text) == expected


def test_bounds() -> None:
    with pytest.raises(BadQuery) as caught:
        parse("x" * (MAX_LENGTH + 1))
    assert caught.value.code == "query_too_long"
    with pytest.raises(BadQuery) as caught:
        parse(" ".join(f"w{i}" for i in range(51)))
    assert caught.value.code == "query_too_many_terms"


@given(
    st.text(alphabet=st.sampled_from('ab 南通"-:()[]*?~^\\/+!&|，：“”'), max_size=40) | st.text(max_size=40)
)
def test_nothing_short_is_an_error(text: str) -> None:
    parse(text)
