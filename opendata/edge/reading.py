"""What a caller wrote, read against a model without stopping at the first kind of mistake.

pydantic sees the shape; whether an inventory line exists or a code is free only the database knows. `Sent` is a body of
which the right fields can be judged further although others are wrong, so that one answer names every wrong field:

    def create_thing(work: SignedInWork, sent: Body[ThingIn]) -> Response:
        wrong = sent.gather()
        with wrong:
            things.check_free(work, sent.right.get("name"))
        body = sent.whole(wrong)  # raises what was gathered
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, get_args

import fastapi
from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from opendata.core.errors import FieldError, Gathered, Invalid

PATTERNS: Mapping[str, str] = {
    "^https?://": "not_web_address",
    "^(https?://.*)?$": "not_web_address",
    "^[0-9a-f]{64}$": "bad_hash",
    "^([0-9]{2,12})?$": "bad_region",
    "^[CNYDTLMGBIF]$": "bad_item_type",
    "^[1-3][0-9]{5,}$": "bad_category",
    "^[1-3][0-9]{2}[0-9]{3}[0-9]*/[0-9]+$": "bad_line_code",
    "^[A-Za-z0-9-]+$": "bad_entry_number",
    "^[a-z][a-z0-9_]{1,39}$": "bad_field_name",
    "^([a-z][a-z0-9_]{1,39})?$": "bad_field_name",
    r"^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$": "bad_schema_version",
    "^[0-9A-Za-z][0-9A-Za-z._-]{0,49}$": "bad_choice_code",
    "^[0-9A-Za-z][0-9A-Za-z/._-]{0,99}$": "bad_related_code",
    "^(|hourly|(daily|weekly|monthly)( ([01][0-9]|2[0-3]):[0-5][0-9])?)$": "bad_schedule",
}
"""The regular expressions of the API's shapes (a test holds them complete), and the code of what each asks for."""

M = TypeVar("M", bound=BaseModel)


class Sent(Generic[M]):
    """Input for the model: `right` are the fields of it that have the right shape, by the names the caller used, as JSON
    values; `errors` what is wrong with the others."""

    def __init__(
        self, model: type[M], whole: M | None, part: Mapping[str, Any], errors: Sequence[FieldError] = ()
    ) -> None:
        """`part`: the right fields, where the whole is not."""
        self._model = model
        self._whole = whole
        self._part = part
        self.errors = tuple(errors)

    @cached_property
    def right(self) -> Mapping[str, Any]:
        if self._whole is None:
            return self._part
        return self._whole.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def gather(self) -> Gathered:
        """What is wrong with the shape, to be added to."""
        return Gathered(self.errors)

    def need(self, field: str, wrong: Gathered) -> Any:
        """A field without which the rest cannot be judged. `Invalid` with what was gathered so far, if it is wrong."""
        if field not in self.right:
            wrong.raise_if_any()
        return self.right[field]

    def so_far(self) -> M:
        """The right fields alone, for a model of which every field may be left out."""
        return self._whole if self._whole is not None else self._model(**self.right)

    def whole(self, wrong: Gathered) -> M:
        """The model. `Invalid` with everything that was gathered."""
        wrong.raise_if_any()
        if self._whole is None:
            raise Invalid(fields=self.errors)
        return self._whole

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The model's own schema (so the API's document shows the model), with its errors kept instead of raised."""
        (model,) = get_args(source)

        def keep(data: Any, validate: Callable[[Any], M]) -> Sent[M]:
            return _sent(model, data, validate)

        return core_schema.no_info_wrap_validator_function(keep, handler.generate_schema(model))


Body = Annotated[Sent[M], fastapi.Body()]
"""`Body[ThingIn]`: the parameter of an endpoint."""


def read(model: type[M], data: Mapping[str, Any], path: str = "") -> Sent[M]:
    """The same for fields from elsewhere; `path` is put before the names of wrong fields."""
    return _sent(model, data, model.model_validate, path)


def field_errors(found: Iterable[Mapping[str, Any]], path: str = "") -> list[FieldError]:
    """pydantic's errors as ours: the path with dots, its type as the code, its parameters."""
    return [
        FieldError(
            ".".join([*([path] if path else []), *(str(part) for part in entry["loc"])]),
            _code(entry),
            {"message": entry["msg"]} | {k: str(v) for k, v in entry.get("ctx", {}).items()},
        )
        for entry in found
    ]


def _code(entry: Mapping[str, Any]) -> str:
    """Nobody has to read a regular expression: each that an API shape has is said in a sentence of its own."""
    code: str = entry["type"]
    return PATTERNS.get(entry["ctx"]["pattern"], code) if code == "string_pattern_mismatch" else code


def _sent(model: type[M], data: Any, validate: Callable[[Any], M], path: str = "") -> Sent[M]:
    try:
        made = validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        wrong = {str(entry["loc"][0]) for entry in found if entry["loc"]}
        given = data if isinstance(data, Mapping) else {}
        right = {name: value for name, value in given.items() if name not in wrong}
        return Sent(model, None, right, field_errors(found, path))
    return Sent(model, made, {})
