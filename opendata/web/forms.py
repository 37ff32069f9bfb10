"""Forms as browsers send them, and errors as the fields they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from opendata.core.errors import DomainError, FieldError, Invalid, TooLarge, invalid
from opendata.edge import messages

MAX_FIELDS = 500
_SEPARATORS = re.compile(r"[,，、;；\n]+")


@dataclass(frozen=True)
class Form:
    """What was typed: values by name, in order."""

    values: Mapping[str, list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The field's first value, without blanks around it; empty if it was not sent."""
        found = self.values.get(name)
        return found[0].strip() if found else ""

    def many(self, name: str) -> list[str]:
        return [value for value in self.values.get(name, []) if value]

    def words(self, name: str) -> list[str]:
        """Values between commas of either script, each once."""
        return list(
            dict.fromkeys(part.strip() for part in _SEPARATORS.split(self.text(name)) if part.strip())
        )

    def numbers(self, name: str) -> list[str]:
        """What stands between commas or blanks, as it was typed."""
        return [part for part in _SEPARATORS.sub(" ", self.text(name)).split() if part]

    def __contains__(self, name: str) -> bool:
        return name in self.values

    @classmethod
    def of(cls, fields: Mapping[str, str | list[str]]) -> Form:
        return cls(
            {name: [value] if isinstance(value, str) else list(value) for name, value in fields.items()}
        )


async def posted(request: Request) -> Form:
    """The form of a POST, which `edge.bodies` has bounded; empty for any other request and for uploads."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return Form()
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except UnicodeDecodeError as error:
        raise Invalid("form_not_utf8", byte=error.start) from None
    except ValueError:
        raise TooLarge("too_many_fields", limit=MAX_FIELDS) from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value:
            raise invalid(name[:100], "null_character")
        values.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return Form(values)


@dataclass(frozen=True)
class Problem:
    """One wrong field: the anchor of its input, and the sentence."""

    field: str
    sentence: str


def problems(error: DomainError, language: str, known: Iterable[str] = ()) -> list[Problem]:
    """An error as fields of the form. `keywords.3` belongs to `keywords`; what belongs to no field stands under ''."""
    fields = error.fields or (FieldError("", error.code, error.params),)
    names = set(known)
    found = []
    for entry in fields:
        head = entry.path if entry.path in names else entry.path.partition(".")[0]
        sentence = messages.field_text(entry, language)
        found.append(Problem(head if not names or head in names else "", sentence))
    return list(dict.fromkeys(found))


def no_day(form: Form, name: str) -> Invalid:
    """The error of a field that holds no date."""
    typed = form.text(name)
    return invalid(name, "day_expected", value=typed[:30]) if typed else invalid(name, "missing")


def by_field(found: Iterable[Problem]) -> dict[str, str]:
    """Sentences by field, for the inputs."""
    told: dict[str, str] = {}
    for problem in found:
        told[problem.field] = (
            f"{told[problem.field]} {problem.sentence}" if problem.field in told else problem.sentence
        )
    return told


def given(
    form: Form, texts: Iterable[str], lists: Iterable[str] = (), choices: Iterable[str] = ()
) -> dict[str, Any]:
    """Metadata fields that the form sent: plain texts, comma-separated lists, ticked choices. A list of ticks sends
    nothing when none is ticked, so its form holds a marker field `<name>.sent`."""
    fields: dict[str, Any] = {name: form.text(name) for name in texts if name in form}
    fields |= {name: form.words(name) for name in lists if name in form}
    fields |= {name: form.many(name) for name in choices if f"{name}.sent" in form or name in form}
    return fields
