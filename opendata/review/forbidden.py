"""What the negative list says about a release: its metadata, its files' columns and the inventory lines that it opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete

from opendata.catalog.models import Release
from opendata.catalog.views import DatasetView
from opendata.core.errors import FieldError
from opendata.core.ids import new_id
from opendata.inventory.models import InventoryLine
from opendata.inventory.negative.matching import Hit, Subject
from opendata.review.models import NegativeHit
from opendata.work.unit import Work

Columns = Mapping[str, Sequence[str]]
"""Names of columns by resource id, as far as files have been read."""


Texts = Sequence[tuple[str, str]]
"""(place, words)"""


def as_errors(found: Iterable[Hit]) -> list[FieldError]:
    """For whoever waits for an answer: the field, the entry, its basis, and the word."""
    return [
        FieldError(
            hit.place,
            "on_negative_list" if hit.word else "on_negative_list_whole",
            {
                "number": hit.entry.number,
                "subject": hit.entry.subject,
                "basis": hit.entry.basis,
                "word": hit.word,
            },
        )
        for hit in found
    ]


def store(work: Work, release: Release, found: Iterable[Hit]) -> None:
    """Replaces what was found in the release's present content before."""
    content_hash = release.content_hash or ""
    work.session.execute(
        delete(NegativeHit).where(
            NegativeHit.release_id == release.id, NegativeHit.content_hash == content_hash
        )
    )
    for hit in found:
        work.session.add(
            NegativeHit(
                id=new_id(),
                release_id=release.id,
                content_hash=content_hash,
                entry_id=hit.entry.id,
                place=hit.place[:300],
                word=hit.word,
                found_at=work.now,
            )
        )


def subject_of(
    view: DatasetView, lines: Sequence[InventoryLine], columns: Columns, more: Texts = ()
) -> Subject:
    """`more`: columns that are in no file."""
    return Subject(
        lineage=view.agency.lineage,
        themes=view.meta.themes,
        texts=[*_texts(view), *(("inventory", line.title) for line in lines)],
        items=[
            *more,
            *_items(view, columns),
            *(("inventory", name) for line in lines for name in _names(line.items)),
        ],
    )


def _texts(view: DatasetView) -> Iterator[tuple[str, str]]:
    yield "name", view.dataset.name
    for field, value in view.meta.stored().items():
        yield from ((field, text) for text in _words(value))
    for position, resource in enumerate(view.resources):
        place = f"resources.{position}"
        for field, value in resource.meta.stored().items():
            if field != "schema":
                yield from ((f"{place}.{field}", text) for text in _words(value))
        if resource.file:
            yield f"{place}.file", resource.file.name


def _items(view: DatasetView, columns: Columns) -> Iterator[tuple[str, str]]:
    for position, resource in enumerate(view.resources):
        schema = resource.meta.table_schema or {}
        fields = schema.get("fields")
        for number, name in enumerate(_names(fields if isinstance(fields, list) else [])):
            yield f"resources.{position}.schema.fields.{number}", name
        for name in columns.get(resource.id, ()):
            yield f"resources.{position}.columns", name


def _names(items: Iterable[Any]) -> Iterator[str]:
    """Names, titles and descriptions of fields or information items."""
    for item in items:
        if isinstance(item, dict):
            yield " ".join(str(item[key]) for key in ("name", "title", "description") if item.get(key))


def _words(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield str(key)
            yield from _words(held)
    elif isinstance(value, list):
        for held in value:
            yield from _words(held)
