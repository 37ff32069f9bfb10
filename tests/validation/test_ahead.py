"""Pieces that are made while the one before is looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from opendata.validation.proof.ahead import ahead


def test_the_same_pieces_and_none_that_is_falsy_ends_them() -> None:
    assert list(ahead([0, None, "", 3])) == [0, None, "", 3]


def test_the_next_is_made_meanwhile() -> None:
    looked = threading.Event()

    def pieces() -> Iterator[int]:
        yield 1
        assert looked.wait(30)  # only who looks at the first piece lets the second be made
        yield 2

    found = ahead(pieces())
    assert next(found) == 1
    looked.set()
    assert list(found) == [2]


def test_an_error_arises_behind_the_pieces_before_it() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise LookupError

    found = ahead(pieces())
    assert next(found) == 1
    with pytest.raises(LookupError):
        next(found)


def test_who_stops_leaves_no_thread() -> None:
    found = ahead(range(100))
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]  # a generator
    assert [thread for thread in threading.enumerate() if thread.name.startswith("ahead")] == []
