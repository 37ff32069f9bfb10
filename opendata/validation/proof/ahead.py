"""The next piece is made while the one before is looked at: both are work of native libraries, which let each other run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(pieces: Iterable[T]) -> Iterator[T]:
    """The same pieces, and errors where they arise; one more than is asked for may have been made. Whoever stops waits for
    the one under way."""
    source, end = iter(pieces), object()
    with ThreadPoolExecutor(1, "ahead") as pool:
        under_way = pool.submit(next, source, end)
        while (piece := under_way.result()) is not end:
            under_way = pool.submit(next, source, end)
            yield piece  # type: ignore[misc]  # only `end` is no piece
