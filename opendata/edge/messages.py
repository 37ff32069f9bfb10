"""The sentences people read, by code and language: errors, states of a release, findings. Data in `messages/*.json`."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from opendata.core.errors import DomainError, FieldError, Limited, Unavailable

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).parent / "messages"


class _Lenient(string.Formatter):
    """A parameter that is missing shows as nothing: a message must never fail. That none is missing a test sees to."""

    def __init__(self, language: str) -> None:
        self._language = language

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        value = kwargs.get(str(key), "")
        comma = "、" if self._language == "zh" else ", "
        return comma.join(map(str, value)) if isinstance(value, list | tuple) else value

    def format_field(self, value: Any, format_spec: str) -> str:
        """`{limit:size}`: bytes as people read them; `{role:word}`: what people call it (`word.…`)."""
        if format_spec == "size":
            return size(int(value)) if str(value).isdigit() else str(value)
        if format_spec == "word":
            return catalogue(self._language).get(f"word.{value}", str(value))
        return str(super().format_field(value, format_spec))


_formatters = {language: _Lenient(language) for language in LANGUAGES}


def size(value: int) -> str:
    """Bytes as people read them: 812 B, 41.4 KB, 1.2 GB (powers of 1,000)."""
    amount = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{value} B"


def catalogue(language: str) -> dict[str, str]:
    """All sentences of a language by their code (`errors` and `states` share one list: `states` have the prefix `state.`)."""
    return read(_FOLDER, language)


@cache
def read(folder: Path, language: str) -> dict[str, str]:
    """The texts of one language from a package's folder of `<language>.json`, read once."""
    found: dict[str, str] = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    return found


def text(code: str, language: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of a code, filled in; the code itself if it has none."""
    language = language if language in LANGUAGES else "en"
    template = catalogue(language).get(code, code)
    return _formatters[language].vformat(template, (), params or {})


def error_text(error: DomainError, language: str) -> str:
    params = dict(error.params)
    if isinstance(error, Limited | Unavailable):
        params["retry_after"] = error.retry_after
    return text(error.code, language, params)


def field_text(field: FieldError, language: str) -> str:
    """The sentence of a field's error. Codes of pydantic that have none of ours keep pydantic's English message."""
    if field.code in catalogue("en"):
        return text(field.code, language, field.params)
    return str(field.params.get("message", field.code))


def state_text(sentence: Mapping[str, Any], language: str) -> str:
    """The sentence of where a release stands."""
    return text(f"state.{sentence.get('code', 'draft')}", language, sentence.get("params", {}))


def problem_text(problem: Mapping[str, Any] | None, language: str) -> dict[str, Any] | None:
    """What stands in a file's way, `{code, params}`, with its sentence as `detail`."""
    if problem is None:
        return None
    return {**problem, "detail": text(problem["code"], language, problem.get("params"))}


def preferred(accept_language: str) -> str:
    """`zh` or `en` by an Accept-Language header; Chinese when neither is asked for."""
    best, quality = "zh", 0.0
    for part in accept_language.lower().split(","):
        tag, _, params = part.strip().partition(";")
        try:
            weight = float(params.partition("q=")[2] or 1)
        except ValueError:
            weight = 0.0
        if tag[:2] in LANGUAGES and weight > quality:
            best, quality = tag[:2], weight
    return best
