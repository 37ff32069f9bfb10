"""The fields of a form beside its file, as those of a resource's metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from opendata.catalog.library.queries import Shelf
from opendata.catalog.profile import ResourceMeta
from opendata.core.errors import FieldError, Gathered, Invalid
from opendata.edge.bodies import check_json
from opendata.publishing.drafts import resource_meta

PLAIN = ("name", "name_en", "description", "description_en", "format", "schema_name")
OPTIONS = (
    "sheet",
    "member",
    "header_row",
    "header_rows",
    "last_row",
    "without_total",
    "encoding",
    "delimiter",
    "quote",
)
"""How to read the file, as in `ReadOptions`."""
KNOWN = (*PLAIN, *OPTIONS, "schema", "metadata")


def resource_fields(
    schemas: Shelf, form: Mapping[str, str | list[str]], *, keeps: str = ""
) -> dict[str, Any]:
    """The fields of `ResourceMeta` that the form gives, checked. `schema` and `metadata` are JSON. `Invalid` naming every wrong field."""
    wrong = Gathered(
        FieldError(name[:100], "unknown_field", {"known": ", ".join(KNOWN)})
        for name in form
        if name not in KNOWN
    )
    wrong.add(FieldError(name, "repeated") for name, value in form.items() if isinstance(value, list))
    texts = {name: value for name, value in form.items() if isinstance(value, str)}
    fields: dict[str, Any] = {}
    with wrong:
        fields |= _object("metadata", texts.get("metadata"))
    fields |= {name: texts[name] for name in PLAIN if name in texts}
    with wrong:
        fields |= {"schema": _object("schema", texts["schema"])} if "schema" in texts else {}
    options = {name: texts[name] for name in OPTIONS if texts.get(name)}
    if options:
        given = fields.get("options")
        fields["options"] = {**(given if isinstance(given, dict) else {}), **options}
    with wrong:
        _check(partial(resource_meta, schemas, keeps=keeps), fields, options)
    wrong.raise_if_any()
    named = {_alias(name) for name in ResourceMeta.model_validate(fields).model_fields_set}
    return {name: value for name, value in fields.items() if name in named}


def _check(
    meta_of: Callable[[Mapping[str, Any]], ResourceMeta],
    fields: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    """`Invalid` by the names that the form has: its `encoding` is our `options.encoding`."""
    try:
        meta_of(fields)
    except Invalid as error:
        short = {f"options.{name}": name for name in options}
        raise Invalid(fields=[replace(f, path=short.get(f.path, f.path)) for f in error.fields]) from None


def _object(name: str, text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise Invalid(fields=[FieldError(name, "json_invalid", place)]) from None
    check_json(text.encode())  # as strict with JSON in a form as with a body
    if not isinstance(value, dict):
        raise Invalid(fields=[FieldError(name, "not_an_object")])
    return value


def _alias(name: str) -> str:
    return ResourceMeta.model_fields[name].alias or name
