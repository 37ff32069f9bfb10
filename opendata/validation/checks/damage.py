"""What spreadsheets and habits do to cells (china.md 6.4)."""

from __future__ import annotations

import re
from datetime import date
from typing import ClassVar

import attrs
import polars as pl

from opendata.validation.checks.cells import SPACE, CellCheck, Kinds, Profile, WrongCell
from opendata.validation.checks.forms import MISSING_MARKS, SCIENTIFIC, UNIT, date_form, folded
from opendata.validation.checks.identifiers import Found

_DIGITS = re.compile(r"[0-9]+")
_MARKS = "".join(f"\\x{{{ord(sign):x}}}" for sign in sorted(set("".join(MISSING_MARKS))))
"""The signs that marks for a missing value are made of."""


class LeadingZeroError(WrongCell):
    type = "leading_zero_lost"
    title = "Leading Zero Lost"
    description = "A code has fewer digits than its kind: a spreadsheet took it for a number"


@attrs.define(kw_only=True, repr=False)
class LeadingZero(CellCheck):
    """`digits`: how many digits each code has. A code of digits that is shorter has lost zeros. Reason: `lost`."""

    type = "leading_zero_lost"
    Errors: ClassVar[Kinds] = [LeadingZeroError]
    Error = LeadingZeroError
    metadata_profile_patch: ClassVar[Profile] = {
        "required": ["digits"],
        "properties": {"digits": {"type": "integer", "minimum": 2, "maximum": 40}},
    }

    digits: int

    def judge(self, cell: str) -> Found:
        if not _DIGITS.fullmatch(cell) or len(cell) >= self.digits:
            return None
        whole = cell.zfill(self.digits)
        return "lost", f"a code has {self.digits} digits: {whole}?", {"digits": self.digits, "value": whole}

    def proves(self, text: pl.Expr) -> pl.Expr:
        return ~text.str.contains(f"^[0-9]{{1,{self.digits - 1}}}$")


class ScientificError(WrongCell):
    type = "scientific_notation_id"
    title = "Number in Scientific Notation"
    description = "A spreadsheet turned a long number into a rounded one"


@attrs.define(kw_only=True, repr=False)
class Scientific(CellCheck):
    """3.20602E+17 where a number of 18 places stood. Reason: `rounded`."""

    type = "scientific_notation_id"
    Errors: ClassVar[Kinds] = [ScientificError]
    Error = ScientificError

    def judge(self, cell: str) -> Found:
        if SCIENTIFIC.fullmatch(cell.strip()):
            return "rounded", "a spreadsheet rounded it: take the number from its source, as text", {}
        return None

    def proves(self, text: pl.Expr) -> pl.Expr:
        return ~text.str.contains(rf"^[{SPACE}]*[-+]?[0-9](?:\.[0-9]+)?[Ee]")


class FullWidthError(WrongCell):
    type = "full_width"
    title = "Full-width Signs"
    description = "Digits, letters or signs in their full-width form"


@attrs.define(kw_only=True, repr=False)
class FullWidth(CellCheck):
    """For codes and numbers, never for free text. Reason: `full_width`."""

    type = "full_width"
    Errors: ClassVar[Kinds] = [FullWidthError]
    Error = FullWidthError

    def judge(self, cell: str) -> Found:
        plain = folded(cell)
        return (
            ("full_width", f"written half-width it is {plain}", {"value": plain}) if plain != cell else None
        )

    def proves(self, text: pl.Expr) -> pl.Expr:
        return ~text.str.contains("[\uff01-\uff5e\u3000]")


class UnitError(WrongCell):
    type = "unit_in_cell"
    title = "Unit in Cell"
    description = "A number with its unit in the same cell"


@attrs.define(kw_only=True, repr=False)
class Unit(CellCheck):
    """A number followed by 万, 亿, %, 元, … : the unit belongs into the column's title. Reason: `unit`."""

    type = "unit_in_cell"
    Errors: ClassVar[Kinds] = [UnitError]
    Error = UnitError

    def judge(self, cell: str) -> Found:
        match = UNIT.fullmatch(folded(cell).strip())
        return ("unit", f"it holds the unit {match[1]}", {"unit": match[1]}) if match else None

    def proves(self, text: pl.Expr) -> pl.Expr:
        number = text.cast(pl.Float64, strict=False).is_not_null()
        return number | ~text.str.contains(rf"^[{SPACE}]*[-+\uff0d\uff0b]?[0-9\uff10-\uff19]")


class PlaceholderError(WrongCell):
    type = "placeholder_missing"
    title = "Mark for a Missing Value"
    description = "A mark that means that there is no value, and that the schema does not know"


@attrs.define(kw_only=True, repr=False)
class Placeholder(CellCheck):
    """—, -, 无, / and the like; those that the schema lists under `missingValues` are right. Reason: `mark`."""

    type = "placeholder_missing"
    Errors: ClassVar[Kinds] = [PlaceholderError]
    Error = PlaceholderError

    def judge(self, cell: str) -> Found:
        if cell.strip() in MISSING_MARKS:
            return "mark", "leave a cell empty that has no value", {}
        return None

    def proves(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains(f"[^{SPACE}{_MARKS}]")


class MixedDateError(WrongCell):
    type = "mixed_date"
    title = "Mixed Dates"
    description = "Dates of one column are written in one way"


@attrs.define(kw_only=True, repr=False)
class MixedDate(CellCheck):
    """The first date of the column that has a known form sets it. Reasons: `mixed` (params form, value: the day in ISO 8601),
    `ambiguous` (10/08/2026), `impossible` (30 February), `serial` (46327, a spreadsheet's day number), `not_a_date`."""

    type = "mixed_date"
    Errors: ClassVar[Kinds] = [MixedDateError]
    Error = MixedDateError

    _form: str = attrs.field(default="", init=False)

    def judge(self, cell: str) -> Found:
        form, day = date_form(cell)
        if form == "other":
            return "not_a_date", "it is no date", {}
        if form == "ambiguous":
            return "ambiguous", "day or month first? Write 2026-08-10", {}
        if day is None:
            return "impossible", "there is no such day", {}
        if form == "serial":
            return "serial", f"a spreadsheet's day number: {day}", {"value": day.isoformat()}
        self._form = self._form or form
        if form == self._form:
            return None
        return (
            "mixed",
            f"the column writes its dates otherwise: {day}",
            {"value": day.isoformat(), "form": self._form},
        )

    def meet(self, cells: pl.Series) -> None:
        """Finds the form that `judge` would find first."""
        if self._form:
            return
        for cell in cells.unique(maintain_order=True):
            if cell is None or cell in self._missing:
                continue
            form, day = date_form(cell)
            if day is not None and form != "serial":
                self._form = form
                return

    def proves(self, text: pl.Expr) -> pl.Expr | None:
        if self._form != "iso":
            return None
        day = text.str.to_date("%Y-%m-%d", strict=False, cache=False)
        return text.str.contains("^[0-9]{4}-[0-9]{2}-[0-9]{2}$") & (day >= date.min).fill_null(False)

    def sound(self, cell: str) -> bool:
        if cell in self._missing or not cell.strip():
            return True
        form, day = date_form(cell)
        return day is not None and form == self._form
