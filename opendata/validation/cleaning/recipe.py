"""A recipe: how a file was cleaned, as data, so that the next delivery can be cleaned in the same way."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.profile import ReadOptions

MOST_STEPS = 2000


class Kind(StrEnum):
    """In the order in which they are done."""

    # the file
    UTF8 = "utf8"
    CSV = "csv"
    ABOVE = "rows_above"
    # rows that are set aside
    BLANK = "blank_row"
    HEADER = "repeated_header"
    TOTAL = "total_row"
    NOTE = "note_row"
    # cells
    TRIM = "trim"
    HALF_WIDTH = "half_width"
    MISSING = "missing_mark"
    THOUSANDS = "thousands"
    DATE = "date"
    ZEROS = "leading_zeros"


ALWAYS = frozenset({Kind.UTF8, Kind.CSV, Kind.ABOVE})
"""What writing the table anew does in any case."""
ROWS = (Kind.BLANK, Kind.HEADER, Kind.TOTAL, Kind.NOTE)
CELLS = (Kind.TRIM, Kind.HALF_WIDTH, Kind.MISSING, Kind.THOUSANDS, Kind.DATE, Kind.ZEROS)


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    step: Kind
    column: str = Field("", max_length=500, description="Its name in the file; empty for rows and the file")
    digits: int | None = Field(None, ge=2, le=40, description="`leading_zeros`: how many each code has")

    @property
    def id(self) -> str:
        """Names the step within its proposal."""
        return f"{self.step.value}:{self.column}" if self.column else self.step.value


class Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    options: ReadOptions = Field(
        default_factory=ReadOptions, description="How the file before was read: the next one is read likewise"
    )
    steps: list[Step] = Field(min_length=1, max_length=MOST_STEPS)

    def stored(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)
