"""Text that is cut by columns: what the reader would pass over in silence is refused, the rest is what Python's csv reads."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.tabular.plain.blocks import Block
from opendata.tabular.plain.text import NotPlain, frames

NAMES = ["c0", "c1", "c2"]


def block(data: bytes, used: list[str], *, read_all: bool = False) -> Block:
    return Block(data, NAMES, ",", used, read_all=read_all)


@pytest.mark.parametrize("read_all", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        b"1,2,3\n1,2\n", b"1,2,3\n1,2,3,4\n", b"1,2,3\n1,2,3,\n", b"1,2,\n1,2\n1,2,,\n", b"1,2,3\n\n1,2,3\n", b"\n1,2,3\n",
        b"1,2,3\n1,\xff,3\n", b"1,2,3\n\n", b"1,2\n", b"1,2,3,4\n", b"1,2,\n1,2,\n1\n1,2,,,\n", b"\xef\xbb\xbf1,2,3\n",
        b"x\x01,2,3\n", b"x^,2,3\n", "x\u0680,2,3\n".encode(), b"1,2,3\n" * 50_000 + b"1,2,3,4\n" + b"1,2,3\n" * 50_000,
    ],
    ids=range(16),
)  # fmt: skip
def test_what_would_be_passed_over_is_refused(data: bytes, read_all: bool) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        block(data, ["c0"], read_all=read_all)


def test_columns_are_read_when_they_are_asked_for() -> None:
    found = block("1,南通,a\n2,,b\r\n".encode(), ["c0"])
    assert (found.num_rows, found.is_asked_all) == (2, False)
    assert found.part(["c0"]).rows() == [("1",), ("2",)]
    assert not found.is_asked_all
    assert found.part(NAMES).rows() == [("1", "南通", "a"), ("2", "", "b")]
    assert found.is_asked_all
    assert block(b"1,2,\n", ["c0"]).part(["c2", "c0"]).rows() == [("", "1")]


CELLS = st.sampled_from(
    ["1", "", "x^", "x", " a ", "甲", "\ufeff", "\x1a", "\u2028", "a" * 300, "#", "'", "\t"]
)


@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_is_read_is_what_python_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str, ended: bool
) -> None:
    text = end.join(["a,b,c", *(",".join(row) for row in rows)]) + end * ended
    path = Path(tmp_path_factory.mktemp("plain"), "a.csv")
    path.write_bytes(text.encode())
    expected = list(csv.reader(io.StringIO(text, newline="")))[1:]
    found = []
    try:
        for frame in frames(path, "utf-8", ",", '"', NAMES):
            found += [list(row) for row in frame.rows()]
    except NotPlain:
        assert found == expected[: len(found)]
    else:
        assert found == expected
