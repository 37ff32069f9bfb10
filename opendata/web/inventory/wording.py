"""Elements and their values, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from opendata.inventory.profile.fields import CityField, Values
from opendata.inventory.transfer.lines import SAME_NAME
from opendata.inventory.transfer.template import template
from opendata.web import texts

_COLUMN = {element: column for column, element in SAME_NAME.items()} | {
    "category": "category", "category_path": "category", "openness": "openness", "open_condition": "open_condition",
}  # fmt: skip
_LISTS = frozenset(
    {
        "openness",
        "share_type",
        "share_method",
        "format_class",
        "update_cycle",
        "data_level",
        "domain",
        "region_code",
    }
)


def element_title(language: str, element: str) -> str:
    if element == "items":
        return texts.text("holdings.items", language)
    if element == "city_fields":
        return texts.text("edit.city", language)
    return template().columns[_COLUMN[element]].title(language)


def value_text(language: str, city: Sequence[CityField], element: str, value: Any) -> str:
    """A value in words; items by their names, a dash for nothing."""
    if value in (None, "", [], {}):
        return "–"
    if element == "city_fields":
        colon = texts.text("colon", language)
        return "; ".join(f"{name}{colon}{said}" for name, said in in_words(language, city, value))
    if element == "items":
        return ", ".join(_item_text(language, item) for item in value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if element in _LISTS:
        return texts.label("region" if element == "region_code" else element, str(value), language)
    return str(value)


def in_words(language: str, city: Sequence[CityField], values: Values) -> list[tuple[str, str]]:
    """(what it is called, what it says) of each field of the city's own that a line has."""
    return [(f.said(language), f.shown(values[f.name], language)) for f in city if f.name in values]


def words(language: str, city: Sequence[CityField]) -> dict[str, Any]:
    """For a template. `city`: the city's own fields of lines."""
    return {
        "city_in_words": partial(in_words, language, city),
        "element_title": partial(element_title, language),
        "value_text": partial(value_text, language, city),
    }


def _item_text(language: str, item: dict[str, Any]) -> str:
    facts = [item.get("type"), item.get("length"), item.get("level")]
    if item.get("openness"):
        facts.append(texts.label("openness", item["openness"], language))
    told = " ".join(str(fact) for fact in facts if fact is not None)
    return f"{item['name']} ({told})" if told else str(item["name"])
