"""What the pages themselves say, by key and language (`messages/*.json`). Sentences of errors and states are `edge.messages`'."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from opendata.catalog.codes import codes
from opendata.core.clock import BEIJING
from opendata.edge import messages

NAMING_FIELDS = ("incomplete", "forbidden", "returned_forbidden")
"""States whose `places` are fields; those of findings can be the columns of a file."""
HTML_LANG = {"zh": "zh-Hans", "en": "en"}
_FOLDER = Path(__file__).parent / "messages"
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def catalogue(language: str) -> dict[str, str]:
    """All texts of a language by key."""
    return messages.read(_FOLDER, language)


def text(key: str, language: str, **params: object) -> str:
    """The text of a key, filled in. `KeyError` for an unknown one: a page never shows a bare key. English has a form of its
    own for one thing (`<key>.one`)."""
    texts = catalogue(language)
    template = texts.get(f"{key}.one", texts[key]) if str(params.get("count")) == "1" else texts[key]
    return template.format(**params) if params else template


def has(key: str, language: str) -> bool:
    return key in catalogue(language)


def type_name(kind: str, language: str) -> str:
    """What a page calls a type of a Table Schema."""
    key = f"type.{kind}"
    return text(key if has(key, language) else "type.any", language)


def form_field(name: str, language: str) -> str:
    """What forms call a field; empty where none has it."""
    return text(f"field.{name}", language) if has(f"field.{name}", language) else ""


def field_name(place: str, language: str) -> str:
    """What a form calls the field of a place: `resources.0.columns` is 列名. The place itself where no form has it."""
    head, *rest = place.split(".")
    name = rest[1] if head == "resources" and len(rest) > 1 else head
    return form_field(name, language) or place


def harvested_place(place: str, language: str) -> str:
    """What a form calls a place of a harvest's report, where files go by their names: `resources.a.csv` is 数据文件 a.csv."""
    head, _, rest = place.partition(".")
    if rest and head == "resources":
        return text("harvest.file", language, name=rest)
    return rest or field_name(place, language)


def in_words(sentence: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """Where a release stands, with the fields of its metadata as the forms call them and times as people read them."""
    params = sentence.get("params", {})
    if sentence.get("code") == "scheduled" and "at" in params:
        at = minute(datetime.fromisoformat(params["at"]), language)
        return {**sentence, "params": {**params, "at": at}}
    if sentence.get("code") not in NAMING_FIELDS or "places" not in params:
        return sentence
    named = dict.fromkeys(field_name(place, language) for place in params["places"])
    return {**sentence, "params": {**params, "places": list(named)}}


def choose(zh: str, en: str, language: str) -> str:
    """The text of the page's language, else the other one."""
    return (en or zh) if language == "en" else (zh or en)


def lang_of(content: str, page: str) -> str:
    """The value of a `lang` attribute for content that is not in the page's language; empty if none is needed."""
    if _HAN.search(content):
        return HTML_LANG["zh"] if page == "en" else ""
    return "en" if page == "zh" and _LATIN.search(content) else ""


def day(moment: datetime | None, language: str) -> str:
    """The day in Beijing time: 2026年11月23日, 23 Nov 2026."""
    if moment is None:
        return "–"
    at = moment.astimezone(BEIJING)
    return calendar_day(at.date(), language)


def calendar_day(at: date | None, language: str) -> str:
    """A date as it stands in a plan or a list."""
    if at is None:
        return "–"
    if language == "en":
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    return f"{at.year}年{at.month}月{at.day}日"


def minute(moment: datetime | None, language: str) -> str:
    """Day and time, Beijing time."""
    if moment is None:
        return "–"
    return f"{day(moment, language)} {moment.astimezone(BEIJING):%H:%M}"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"


def measure(value: float | str | None) -> str:
    """A measured value: four places at most, thousands apart; a date as it is."""
    if value is None or isinstance(value, str):
        return value or "–"
    return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else f"{value:g}"


def label(list_name: str, code: str, language: str) -> str:
    """What a person reads for a code of a list; licences, themes and regions are lists of their own."""
    lists = codes()
    if list_name == "licence" and code in lists.licences:
        licence = lists.licences[code]
        return choose(licence.title, licence.title_en, language)
    if list_name == "theme" and code in lists.themes:
        theme = lists.themes[code]
        return choose(theme.title, theme.title_en, language)
    if list_name == "region":
        name = lists.regions.get(code, code)
        # The names are Chinese only: who does not read them knows a place by its code.
        return f"{name} ({code})" if language == "en" and name != code else name
    return lists.label(list_name, code, language)
