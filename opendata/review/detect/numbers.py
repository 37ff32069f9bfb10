"""The checksums of whole columns at once: arithmetic on Polars integers. The same rules one by one are in core.checks."""

from __future__ import annotations

from datetime import date

import polars as pl

from opendata.review.detect import rules

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ENDS = pl.Series(list("10X98765432"))
_FIRST = date(1850, 1, 1)


def resident(numbers: pl.Series, today: date) -> tuple[pl.Series, pl.Series]:
    """Of texts of 18 places: (those with a real date of birth, those that are resident identity numbers)."""
    form = numbers.str.contains(r"^[1-9][0-9]{16}[0-9Xx]$")
    born = numbers.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    plausible = (form & (born >= _FIRST) & (born <= today)).fill_null(value=False)
    value = numbers.str.slice(0, 17).cast(pl.UInt64, strict=False).fill_null(0)
    total = pl.Series([0], dtype=pl.UInt64).new_from_index(0, len(numbers))
    for place, weight in enumerate(_WEIGHTS):
        total = total + value // 10 ** (16 - place) % 10 * weight
    end = _ENDS.gather((total % 11).cast(pl.UInt32))
    return plausible, plausible & (numbers.str.slice(17, 1).str.to_uppercase() == end)


def old_resident(numbers: pl.Series) -> pl.Series:
    """Of texts of 15 digits: those that begin with a province's code and hold a date of birth of the last century."""
    province = numbers.str.contains(r"^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])[0-9]{13}$")
    born = (pl.lit("19") + pl.col("n").str.slice(6, 6)).str.to_date("%Y%m%d", strict=False)
    dated = pl.DataFrame({"n": numbers}).select(born.is_not_null()).to_series()
    return province & dated


def card(numbers: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Of texts of 15 to 19 digits: (those with an issuer's prefix, those of them with a right checksum)."""
    form = numbers.str.contains(rules.CARD_FORM)
    value = numbers.cast(pl.UInt64, strict=False).fill_null(1)
    total = pl.Series([0], dtype=pl.UInt64).new_from_index(0, len(numbers))
    for place in range(19):  # from the right; what is beyond the front counts nothing
        digit = value // 10**place % 10
        total = total + (digit * 2 - (digit > 4).cast(pl.UInt64) * 9 if place % 2 else digit)
    return form, form & (total % 10 == 0)
