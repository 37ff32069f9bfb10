"""CKAN's q, fq and sort."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.core.errors import BadQuery
from opendata.ports.search_index.port import (
    All,
    AnyOf,
    AtLeast,
    Between,
    Everything,
    Exact,
    Exists,
    Not,
    Pattern,
    Phrase,
    Prefix,
    Query,
    Sort,
    Words,
)
from opendata.search.dismax import least
from opendata.search.lucene import parse_fq, parse_q, parse_sort
from opendata.search.lucene_fields import NOTHING, date

NOW = datetime(2026, 3, 31, 14, 5, 6, 789, UTC)
TODAY = datetime(2026, 3, 31, tzinfo=UTC)
WEEK_AGO = NOW.replace(day=24)
ONE, TWO = (Words("text", (word,)) for word in ("one", "two"))
A, B, C = (Exact("tags", (name,)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Everything()),
        ("*:*", Everything()),
        ("+*:* -tags:a", Not(A)),
        ("organization:x", Exact("agency", ("x",))),
        ("owner_org:x", Exact("agency_id", ("x",))),
        ('tags:"a b"', Exact("tags", ("a b",))),
        ("tags:a tags:b", All((A, B))),
        ("tags:a AND tags:b", All((A, B))),
        ("tags:a && tags:b", All((A, B))),
        ("+tags:a +tags:b", All((A, B))),
        ("tags:a OR tags:b", Exact("tags", ("a", "b"))),
        ("tags:(a OR b)", Exact("tags", ("a", "b"))),
        ("tags:(a b)", All((A, B))),
        ("tags:(a -b)", All((A, Not(B)))),
        ("tags:a OR tags:b tags:c", AnyOf((All((B, C)), A))),
        ("(tags:a OR tags:b) AND NOT tags:c", All((Exact("tags", ("a", "b")), Not(C)))),
        ("-tags:a", Not(A)),
        ("!tags:a", Not(A)),
        ("NOT NOT tags:a", A),
        ("-(tags:a tags:b)", Not(All((A, B)))),
        ("res_format:csv", Exact("formats", ("csv", "CSV"))),
        ("title:datasets", Words("title", ("dataset",))),
        ('title:"air quality"', Phrase("title", ("air", "quality"))),
        ('title:"air quality"~2^3', Phrase("title", ("air", "quality"))),
        ("title:transp*", Prefix("title", "transp")),
        ("notes:南通*", Phrase("description", ("南", "通"))),
        ("name:foo-*", Prefix("dataset_name", "foo-")),
        ("name:*foo-?", Pattern("dataset_name", "*foo-?")),
        ("title:Tr?ns*rt", Pattern("title", "tr?ns*rt")),
        (r"tags:a\**b", Pattern("tags", r"a\**b")),
        ("custom:*x", Pattern("extras", "custom=*x")),
        ("tags:[* TO *]", Exists("tags")),
        (r"tags:a\ b\*", Exact("tags", ("a b*",))),
        ("tags:*", Exists("tags")),
        ("metadata_modified:*", Between("modified")),
        ("private:false state:active type:dataset", Everything()),
        ("private:true", NOTHING),
        ("extras_theme:x", Exact("extras", ("theme=x",))),
        ("custom_field:x", Exact("extras", ("custom_field=x",))),
        ('custom-field:"x y"', Exact("extras", ("custom-field=x y",))),
        ("spatial_uri:http://a.b/c", Exact("extras", ("spatial_uri=http://a.b/c",))),
        ("custom:*", Prefix("extras", "custom=")),
        ("custom:x*", Prefix("extras", "custom=x")),
        ("metadata_modified:[NOW-7DAYS TO NOW]", Between("modified", WEEK_AGO, NOW)),
        ("metadata_modified:[NOW/DAY TO *]", Between("modified", TODAY, None)),
        ("metadata_created:{2026-03-31T00:00:00Z TO *}", Between("created", TODAY, None, False, False)),
        ("metadata_modified:[* TO 2026-03-31}", Between("modified", None, TODAY, True, False)),
        ("metadata_modified:2026-03-31T00:00:00Z", Between("modified", TODAY, TODAY)),
        ("num_resources:[1 TO 5]", Between("resources_count", 1, 5)),
        ("num_resources:0", Between("resources_count", 0, 0)),
        ("name:[a TO m}", Between("name_sort", "a", "m", True, False)),
        ("title_string:[a TO m]", Between("title_sort", "a", "m")),
        ("bus stops", All((Words("text", ("bus",)), Words("text", ("stop",))))),
        ("bus title:air", All((Words("text", ("bus",)), Words("title", ("air",))))),
    ],
)
def test_fq(text: str, expected: Query) -> None:
    assert parse_fq(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Everything()),
        ("*:*", Everything()),
        ("bus stops", All((Words("text", ("bus",)), Words("text", ("stop",))))),
        ('"bus stops" -air', All((Phrase("text", ("bus", "stop")), Not(Words("text", ("air",)))))),
        ("+bus (", Words("text", ("bus",))),
        ("one two three", AtLeast(2, tuple(Words("text", (w,)) for w in ("one", "two", "three")))),
        ("one two +three", All((ONE, TWO, Words("text", ("three",))))),
        ("title:bus", Words("title", ("bus",))),
        ("*:* AND tags:a", A),
    ],
)
def test_q(text: str, expected: Query) -> None:
    assert parse_q(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tags:(a", "query_syntax"),
        ("tags:a)", "query_syntax"),
        ("tags:", "query_syntax"),
        ("AND", "query_syntax"),
        ('title:"open', "query_syntax"),
        ("num_resources:[1 2]", "query_syntax"),
        ("num_resources:x", "not_a_number"),
        ("metadata_modified:[yesterday TO NOW]", "not_a_date"),
        ("metadata_modified:[NOW-999999YEARS TO NOW]", "not_a_date"),
        ("metadata_modified:[2026-02-30 TO NOW]", "not_a_date"),
        ("tags:[a TO b]", "range_not_supported"),
        ("custom:[a TO b]", "range_not_supported"),
        ("num_resources:1?", "wildcard_not_supported"),
        ("metadata_modified:2026*", "wildcard_not_supported"),
        ("(" * 8 + "a" + ")" * 8, "query_too_deep"),
        ("(" * 5000, "query_too_deep"),
        (" ".join(f"tags:t{i}" for i in range(501)), "query_too_many_terms"),
        (" ".join(f"w{i}" for i in range(101)), "query_too_many_terms"),
        ("x" * 10_001, "query_too_long"),
    ],
)
def test_refused(text: str, code: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse_fq(text, NOW)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("NOW/MONTH+1MONTH-1DAY", TODAY),
        ("NOW-1MONTH", NOW.replace(month=2, day=28)),
        ("2024-02-29T00:00:00Z+1YEAR", datetime(2025, 2, 28, tzinfo=UTC)),
        ("NOW/YEAR", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-03-31T10:20:30.5Z/HOUR", datetime(2026, 3, 31, 10, tzinfo=UTC)),
    ],
)
def test_dates(text: str, expected: datetime) -> None:
    assert date(text, NOW) == expected


def test_how_many_words_must_be_there() -> None:
    assert [least(count) for count in range(1, 12)] == [1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 8]


def test_sort() -> None:
    assert parse_sort("") == ()
    assert parse_sort("score desc, metadata_modified desc") == (Sort("score"), Sort("modified"))
    assert parse_sort("title_string asc") == (Sort("title_sort", False),)
    assert parse_sort("name") == (Sort("name_sort", False),)
    for wrong in ("views_recent desc", "name sideways", "name asc desc", ",".join(["name asc"] * 6)):
        with pytest.raises(BadQuery):
            parse_sort(wrong)


PIECES = [
    "tags:",
    "title:",
    "x:",
    "a",
    "南通",
    '"',
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    " TO ",
    "*",
    "?",
    "-",
    "+",
    "!",
    "\\",
]
PIECES += [
    " AND ",
    " OR ",
    " NOT ",
    " ",
    ":",
    "NOW",
    "/DAY",
    "-7DAYS",
    "num_resources:",
    "metadata_modified:",
    "2026",
    "~",
    "^2",
]


CODES = {
    "query_too_long", "query_too_deep", "query_too_many_terms", "query_syntax", "range_not_supported",
    "wildcard_not_supported", "not_a_date", "not_a_number", "sort_not_supported",
}  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=80))
def test_only_bad_query_is_raised(text: str) -> None:
    for parse in (parse_q, parse_fq, parse_sort):
        assert code_of(parse, text) in CODES | {""}


def code_of(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except BadQuery as error:
        return error.code
    return ""
