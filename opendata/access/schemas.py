"""API shapes of datasets, releases and resources as their readers get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from opendata.access.service import Seen, SeenResource
from opendata.agencies.models import Agency
from opendata.catalog.models import Release
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.catalog.queries import LineRow
from opendata.catalog.roworders.queries import RowNotice
from opendata.catalog.views import DatasetView, ResourceView
from opendata.edge import messages


class AgencyRef(BaseModel):
    id: str
    name: str
    title: str
    title_en: str


class FileOut(BaseModel):
    name: str
    size: int
    sha256: str
    media_type: str


class ResourceOut(ResourceMeta):
    id: str
    dataset: str = Field(description="The dataset's id")
    file: FileOut | None
    download: str = Field(description="The stable address of its bytes")
    updated_at: datetime


class ReleaseRef(BaseModel):
    id: str
    number: int
    state: str
    content_hash: str | None
    submitted_at: datetime | None
    published_at: datetime | None
    ended_at: datetime | None


class LineRef(BaseModel):
    id: str
    resource_code: str


class DraftOut(DatasetMeta):
    release: ReleaseRef
    release_state: str
    sentence: str = Field(description="Where it stands, in the caller's language")
    defaulted: list[str] = Field(description="Fields that were filled in and that nobody has written yet")
    resources: list[ResourceOut]


class RowNoticeOut(BaseModel):
    """Rows that went by an order; which they were, nobody is told."""

    number: str
    kind: str
    ground: str
    placed_at: datetime
    rows: int


class DatasetOut(DatasetMeta):
    id: str
    name: str
    agency: AgencyRef
    source_id: str | None
    state: str
    release: ReleaseRef
    created_at: datetime
    first_published_at: datetime | None
    modified_at: datetime
    inventory: list[LineRef] = Field(description="The inventory lines that it opens, by resource code")
    row_orders: list[RowNoticeOut] = Field(description="Orders that took rows out of what is public now")
    resources: list[ResourceOut]
    draft: DraftOut | None = Field(None, description="For those who work for the body only")
    withdraw_reason: str | None = Field(None, description="For those who work for the body only")


class DatasetPage(BaseModel):
    total: int
    results: list[DatasetOut]


def dataset_out(
    view: DatasetView, lines: Sequence[LineRow], orders: Sequence[RowNotice] = ()
) -> dict[str, Any]:
    """The dataset as one release shows it, with the inventory lines that it opens, for `DatasetOut`."""
    dataset, release = view.dataset, view.release
    return {
        "id": dataset.id,
        "name": dataset.name,
        "agency": agency_ref(view.agency),
        "source_id": dataset.source_id,
        "state": dataset.state,
        "release": release_ref(release),
        "created_at": dataset.created_at,
        "first_published_at": dataset.first_published_at,
        "modified_at": release.published_at or release.updated_at,
        **view.meta.model_dump(mode="json"),
        "inventory": [{"id": line.id, "resource_code": line.resource_code} for line in lines],
        "row_orders": [asdict(order) for order in orders],
        "resources": [resource_out(r) for r in view.resources],
    }


def release_out(
    view: DatasetView, lines: Sequence[LineRow], orders: Sequence[RowNotice] = ()
) -> dict[str, Any]:
    """The dataset as one release shows it, with the addresses that always give that release's bytes."""
    body = dataset_out(view, lines, orders)
    for resource in body["resources"]:
        resource["download"] = release_download(resource["id"], view.release)
    return body


def release_download(resource_id: str, release: Release) -> str:
    return f"/api/v1/resources/{resource_id}/releases/{release.number}/download"


def seen_out(
    seen: Seen, lines: Sequence[LineRow], language: str, orders: Sequence[RowNotice] = ()
) -> dict[str, Any]:
    """What is public; for those who work for the body also the open draft."""
    body = dataset_out(seen.shown, lines, orders)
    if seen.sees_drafts:
        body["withdraw_reason"] = seen.dataset.withdraw_reason
        body["draft"] = draft_out(seen.draft, language) if seen.draft else None
    return body


def draft_out(view: DatasetView, language: str) -> dict[str, Any]:
    release = view.release
    return {
        "release": release_ref(release),
        "release_state": release.state,
        "sentence": messages.state_text(release.sentence, language),
        "defaulted": release.defaulted,
        **view.meta.model_dump(mode="json"),
        "resources": [resource_out(r) for r in view.resources],
    }


def resource_out(resource: ResourceView) -> dict[str, Any]:
    file = resource.file
    return {
        "id": resource.id,
        "dataset": resource.dataset_id,
        "file": {"name": file.name, "size": file.size, "sha256": file.sha256, "media_type": file.media_type}
        if file
        else None,
        "download": f"/api/v1/resources/{resource.id}/download",
        "updated_at": resource.updated_at,
        **resource.meta.model_dump(mode="json", by_alias=True),
    }


def seen_resource_out(found: SeenResource) -> dict[str, Any]:
    body = resource_out(found.resource) | {"release": release_ref(found.view.release)}
    if found.seen.sees_drafts and found.seen.draft is not None:
        own = [r for r in found.seen.draft.resources if r.id == found.resource.id]
        body["draft"] = resource_out(own[0]) if own else None
    return body


def release_ref(release: Release) -> dict[str, Any]:
    return {field: getattr(release, field) for field in ReleaseRef.model_fields}


def agency_ref(agency: Agency) -> Mapping[str, str]:
    return {field: getattr(agency, field) for field in AgencyRef.model_fields}
