"""A record of what a kind has found: fields that the profile takes; what it does not take is left out and noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from opendata.catalog import sense
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.harvest.models import LONGEST_IDENTIFIER
from opendata.harvest.reading import cleaning
from opendata.harvest.record import Record, Refused, RemoteResource

Given = Mapping[str, Any]


def record(
    identifier: str, fields: Given, resources: Iterable[RemoteResource] = (), **more: Any
) -> Record | Refused:
    """`more`: other fields of `Record`. Refused without an identifier or a title."""
    identifier = identifier.strip()
    if not 0 < len(identifier) <= LONGEST_IDENTIFIER:
        return Refused("harvest_bad_identifier", identifier[:100], {"limit": LONGEST_IDENTIFIER})
    kept, left_out = _fitting(DatasetMeta, _cleaned(fields))
    for error in sense.check_values(DatasetMeta(**kept), kept.keys()):
        if kept.pop(name := error.path.partition(".")[0], None) is not None:
            left_out.append(name)
    if not kept.get("title"):
        return Refused("harvest_no_title", identifier)
    made = list(resources)
    usable = tuple(one for one in made if one.fields.get("url") or one.content)
    left_out += ["resources"] if len(usable) < len(made) else []
    return Record(identifier, kept, usable, left_out=tuple(sorted(set(left_out))), **more)


def noting(record: Record, left_out: Iterable[str]) -> Record:
    """The record, with more fields that could not be kept."""
    return replace(record, left_out=tuple(sorted({*record.left_out, *left_out})))


def resource(fields: Given, base: str = "", **more: Any) -> RemoteResource:
    """`fields["url"]` may be relative to `base`. Without an address that can be shown the record leaves it out."""
    url = cleaning.address(str(fields.get("url", "")), base)
    given = _cleaned({**fields, "url": url})
    return RemoteResource(_fitting(ResourceMeta, given)[0], **more)


def _cleaned(fields: Given) -> dict[str, Any]:
    made = {}
    for name, value in fields.items():
        if isinstance(value, str):
            clean = cleaning.plain if name.startswith(("description", "open_condition")) else cleaning.line
            value = clean(value) if name not in ("url", "landing_page") else value
        if value not in ("", None, [], {}):
            made[name] = value
    return made


def _fitting(model: type[BaseModel], fields: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(the fields as JSON that the profile takes, the names of those that it does not)."""
    left_out: list[str] = []
    while True:
        try:
            made = model(**fields)
        except ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors()}
            fields = {name: value for name, value in fields.items() if name not in wrong}
            left_out += sorted(wrong)
        else:
            named = made.model_fields_set
            return made.model_dump(mode="json", include=named, by_alias=True), left_out
