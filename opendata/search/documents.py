"""From a published dataset to its index document: public facts only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from opendata.catalog import vocabularies
from opendata.catalog.codes import codes
from opendata.catalog.profile import DatasetMeta
from opendata.catalog.views import DatasetView
from opendata.catalog.vocabularies import Known, Term
from opendata.inventory.profile.fields import plain
from opendata.ports.search_index.port import Document
from opendata.search.analysis import index_tokens

Columns = Mapping[str, list[dict[str, Any]]]
"""Columns of the loaded tables, by resource id: [{name, type, title?}]."""

Payload = Callable[[DatasetView, Columns], bytes]
"""Makes what a hit gives back; `wiring` passes in the CKAN dictionary, which most clients ask for."""


def document(view: DatasetView, columns: Columns, payload: Payload, known: Known) -> Document:
    """The document of the dataset's published release. `known`: the terms of vocabularies that there are."""
    terms = vocabularies.of(view.meta.vocabulary_terms, known)
    return Document(
        id=view.id,
        revision=view.dataset.revision,
        texts={field: index_tokens(text) for field, text in _texts(view, columns, terms).items()},
        keywords=_keywords(view, columns, terms),
        dates=_dates(view),
        numbers={"resources_count": len(view.resources)},
        sorts={"title_sort": view.meta.title.lower()[:200], "name_sort": view.dataset.name},
        payload=payload(view, columns),
    )


def _texts(view: DatasetView, columns: Columns, terms: Sequence[Term]) -> dict[str, str]:
    meta = view.meta
    themes = [codes().themes[code] for code in meta.themes if code in codes().themes]
    return {
        "title": _join([meta.title, meta.title_en]),
        "keywords": _join(
            [*meta.keywords, *(term.name for term in terms), *(f"{t.title} {t.title_en}" for t in themes)]
        ),
        "name": view.dataset.name,
        "agency_title": _join([view.agency.title, view.agency.title_en]),
        "columns": _join(f"{c['name']} {c.get('title', '')}" for cs in columns.values() for c in cs),
        "description": _join([meta.description, meta.description_en]),
        "resources": _join(
            f"{r.meta.name} {r.meta.name_en} {r.meta.description} {r.meta.description_en} {r.file.name if r.file else _file_name(r.meta.url)}"
            for r in view.resources
        ),
        "extra": _join([meta.author, meta.maintainer, *_city(meta).values(), *meta.extras.values()]),
    }


def _keywords(view: DatasetView, columns: Columns, terms: Sequence[Term]) -> dict[str, list[str]]:
    meta, dataset = view.meta, view.dataset
    values = {
        "id": [view.id],
        "dataset_name": [dataset.name],
        "agency": [view.agency.name],
        "agency_id": [view.agency.id],
        "themes": meta.themes,
        "domain": [meta.domain.value],
        "disclosures": [disclosure.value for disclosure in meta.disclosures],
        "formats": sorted({r.meta.format.upper() for r in view.resources if r.meta.format}),
        "licence": [meta.licence],
        "openness": [meta.openness.value],
        "update_cycle": [meta.update_cycle.value],
        "region": [meta.region],
        "groups": meta.groups,
        "tags": meta.keywords,
        "source_id": [dataset.source_id or ""],
        "author": [meta.author],
        "maintainer": [meta.maintainer],
        "kind": [meta.kind],
        "has_rows": ["true" if columns else "false"],
        "resource_ids": [r.id for r in view.resources],
        "city_fields": _pairs(_city(meta)),
        "terms": [f"{term.vocabulary}={term.name}" for term in terms],
        "extras": _pairs({**_fields(view), **_city(meta), **meta.extras}),
    }
    return {field: [v for v in found if v] for field, found in values.items()}


def _fields(view: DatasetView) -> dict[str, str]:
    """Fields of CKAN that are asked for by their whole value and have no field of their own in the index."""
    meta = view.meta
    found = {
        "version": meta.version,
        "url": meta.landing_page,
        "author_email": meta.author_email,
        "maintainer_email": meta.maintainer_email,
        "creator_user_id": view.dataset.created_by or "",
    }
    return {name: value for name, value in found.items() if value}


def _file_name(url: str) -> str:
    """The end of a link's path."""
    return url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]


def _city(meta: DatasetMeta) -> dict[str, str]:
    return {name: plain(value) for name, value in meta.city_fields.items()}


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}"[:1000] for key, value in values.items()]


def _dates(view: DatasetView) -> dict[str, datetime]:
    dataset, release = view.dataset, view.release
    modified = release.published_at or release.updated_at
    return {
        "created": dataset.created_at,
        "modified": modified,
        "issued": dataset.first_published_at or modified,
    }


def _join(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)
