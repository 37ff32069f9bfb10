"""One cell of the template to its value. Clerks write 是 and 否, 2026年11月3日 and full-width digits: all are understood."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Any

from opendata.core.errors import FieldError
from opendata.inventory.elements import CODE
from opendata.inventory.profile.fields import CityField, Kind, Value, judge, read
from opendata.inventory.transfer.template import CITY, FORMULA, Column, fold, template

_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:T?00:00(?::00)?)?")
_SERIAL = re.compile(r"[2-7]\d{4}")
_EPOCH = date(1899, 12, 30)
"""Of the day numbers of office programs."""
_SEPARATORS = re.compile(r"[,，、;；\s]+")
_NOT_SECRET = frozenset({"非涉密", "不涉密", "否"})


def clean(text: str) -> str:
    """The cell without blanks around it and without the apostrophe by which our own CSV keeps formulas from being run;
    empty for the words that stand for nothing."""
    text = text.strip()
    if text.startswith("'") and text[1:2] in FORMULA:
        text = text[1:]
    return "" if text in template().missing else text


def parse(column: Column, text: str) -> Any:
    """The value of a cell that is not empty; a `FieldError` of the column if it has none."""
    if column.longest and len(text) > column.longest:
        return FieldError(column.name, "string_too_long", {"max_length": column.longest})
    if column.kind == "list":
        return _from_list(column, text)
    if column.kind == "date":
        return _day(column, text)
    if column.kind == "number":
        return _number(column, text)
    if column.kind == "code":
        code = _narrow(text)
        return code if CODE.fullmatch(code) else _bad_code(column, text)
    if column.kind == "codes":
        codes = [_narrow(part) for part in _SEPARATORS.split(text) if part]
        wrong = next((code for code in codes if not CODE.fullmatch(code)), None)
        return codes if wrong is None else _bad_code(column, wrong)
    if column.kind == "region":
        code = _narrow(text)
        return code if re.fullmatch("[0-9]{2,12}", code) else FieldError(column.name, "bad_region")
    return text


def of_city(field: CityField, text: str) -> Value | FieldError:
    """The value of a cell of a field of the city's own."""
    column = CITY + field.name
    if field.kind is Kind.CODE:
        known = {fold(w): c.code for c in field.choices for w in (c.code, c.label, c.label_en) if w}
        labels = ", ".join(choice.label for choice in field.choices[:30])
        unknown = FieldError(column, "unknown_value", {"value": text[:100], "known": labels})
        return known.get(fold(text), unknown)
    if field.kind is Kind.BOOLEAN:
        said = {"yes": True, "no": False}.get(template().code("is_open", text) or "")
        return FieldError(column, "not_yes_or_no") if said is None else said
    if field.kind is Kind.DATE:
        day = _day(Column(column, field.label, field.label_en, "date"), text)
        return day.isoformat() if isinstance(day, date) else FieldError(column, day.code, day.params)
    value = read(field, _narrow(text) if field.kind is Kind.NUMBER else text)
    wrong = judge({field.name: value}, [field])
    return wrong[0] if wrong else value


def is_secret(text: str) -> bool:
    """Whatever is not said to be open to knowledge is taken for secret, on the safe side."""
    return bool(text) and _narrow(text) not in _NOT_SECRET


def _from_list(column: Column, text: str) -> Any:
    code = template().code(column.list, text)
    if code is not None:
        return code
    known = list(template().labels[column.list].values())
    return FieldError(column.name, "unknown_value", {"value": text[:100], "known": ", ".join(known)})


def _day(column: Column, text: str) -> Any:
    narrow = _narrow(text)
    try:
        if found := _DAY.fullmatch(narrow):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if _SERIAL.fullmatch(narrow):
            return _EPOCH + timedelta(days=int(narrow))
    except ValueError:
        pass
    return FieldError(column.name, "bad_day", {"value": text[:40]})


def _number(column: Column, text: str) -> Any:
    narrow = _narrow(text).removesuffix(".0")
    if re.fullmatch("[0-9]{1,9}", narrow):
        return int(narrow)
    return FieldError(column.name, "bad_length", {"value": text[:40]})


def _bad_code(column: Column, text: str) -> FieldError:
    return FieldError(column.name, "bad_resource_code", {"value": text[:100]})


def _narrow(text: str) -> str:
    """Codes and numbers only: full-width forms and blanks inside make no difference there."""
    return "".join(unicodedata.normalize("NFKC", text).split())
