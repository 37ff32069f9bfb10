"""One sentence for an error of a frictionless report: what is wrong, and how to mend it. Data in `messages/*.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opendata.edge import messages
from opendata.edge.messages import LANGUAGES
from opendata.validation.library.dictionary import rules

PARAMS = ("value", "form", "name", "until", "successor", "edition", "digits", "unit")
"""What a sentence of one of our checks may name; empty where the check does not know it."""
_FOLDER = Path(__file__).parent / "messages"
_FORMULA = re.compile(r'"(.*)"', re.DOTALL)
_CONSTRAINT = re.compile(r'constraint "(\w+)" is "(.*)"', re.DOTALL)
_TIMES = ("date", "datetime", "time")
_LONGEST = 200


def catalogue(language: str) -> dict[str, str]:
    """By rule: `<type of error>`, `<check>.<reason>`, `type-error.<type>`, `constraint-error.<constraint>`."""
    return messages.read(_FOLDER, language)


class Teller:
    """Says the errors of reports against one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._fields: dict[str, Mapping[str, Any]] = {
            str(field.get("name")): field for field in schema.get("fields") or []
        }
        self._asked = {
            language: {formula: said for said, formula in rules(schema, language) if said}
            for language in LANGUAGES
        }

    def rule(self, error: Mapping[str, Any]) -> str:
        """What was broken: the type of the error, and after a point the reason, the constraint, or the type of the field."""
        name = str(error.get("type") or "error")
        if error.get("reason"):
            return f"{name}.{error['reason']}"
        if name == "constraint-error" and (match := _CONSTRAINT.search(str(error.get("note", "")))):
            return f"{name}.{match[1]}"
        return f"{name}.{self._field(error).get('type', 'any')}" if name == "type-error" else name

    def say(self, error: Mapping[str, Any]) -> dict[str, str]:
        """The sentence by language."""
        rule, params = self.rule(error), self._params(error)
        return {language: self._said(error, rule, params, language) for language in LANGUAGES}

    def _said(self, error: Mapping[str, Any], rule: str, params: Mapping[str, str], language: str) -> str:
        if error.get("code") in messages.catalogue(language):  # why the file could not be read at all
            return messages.text(str(error["code"]), language, error.get("params") or {})
        texts = catalogue(language)
        note = str(error.get("note", ""))
        if rule == "row-constraint" and (match := _FORMULA.search(note)):
            asked = self._asked[language].get(match[1])
            return texts["row-rule" if asked else rule].format(rule=asked or match[1][:_LONGEST])
        name, _, detail = rule.partition(".")
        if name == "type-error" and detail in _TIMES and params["form"]:
            return texts["type-error.formatted"].format(**params)
        known = (rule, f"any.{detail}", f"{name}.any", name, "error")
        return next(texts[key] for key in known if key in texts).format(**params)

    def _params(self, error: Mapping[str, Any]) -> dict[str, str]:
        """What sentences may name."""
        note = str(error.get("note", ""))
        given = {key: str(value)[:_LONGEST] for key, value in (error.get("params") or {}).items()}
        form = str(self._field(error).get("format") or "")
        found = dict.fromkeys(PARAMS, "") | {"form": "" if form in ("default", "any") else form} | given
        if match := _CONSTRAINT.search(note):
            found["value"] = match[2].strip("[]").replace("'", "")[:_LONGEST]
        return found | {"note": note[:_LONGEST], "title": str(error.get("title") or error.get("type") or "")}

    def _field(self, error: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._fields.get(str(error.get("fieldName")), {})


def cleaning(step: str, column: str, count: int) -> dict[str, str]:
    """What a step of a cleaning would do, by language."""
    told = {"column": column, "count": f"{count:,}"}
    return {language: catalogue(language)[f"clean.{step}"].format(**told) for language in LANGUAGES}
