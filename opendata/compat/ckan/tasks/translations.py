"""Actions on translations of terms, as ckanext-multilingual and its like keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from opendata.compat.ckan.tasks.models import TermTranslation
from opendata.compat.ckan.wire import MISSING, Call, denied, listed, text_of, wrong

_MOST_CHARACTERS = {"lang_code": 35, "term": 1000, "term_translation": 10_000}


def term_translation_show(call: Call) -> list[dict[str, str]]:
    """Translations of terms. `terms` (one, or a list), `lang_codes` (one, or a list; else all)."""
    if "terms" not in call.args:
        raise wrong({"terms": "terms not in data"})
    query = select(TermTranslation).order_by(TermTranslation.term, TermTranslation.lang_code.desc())
    terms = [str(term) for term in listed(call.args, "terms")]
    if terms:
        query = query.where(TermTranslation.term.in_(terms))
    if "lang_codes" in call.args:
        codes = [str(code) for code in listed(call.args, "lang_codes")]
        query = query.where(TermTranslation.lang_code.in_(codes))
    return [_told(row) for row in call.work.session.execute(query).scalars()]


def term_translation_update(call: Call) -> dict[str, str]:
    """Writes a translation, for sysadmins. `term`, `term_translation`, `lang_code`."""
    return _told(_written(call, call.args))


def term_translation_update_many(call: Call) -> dict[str, str]:
    """Writes several translations, all or none. `data`: a list of what term_translation_update takes."""
    rows = call.args.get("data")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise wrong({"error": "Must be a list of dicts"})
    for row in rows:
        _written(call, row)
    return {"success": f"{len(rows)} rows updated"}


def _written(call: Call, row: Mapping[str, Any]) -> TermTranslation:
    if not call.work.actor.sysadmin:
        raise denied(f"User {call.caller} not authorized to update term_translation table")
    said = {name: text_of(row, name) for name in _MOST_CHARACTERS}
    errors = {name: _errors(value, _MOST_CHARACTERS[name]) for name, value in said.items()}
    if any(errors.values()):
        raise wrong({name: texts for name, texts in errors.items() if texts})
    return call.work.session.merge(TermTranslation(**said))


def _errors(value: str, most: int) -> list[str]:
    if not value:
        return [MISSING]
    return [f"Must be at most {most} characters long"] if len(value) > most else []


def _told(row: TermTranslation) -> dict[str, str]:
    return {"term": row.term, "term_translation": row.term_translation, "lang_code": row.lang_code}
