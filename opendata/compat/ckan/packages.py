"""A dataset as CKAN's package dictionary (wire details: CKAN 2.12's own answers)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.codes import codes
from opendata.catalog.models import Group
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.catalog.views import DatasetView, ResourceView
from opendata.search.documents import Columns, Payload
from opendata.work.unit import Work

TAGS = uuid.UUID("6f1d0b1e-52a5-5d4c-9d39-6d8ab6f0a7aa")
"""Namespace of tag ids: CKAN gives tags ids, we derive them from the name."""

FIELD_EXTRAS = {
    "title_en": "title_en",
    "notes_en": "description_en",
    "frequency": "update_cycle",
    "access_rights": "openness",
    "open_condition": "open_condition",
    "priority_domain": "domain",
    "region_code": "region",
    "temporal_start": "temporal_start",
    "temporal_end": "temporal_end",
    "contact_name": "contact_name",
    "contact_phone": "contact_phone",
    "contact_email": "contact_email",
}
"""CKAN extras that carry fields of ours (china.md 2.4), both ways. Defaults are not written out."""
_LISTS = {"themes": "themes", "language": "language"}
_HIDDEN_DEFAULTS = {"update_cycle": "irregular", "openness": "unconditional", "domain": "other"}


def payload(site_url: str) -> Callable[[Work], Payload]:
    """What search hits carry: the package dictionary as JSON bytes."""

    def for_batch(work: Work) -> Payload:
        groups = {group.name: group for group in queries.groups(work)}

        def render(view: DatasetView, columns: Columns) -> bytes:
            return orjson.dumps(package(view, columns, groups, site_url))

        return render

    return for_batch


def package(
    view: DatasetView, columns: Columns, groups: Mapping[str, Group], site_url: str, *, private: bool = False
) -> dict[str, Any]:
    """The dictionary of one release of a dataset. `columns` tell which resources have rows."""
    meta, dataset, release = view.meta, view.dataset, view.release
    licence = codes().licences.get(meta.licence)
    resources = [resource(r, site_url, datastore=r.id in columns) for r in view.resources]
    return {
        "author": meta.author,
        "author_email": meta.author_email,
        "creator_user_id": dataset.created_by,
        "id": dataset.id,
        "isopen": bool(licence and licence.open),
        "license_id": meta.licence,
        "license_title": (licence.title_en if licence else meta.licence),
        **({"license_url": licence.url} if licence and licence.url else {}),
        "maintainer": meta.maintainer,
        "maintainer_email": meta.maintainer_email,
        "metadata_created": stamp(dataset.created_at),
        "metadata_modified": stamp(release.published_at or release.updated_at),
        "name": dataset.name,
        "notes": meta.description,
        "num_resources": len(resources),
        "num_tags": len(meta.keywords),
        "organization": organization(view.agency),
        "owner_org": dataset.agency_id,
        "private": private,
        "state": "deleted" if dataset.state == "deleted" else "active",
        "title": meta.title,
        "type": meta.kind,
        "url": meta.landing_page,
        "version": meta.version,
        "extras": extras(meta),
        "groups": [_group(groups[name]) for name in sorted(meta.groups) if name in groups],
        "resources": resources,
        "tags": [tag(name) for name in sorted(meta.keywords)],
        "relationships_as_object": [],
        "relationships_as_subject": [],
    }


def resource(view: ResourceView, site_url: str, *, datastore: bool) -> dict[str, Any]:
    """A resource dictionary; a client's own keys first, so that none of them hides one of ours."""
    meta, file = view.meta, view.file
    return {
        **meta.extras,
        "cache_last_updated": None,
        "cache_url": None,
        "created": stamp(view.created_at),
        "datastore_active": datastore,
        "description": meta.description,
        "format": meta.format,
        "hash": file.sha256 if file else str(meta.extras.get("hash", "")),
        "id": view.id,
        "last_modified": stamp(file.uploaded_at) if file else None,
        "metadata_modified": stamp(view.updated_at),
        "mimetype": (file.media_type if file else meta.media_type) or None,
        "mimetype_inner": None,
        "name": meta.name,
        "package_id": view.dataset_id,
        "position": view.position,
        "resource_type": None,
        "size": file.size if file else meta.extras.get("size"),
        "state": "active",
        "url": download_url(view, site_url) if file else meta.url,
        "url_type": "upload" if file else None,
        **_schema(meta),
    }


def download_url(view: ResourceView, site_url: str) -> str:
    """CKAN's address of an upload, which ends in the file's name."""
    name = quote(view.file.name.replace(" ", "-").lower()) if view.file else ""
    return f"{site_url}/dataset/{view.dataset_id}/resource/{view.id}/download/{name}"


def organization(agency: Agency) -> dict[str, Any]:
    """The short form that packages carry."""
    return {
        "id": agency.id,
        "name": agency.name,
        "title": agency.title,
        "type": "organization",
        "description": agency.description,
        "image_url": agency.image_url,
        "created": stamp(agency.created_at),
        "is_organization": True,
        "approval_status": "approved",
        "state": "active" if agency.active else "deleted",
    }


def extras(meta: DatasetMeta) -> list[dict[str, str]]:
    """Free keys, and fields of ours that CKAN does not know, by key."""
    found = dict(meta.extras)
    for key, field in FIELD_EXTRAS.items():
        value = getattr(meta, field)
        text = value.isoformat() if hasattr(value, "isoformat") else str(value or "")
        if text and _HIDDEN_DEFAULTS.get(field) != text:
            found[key] = text
    for key, field in _LISTS.items():
        values = getattr(meta, field)
        if values and values != ["zh"]:
            found[key] = ",".join(values)
    return [{"key": key, "value": found[key]} for key in sorted(found)]


def tag(name: str) -> dict[str, Any]:
    return {
        "display_name": name,
        "id": str(uuid.uuid5(TAGS, name)),
        "name": name,
        "state": "active",
        "vocabulary_id": None,
    }


def stamp(at: datetime) -> str:
    """CKAN's dates: naive ISO in UTC with microseconds."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _group(group: Group) -> dict[str, Any]:
    return {
        "description": group.description,
        "display_name": group.title or group.name,
        "id": group.id,
        "image_display_url": group.image_url,
        "name": group.name,
        "title": group.title,
    }


def _schema(meta: ResourceMeta) -> dict[str, Any]:
    return {"schema": meta.table_schema} if meta.table_schema is not None else {}
