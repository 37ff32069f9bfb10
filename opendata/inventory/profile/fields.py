"""A metadata field of the city: what it is called, what its values may be, and how one is read, judged and shown. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from opendata.core.errors import FieldError
from opendata.core.names import clean_text

Value = str | int | float | bool
"""What a field holds: a text, a number, true or false; a day as ISO text, a code as its code."""
Values = Mapping[str, Value]
"""By the fields' names."""

FIELD_NAME = "^[a-z][a-z0-9_]{1,39}$"
CHOICE_CODE = "^[0-9A-Za-z][0-9A-Za-z._-]{0,49}$"
MOST_FIELDS = 50
MOST_CHOICES = 500
LONGEST_TEXT = 2000

Label = Annotated[str, AfterValidator(lambda text: " ".join(clean_text(text).split()))]


class Kind(StrEnum):
    """值域类型."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CODE = "code"
    """One of the field's own `choices`."""


class Scope(StrEnum):
    """What a field says something of."""

    DATASET = "dataset"
    LINE = "line"
    BOTH = "both"


COUNTED = frozenset({Kind.CODE, Kind.BOOLEAN})
"""Kinds with few values: those that a search can count and narrow down by."""


_YES_NO = {"zh": {"true": "是", "false": "否"}, "en": {"true": "Yes", "false": "No"}}


class Choice(BaseModel):
    """A code of a field's code list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=CHOICE_CODE)
    label: Label = Field(min_length=1, max_length=200)
    label_en: Label = Field("", max_length=200)


class CityField(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=FIELD_NAME, description="Its key in the API, and that of its CKAN extra")
    label: Label = Field(min_length=1, max_length=100, description="中文名称")
    label_en: Label = Field("", max_length=100, description="English name; the Chinese one if left out")
    description: Label = Field("", max_length=500, description="What to fill in, in Chinese")
    description_en: Label = Field("", max_length=500)
    kind: Kind = Field(Kind.TEXT, description="Never changes afterwards: values of it are in releases")
    scope: Scope = Field(
        Scope.DATASET,
        description="Of datasets, of inventory lines (清单条目), or of both; may only be widened",
    )
    choices: list[Choice] = Field(
        default_factory=list, max_length=MOST_CHOICES, description="The code list of a `code`"
    )
    required: bool = Field(
        False, description="A release is not submitted without it; a line without it is flagged"
    )
    facet: bool = Field(False, description="Searches can be narrowed down by it: `code` and `boolean` only")
    retired: bool = Field(False, description="No longer filled in; values that there are stay")

    def is_of(self, scope: Scope) -> bool:
        return self.scope in (scope, Scope.BOTH)

    def said(self, language: str) -> str:
        """What people call it in that language."""
        return self.label_en if language == "en" and self.label_en else self.label

    def help(self, language: str) -> str:
        return self.description_en if language == "en" and self.description_en else self.description

    def shown(self, value: Value, language: str) -> str:
        """A value as people read it: the label of a code, yes or no, else the plain text."""
        if self.kind is Kind.BOOLEAN:
            return _YES_NO[language].get(plain(value), plain(value))
        chosen = next((choice for choice in self.choices if choice.code == value), None)
        if chosen is not None:
            return chosen.label_en if language == "en" and chosen.label_en else chosen.label
        return plain(value)

    def stored(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True)


def plain(value: Value) -> str:
    """A value as CKAN's extras, the index and forms carry it: one text a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read(field: CityField, text: str) -> Value:
    """A value from its text. A text that fits no value of the field's kind stays a text, for `judge` to name."""
    if field.kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    if field.kind is Kind.NUMBER:
        try:
            number = float(text)
        except ValueError:
            return text
        return int(text) if text.lstrip("+-").isdecimal() else number
    return text


def judge(values: Values, fields: Sequence[CityField]) -> list[FieldError]:
    """What is wrong with the values: a field that the city has not, a value that the field cannot hold."""
    by_name = {field.name: field for field in fields}
    known = ", ".join(field.name for field in fields if not field.retired)
    found: list[FieldError | None] = []
    for name, value in values.items():
        path = f"city_fields.{name}"
        if name in by_name:
            found.append(_JUDGES[by_name[name].kind](path, value, by_name[name]))
        else:
            found.append(FieldError(path, "unknown_field", {"known": known or "–"}))
    return [error for error in found if error is not None]


def missing(values: Values, fields: Sequence[CityField]) -> Iterator[FieldError]:
    """Fields that must be filled in, and are not."""
    for field in fields:
        if field.required and not field.retired and values.get(field.name, "") == "":
            yield FieldError(f"city_fields.{field.name}", "missing")


def _text(path: str, value: Value, _field: CityField) -> FieldError | None:
    if not isinstance(value, str):
        return FieldError(path, "text_expected")
    return FieldError(path, "text_too_long", {"limit": LONGEST_TEXT}) if len(value) > LONGEST_TEXT else None


def _number(path: str, value: Value, field: CityField) -> FieldError | None:
    if isinstance(value, bool | str) or not math.isfinite(value):
        return FieldError(path, "not_a_number", {"value": _short(value), "field": field.name})
    return None


def _day(path: str, value: Value, _field: CityField) -> FieldError | None:
    try:
        date.fromisoformat(value if isinstance(value, str) and len(value) == len("2026-01-31") else "")
    except ValueError:
        return FieldError(path, "day_expected", {"value": _short(value)})
    return None


def _boolean(path: str, value: Value, _field: CityField) -> FieldError | None:
    return None if isinstance(value, bool) else FieldError(path, "not_yes_or_no")


def _code(path: str, value: Value, field: CityField) -> FieldError | None:
    if any(choice.code == value for choice in field.choices):
        return None
    known = ", ".join(choice.code for choice in field.choices[:30])
    return FieldError(path, "unknown_value", {"value": _short(value), "known": known})


def _short(value: Value) -> str:
    return plain(value)[:100]


_JUDGES: Mapping[Kind, Callable[[str, Value, CityField], FieldError | None]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.DATE: _day,
    Kind.BOOLEAN: _boolean,
    Kind.CODE: _code,
}
