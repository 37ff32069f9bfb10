"""A dataset as a line of NDJSON (and a row of Parquet), and as a line of CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from opendata.access.policy import is_data_public
from opendata.catalog.codes import codes, vocabulary
from opendata.catalog.views import DatasetView, ResourceView
from opendata.feeds.dumps.columns import COLUMNS
from opendata.feeds.graph import clean, stamp, web_address
from opendata.feeds.mapping import modified
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site


def line(record: Record, site: Site) -> dict[str, Any]:
    view, meta = record.view, record.view.meta
    licence, contact = codes().licences.get(meta.licence), record.view.contact
    told: dict[str, Any] = {
        "id": view.id,
        "name": view.dataset.name,
        "uri": site.dataset(view.id),
        "publisher": view.agency.name,
        "publisher_title": view.agency.title,
        "publisher_code": view.agency.uscc,
        "domain": meta.domain.value,
        "licence_url": ((licence.url or licence.eu_uri) if licence else web_address(meta.licence)) or None,
        "openness": meta.openness.value,
        "update_cycle": meta.update_cycle.value,
        "region": meta.region or view.agency.region_code,
        "issued": view.dataset.first_published_at or modified(view),
        "modified": modified(view),
        "release": view.release.number,
        "contact_name": contact.name,
        "contact_phone": contact.phone,
        "contact_email": contact.email,
        "page": site.page("zh", view.dataset.name),
        "resource_codes": record.codes,
        "keywords": record.words,
    }
    found = {name: _plain(told[name] if name in told else getattr(meta, name)) for name in COLUMNS}
    return found | {"distributions": [_distribution(record, resource, site) for resource in view.resources]}


def row(line: Mapping[str, Any]) -> list[object]:
    """The same for a spreadsheet: lists in one cell, of the files their formats and addresses."""
    formats = dict.fromkeys(d["format"] for d in line["distributions"] if d["format"])
    addresses = [d["download_url"] or d["access_url"] for d in line["distributions"]]
    cells = [_cell(line[name]) for name in COLUMNS]
    return [*cells, "; ".join(formats), " ".join(filter(None, addresses))]


def _distribution(record: Record, resource: ResourceView, site: Site) -> dict[str, Any]:
    meta, file, words = resource.meta, resource.file, vocabulary()
    open_to_all = is_data_public(record.view)
    download = site.download(resource.id) if file and open_to_all else None
    claimed = file.media_type if file else meta.media_type
    found = {
        "id": resource.id,
        "name": meta.name,
        "format": meta.format,
        "media_type": words.media_type(claimed, words.file_type(meta.format)),
        "access_url": download or _elsewhere(record.view, resource, site),
        "download_url": download,
        "byte_size": file.size if file else None,
        "sha256": file.sha256 if file and open_to_all else None,
        "rows": record.rows.get(resource.id) if open_to_all else None,
    }
    return {name: _plain(value) for name, value in found.items()}


def _elsewhere(view: DatasetView, resource: ResourceView, site: Site) -> str | None:
    """The link; the dataset's page where one has to apply first."""
    return web_address(resource.meta.url) if is_data_public(view) else site.page("zh", view.dataset.name)


def _plain(value: Any) -> Any:
    """As JSON has it; no character that other formats cannot hold; None for an empty text."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return clean(str(value)) or None
    if isinstance(value, Sequence):
        return [clean(str(part)) for part in value]
    return value


def _cell(value: Any) -> object:
    return "; ".join(value) if isinstance(value, list) else value
