"""The negative list, kept by the city's administrators. Entries are not deleted: they are lifted, with a reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from opendata.core.clock import day_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.inventory.negative import policy
from opendata.inventory.negative.matching import folded
from opendata.inventory.negative.models import EntryStatus, NegativeEntry
from opendata.inventory.negative.queries import changed
from opendata.work.unit import Work

TOLD = (
    "number", "subject", "ground", "basis", "agency_id", "themes", "keywords", "items", "approved_by", "valid_from", "review_on",
    "status", "lift_reason",
)  # fmt: skip
NEEDED = ("subject", "basis", "approved_by")
SHORTEST_WORD = 2


def create(work: Work, fields: Mapping[str, Any], *, known_themes: Collection[str]) -> NegativeEntry:
    """A new entry, binding from its first day. `fields` are those of `NegativeIn`, with `agency_id` for the body.

    Errors: `Forbidden`; `Conflict("negative_number_taken")`; `Invalid` naming every wrong field.
    """
    _check_keeper(work)
    given = {name: _clean(value) for name, value in fields.items() if value is not None}
    given.setdefault("valid_from", day_of(work.now))
    number = given.pop("number", "") or _next_number(work, given["valid_from"].year)
    if work.session.execute(select(NegativeEntry.id).where(NegativeEntry.number == number)).first():
        raise Conflict("negative_number_taken", number=number)
    entry = NegativeEntry(
        **{"agency_id": None, "themes": [], "keywords": [], "items": [], **given},
        id=new_id(),
        number=number,
        status=EntryStatus.IN_FORCE.value,
        lift_reason="",
        created_by=work.actor.id,
        created_at=work.now,
        updated_at=work.now,
    )
    _check(entry, known_themes)
    work.session.add(entry)
    work.session.flush()
    changed(work)
    work.record("negative_list.created", "negative_entry", entry.id, **_told(entry))
    return entry


def change(
    work: Work, entry: NegativeEntry, changes: Mapping[str, Any], *, known_themes: Collection[str]
) -> NegativeEntry:
    """Changes the named fields; `status: lifted` with `lift_reason` ends it. What is lifted stays so."""
    _check_keeper(work)
    if entry.status == EntryStatus.LIFTED.value:
        raise Conflict("negative_entry_lifted", number=entry.number)
    before = _told(entry)
    empty = [name for name, value in changes.items() if value is None and name != "agency_id"]
    if empty:
        raise Invalid(fields=[FieldError(name, "missing") for name in empty])
    for name, value in changes.items():
        setattr(entry, name, _clean(value))
    with work.session.no_autoflush:
        _check(entry, known_themes)
    entry.updated_at = work.now
    work.session.flush()
    changed(work)
    work.record("negative_list.changed", "negative_entry", entry.id, before=before, after=_told(entry))
    return entry


def _check(entry: NegativeEntry, known_themes: Collection[str]) -> None:
    errors = [FieldError(name, "missing") for name in NEEDED if not getattr(entry, name)]
    if not (entry.agency_id or entry.themes or entry.keywords or entry.items):
        errors.append(FieldError("keywords", "negative_needs_scope"))
    for code in entry.themes:
        if code not in known_themes:
            known = ", ".join(known_themes)
            errors.append(FieldError("themes", "unknown_theme", {"value": code, "known": known}))
    for name in ("keywords", "items"):
        for word in getattr(entry, name):
            if len(folded(word)) < SHORTEST_WORD:
                errors.append(FieldError(name, "negative_word_too_short", {"value": word}))
    if entry.review_on <= entry.valid_from:
        since = entry.valid_from.isoformat()
        errors.append(FieldError("review_on", "review_after_start", {"valid_from": since}))
    if entry.status == EntryStatus.LIFTED.value and not entry.lift_reason:
        errors.append(FieldError("lift_reason", "lifting_needs_reason"))
    if errors:
        raise Invalid(fields=errors)


def _check_keeper(work: Work) -> None:
    if not policy.may_keep(work.actor):
        raise Forbidden("city_admin_only")


def _next_number(work: Work, year: int) -> str:
    """FM-2026-001, and so on."""
    query = select(NegativeEntry.number).where(NegativeEntry.number.like(f"FM-{year}-%"))
    taken = [number.rpartition("-")[2] for number in work.session.execute(query).scalars()]
    return f"FM-{year}-{max((int(n) for n in taken if n.isdecimal()), default=0) + 1:03d}"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(clean_text(str(value)).split())
    if isinstance(value, list):
        return list(dict.fromkeys(_clean(word) for word in value if word.strip()))
    return value


def _told(entry: NegativeEntry) -> dict[str, Any]:
    found = {name: getattr(entry, name) for name in TOLD}
    return {name: v.isoformat() if isinstance(v, date) else v for name, v in found.items()}
