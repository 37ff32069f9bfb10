"""A page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list: the items, how many there are in all, and where this part starts (0-based)."""

    items: Sequence[T]
    total: int
    offset: int
    limit: int
