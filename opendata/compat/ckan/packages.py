"""A dataset as CKAN's package dictionary (wire details: CKAN 2.12's own answers), and who gets which release of it."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import bindparam, select

from opendata.access import policy
from opendata.agencies.models import Agency
from opendata.catalog import queries, views, vocabularies
from opendata.catalog.codes import codes
from opendata.catalog.models import Dataset, DatasetState, Release
from opendata.catalog.profile import WRITTEN, DatasetMeta, ResourceMeta, disclosure_of
from opendata.catalog.queries import GroupFace, LineRow
from opendata.catalog.views import DatasetView, ResourceView
from opendata.catalog.vocabularies import Known
from opendata.compat.ckan.images import displayed
from opendata.compat.ckan.wire import Call, Ready
from opendata.core.errors import NotFound, Unavailable
from opendata.edge import messages
from opendata.harvest.ckan_words import BOX_EXTRA, FIELD_EXTRAS, LIST_EXTRAS, polygon
from opendata.inventory.models import InventoryLine
from opendata.inventory.profile.fields import plain
from opendata.search import service as search
from opendata.search.documents import Columns, Payload
from opendata.tables.queries import columns_of
from opendata.work.unit import Work

TAGS = uuid.UUID("6f1d0b1e-52a5-5d4c-9d39-6d8ab6f0a7aa")
"""Namespace of tag ids: CKAN gives tags ids, we derive them from the name."""

TAKEN = frozenset({*FIELD_EXTRAS, *LIST_EXTRAS, BOX_EXTRA, "identifier", "publisher_id", "issued"})
"""Names of extras that a field of the city cannot have."""
_HIDDEN_DEFAULTS = {"update_cycle": "irregular", "openness": "unconditional", "domain": "other"}


Coded = LineRow | InventoryLine
"""An inventory line, of which a package tells the code."""
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")


def payload(site_url: str) -> Callable[[Work, Sequence[DatasetView]], Payload]:
    """What search hits carry: the package dictionary as JSON bytes."""

    def for_batch(work: Work, found: Sequence[DatasetView]) -> Payload:
        groups = queries.group_faces(work)
        known = vocabularies.known(work, [view.meta.vocabulary_terms for view in found])
        lines = queries.lines_of(work, [view.id for view in found])

        def render(view: DatasetView, columns: Columns) -> bytes:
            own = derived(view.agency, lines.get(view.id, []), view.dataset.first_published_at)
            return orjson.dumps(package(view, columns, groups, known, site_url, own))

        return render

    return for_batch


_DATASET = Dataset.__table__.c
_FACE = select(
    _DATASET.id, _DATASET.revision, _DATASET.state, _DATASET.published_id, _DATASET.draft_id
).where((_DATASET.id == bindparam("key")) | (_DATASET.name == bindparam("key")))
"""Made once: making a statement costs more than running this one."""


def show(call: Call, id_or_name: str) -> Ready | dict[str, Any]:
    """What the actor sees of a dataset. What is public is ready; without an open draft it is the same for everyone."""
    row = call.work.session.connection().execute(_FACE, {"key": id_or_name}).first()
    if row is None:
        raise NotFound("dataset_not_found", id=id_or_name[:100])
    public = row.state == DatasetState.ACTIVE.value and row.published_id is not None
    if public and (row.draft_id is None or call.work.actor.is_public):
        everyones = row.draft_id is None
        return Ready(_published(call, row.id, row.revision), public=True, everyones=everyones, used=row.id)
    dataset = find(call.work, id_or_name)  # as it was asked for: the error must not tell the id
    if policy.sees_drafts(call.work.actor, dataset, call.work.session.get_one(Agency, dataset.agency_id)):
        return fresh(call, dataset)
    return Ready(_published(call, row.id, row.revision), used=row.id)


def find(work: Work, id_or_name: str) -> Dataset:
    """A dataset that the actor may see in any form. `NotFound`."""
    dataset = queries.dataset(work, id_or_name, visible=policy.visible_filter(work))
    if dataset.state == DatasetState.PURGED.value:
        raise NotFound("dataset_not_found", id=id_or_name[:100])
    return dataset


def fresh(call: Call, dataset: Dataset) -> dict[str, Any]:
    """The dataset as its own people see it: the open draft with its state, else what is published, else the newest."""
    session = call.work.session
    session.flush()
    release = queries.release(session, dataset.draft_id or dataset.published_id)
    if release is None:
        release = queries.releases(call.work, dataset)[0]
    return shown(call, views.one(session, dataset, release))


def shown(call: Call, view: DatasetView, lines: Sequence[InventoryLine] | None = None) -> dict[str, Any]:
    """A view as the dataset's own people see it: of what is not public, also where it stands. `lines`: those that it opens,
    where they are known."""
    if lines is None:
        return shown_all(call, [view])[0]
    public = sorted((line for line in lines if not line.withheld_ground), key=lambda line: line.resource_code)
    return _standing(view, _rendered(call, [view], {view.id: public})[0])


def shown_all(call: Call, found: Sequence[DatasetView]) -> list[dict[str, Any]]:
    return [_standing(view, told) for view, told in zip(found, rendered_all(call, found), strict=True)]


def _standing(view: DatasetView, told: dict[str, Any]) -> dict[str, Any]:
    dataset, release = view.dataset, view.release
    told["private"] = _is_private(dataset, release)
    if release.id == dataset.published_id:
        return told
    sentence = messages.state_text(release.sentence, "en")
    return {**told, "release_state": str(release.state), "release_sentence": sentence}


def rendered(call: Call, view: DatasetView) -> dict[str, Any]:
    return rendered_all(call, [view])[0]


def rendered_all(call: Call, found: Sequence[DatasetView], *, private: bool = False) -> list[dict[str, Any]]:
    """The dictionaries of these views, with what they need besides, in a constant number of statements."""
    return _rendered(call, found, queries.lines_of(call.work, [view.id for view in found]), private=private)


def _rendered(
    call: Call, found: Sequence[DatasetView], lines: Mapping[str, Sequence[Coded]], *, private: bool = False
) -> list[dict[str, Any]]:
    with_files = [view.id for view in found if any(resource.file for resource in view.resources)]
    columns = columns_of(call.work, with_files) if with_files else {}
    groups = call.groups if any(view.meta.groups for view in found) else {}
    known = vocabularies.known(call.work, [view.meta.vocabulary_terms for view in found])
    return [
        package(
            view,
            columns.get(view.id, {}),
            groups,
            known,
            call.site_url,
            derived(view.agency, lines.get(view.id, []), view.dataset.first_published_at),
            private=private,
        )
        for view in found
    ]


def _is_private(dataset: Dataset, release: Release) -> bool:
    """What a client reads back of its own `private`: nothing is public, and nobody asked for it."""
    under_way = release.id == dataset.draft_id and release.submitted_at is not None
    asked = dataset.submit_at is not None or under_way
    return dataset.published_id is None and not asked


def _published(call: Call, dataset_id: str, revision: int) -> bytes:
    """The published package: of the shelf, of the index if that is as new as the database, or rendered now."""
    body = call.shelf.get((dataset_id, revision))
    if body is not None:
        return body
    body = _indexed(call, dataset_id, revision)
    if body is None:
        found = queries.published(call.work, [dataset_id], visible=policy.PUBLIC_FILTER)
        if not found:
            raise NotFound("dataset_not_found", id=dataset_id)
        body = orjson.dumps(rendered(call, found[0]))
    call.shelf.put((dataset_id, revision), body)
    return body


def _indexed(call: Call, dataset_id: str, revision: int) -> bytes | None:
    try:
        hit = search.one(call.parts.index, dataset_id)
    except Unavailable:
        return None
    return hit.payload if hit is not None and hit.revision == revision else None


def package(
    view: DatasetView,
    columns: Columns,
    groups: Mapping[str, GroupFace],
    known: Known,
    site_url: str,
    own: Mapping[str, str],
    *,
    private: bool = False,
) -> dict[str, Any]:
    """The dictionary of one release of a dataset. `columns` tell which resources have rows, `known` are the terms of
    vocabularies that there are, `own` is `derived`."""
    meta, dataset, release = view.meta, view.dataset, view.release
    resources = [
        {**resource(r, site_url, datastore=r.id in columns), "position": place}
        for place, r in enumerate(view.resources)
    ]
    return {
        **_people(meta),
        "creator_user_id": dataset.created_by,
        "id": dataset.id,
        **_licence(meta),
        "metadata_created": stamp(dataset.created_at),
        "metadata_modified": stamp(release.published_at or release.updated_at),
        "name": dataset.name,
        "notes": meta.description or None,
        "num_resources": len(resources),
        "organization": organization(view.agency),
        "owner_org": dataset.agency_id,
        "private": private,
        "state": "deleted" if dataset.state == "deleted" else "active",
        "title": meta.title,
        "type": meta.kind,
        "url": meta.landing_page or None,
        "version": meta.version or None,
        "extras": extras(meta, own),
        "groups": [_group(groups[name], site_url) for name in sorted(meta.groups) if name in groups],
        "resources": resources,
        **_tags(meta, known),
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
        "description": meta.description or None,
        "format": meta.format,
        "hash": file.sha256 if file else str(meta.extras.get("hash", "")),
        "id": view.id,
        "last_modified": stamp(file.uploaded_at) if file else None,
        "metadata_modified": stamp(view.updated_at),
        "mimetype": (file.media_type if file else meta.media_type) or None,
        "mimetype_inner": None,
        "name": meta.name or None,
        "package_id": view.dataset_id,
        "position": view.position,
        "resource_type": meta.extras.get("resource_type"),
        "size": file.size if file else meta.extras.get("size"),
        "state": "active",
        "url": _address(view, site_url),
        "url_type": WRITTEN if view.meta.is_written else "upload" if file else None,
        **_schema(meta),
    }


def _address(view: ResourceView, site_url: str) -> str:
    if view.meta.is_written:
        return f"{site_url}/datastore/dump/{view.id}"
    return download_url(view, site_url) if view.file else _link(view.meta.url)


def _link(url: str) -> str:
    """An address; CKAN takes what has no scheme for one of the web."""
    return url if not url or _SCHEME.match(url) else "http://" + url.lstrip("/")


def download_url(view: ResourceView, site_url: str) -> str:
    """CKAN's address of an upload, which ends in the file's name."""
    name = quote(munged(view.file.name)) if view.file else ""
    return f"{site_url}/dataset/{view.dataset_id}/resource/{view.id}/download/{name}"


def munged(name: str) -> str:
    """A file's name as CKAN has it in addresses: small letters without accents, `-` for blanks, no other signs. Letters that
    have no Latin form stay, where CKAN leaves nothing."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(c))
    return re.sub(
        r"-+", "-", re.sub(r"[^\w.\-]", "", re.sub(r"\s+", "-", unicodedata.normalize("NFC", plain)))
    )


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


def derived_of(work: Work, dataset: Dataset, agency: Agency) -> dict[str, str]:
    lines = queries.lines_of(work, [dataset.id]).get(dataset.id, [])
    return derived(agency, lines, dataset.first_published_at)


def derived(agency: Agency, lines: Sequence[Coded] = (), issued: datetime | None = None) -> dict[str, str]:
    """Extras that tell what the client did not write (china.md 2.4, named as ckanext-dcat names them): they are shown
    unless the client has an extra of that name itself, and are no news when they come back."""
    found = {
        "identifier": lines[0].resource_code if lines else "",
        "publisher_id": agency.uscc or "",
        "issued": stamp(issued) if issued else "",
    }
    return {key: value for key, value in found.items() if value}


def extras(meta: DatasetMeta, own: Mapping[str, str]) -> list[dict[str, str]]:
    """Free keys, derived ones, and fields of ours that CKAN does not know, by key. What a client wrote stands before what
    was filled in."""
    found = {**own, **{key: plain(value) for key, value in meta.city_fields.items()}, **meta.extras}
    if meta.bbox:
        found[BOX_EXTRA] = orjson.dumps(polygon(meta.bbox)).decode()
    for key, field in FIELD_EXTRAS.items():
        value = getattr(meta, field)
        text = value.isoformat() if hasattr(value, "isoformat") else str(value or "")
        if text and _HIDDEN_DEFAULTS.get(field) != text:
            found.setdefault(key, text)
    hidden = {"language": ["zh"], "disclosures": [disclosure_of(meta.domain)]}
    for key, field in LIST_EXTRAS.items():
        values = getattr(meta, field)
        if values and values != hidden.get(field):
            found.setdefault(key, ",".join(values))
    return [{"key": key, "value": found[key]} for key in sorted(found)]


def _tags(meta: DatasetMeta, known: Known) -> dict[str, Any]:
    """Free tags and the terms of vocabularies that there still are, by name."""
    terms = [tag(t.name, t.id, t.vocabulary_id) for t in vocabularies.of(meta.vocabulary_terms, known)]
    found = sorted([*map(tag, meta.keywords), *terms], key=lambda found: found["name"])
    return {"num_tags": len(found), "tags": found}


def tag(name: str, tag_id: str = "", vocabulary_id: str | None = None) -> dict[str, Any]:
    """A tag of a dataset; a free one has its id from its name."""
    return {
        "display_name": name,
        "id": tag_id or str(uuid.uuid5(TAGS, name)),
        "name": name,
        "state": "active",
        "vocabulary_id": vocabulary_id,
    }


def stamp(at: datetime) -> str:
    """CKAN's dates: naive ISO in UTC with microseconds."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _group(group: GroupFace, site_url: str) -> dict[str, Any]:
    return {
        "description": group.description,
        "display_name": group.title or group.name,
        "id": group.id,
        "image_display_url": displayed(group.image_url, site_url),
        "name": group.name,
        "title": group.title,
    }


def _people(meta: DatasetMeta) -> dict[str, str | None]:
    names = ("author", "author_email", "maintainer", "maintainer_email")
    return {name: getattr(meta, name) or None for name in names}


def _licence(meta: DatasetMeta) -> dict[str, Any]:
    licence = codes().licences.get(meta.licence)
    found = {
        "isopen": bool(licence and licence.open),
        "license_id": meta.licence or None,
        "license_title": (licence.title_en if licence else meta.licence) or None,
    }
    return {**found, "license_url": licence.url} if licence and licence.url else found


def _schema(meta: ResourceMeta) -> dict[str, Any]:
    return {"schema": meta.table_schema} if meta.table_schema is not None else {}
