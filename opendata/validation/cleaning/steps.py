"""What each step does to one cell or row. A step leaves alone what it is not certain of."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from opendata.validation.checks.forms import MISSING_MARKS, NOTE, TOTAL, date_form, folded, is_header
from opendata.validation.cleaning.recipe import Kind, Step

_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_DIGITS = re.compile(r"[0-9]+")
Labels = Sequence[Collection[str]]


def cell(step: Step) -> Callable[[str], str]:
    """The step as a function of one cell; a cell that it does not concern comes back as it is."""
    if step.step is Kind.ZEROS:
        digits = step.digits or 0
        return lambda text: text.zfill(digits) if _DIGITS.fullmatch(text) else text
    return _CELLS[step.step]


def row(kind: Kind, cells: Sequence[str], labels: Labels) -> bool:
    """Whether the step sets a row aside. `cells`: trimmed; `labels`: what each column is called."""
    filled = [text for text in cells if text]
    if kind is Kind.BLANK:
        return not filled
    if kind is Kind.TOTAL:
        return bool(filled) and TOTAL.fullmatch(filled[0]) is not None
    if kind is Kind.NOTE:
        return len(filled) == 1 and len(cells) > 1 and NOTE.fullmatch(filled[0]) is not None
    return is_header(cells, labels)


def _missing(text: str) -> str:
    return "" if text.strip() in MISSING_MARKS else text


def _thousands(text: str) -> str:
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


def _date(text: str) -> str:
    """Of a day number or of 10/08/2026 nobody can be certain."""
    form, day = date_form(text)
    return day.isoformat() if day is not None and form != "serial" else text


_CELLS: dict[Kind, Callable[[str], str]] = {
    Kind.TRIM: str.strip,
    Kind.HALF_WIDTH: folded,
    Kind.MISSING: _missing,
    Kind.THOUSANDS: _thousands,
    Kind.DATE: _date,
}
