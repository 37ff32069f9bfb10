"""The city's own metadata fields on pages: what a dataset holds of them, and the inputs by which it is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendata.catalog import vocabularies
from opendata.catalog.profile import DatasetMeta
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField, Values, plain, read
from opendata.web.forms import Form
from opendata.work.unit import Work

PREFIX = "city_fields."
"""Before a field's name in forms."""


def beside(work: Work, meta: DatasetMeta, language: str) -> dict[str, Any]:
    """What a page tells beside the fields that every dataset has: the city's own, and terms of vocabularies."""
    return {
        "city": shown(work, meta, language),
        "terms": vocabularies.by_name(work, meta.vocabulary_terms),
    }


def shown(work: Work, meta: DatasetMeta, language: str) -> list[tuple[str, str]]:
    """(what it is called, what it says) of each field that the dataset has, in the profile's order."""
    if not meta.city_fields:
        return []
    found = meta.city_fields
    return [
        (field.said(language), field.shown(found[field.name], language))
        for field in profile.city_fields(work)
        if field.name in found
    ]


def asked(work: Work) -> list[CityField]:
    """The fields that a dataset's form asks for."""
    return [field for field in profile.city_fields(work) if not field.retired]


def asked_of_lines(work: Work) -> list[CityField]:
    """Those that an inventory line's form asks for."""
    return [field for field in profile.line_fields(work) if not field.retired]


def typed(held: Values) -> dict[str, list[str]]:
    """Values as the form's inputs hold them."""
    return {PREFIX + name: [plain(value)] for name, value in held.items()}


def given(fields: Sequence[CityField], form: Form, held: Values) -> dict[str, Any]:
    """`city_fields` as the form sent them; values of retired fields, which it does not ask for, stay."""
    if not any(PREFIX + field.name in form for field in fields):
        return {}
    kept: Mapping[str, Any] = {
        name: value for name, value in held.items() if name not in {f.name for f in fields}
    }
    sent = {field.name: read(field, form.text(PREFIX + field.name)) for field in fields}
    return {"city_fields": {**kept, **{name: value for name, value in sent.items() if value != ""}}}
