"""The content of a release, as one JSON document whose hash reviewers approve and the public gets."""

from __future__ import annotations

from typing import Any

from opendata.catalog.profile import PROFILE_VERSION
from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.canonical import sha256_json


def document(view: DatasetView) -> dict[str, Any]:
    """Metadata, the resources in order with their file hashes or link addresses and their schemas, the profile's version."""
    return {
        "profile": PROFILE_VERSION,
        "dataset": view.dataset.id,
        "name": view.dataset.name,
        "agency": view.agency.id,
        "metadata": view.meta.stored(),
        "resources": [_resource(resource) for resource in view.resources],
    }


def content_hash(view: DatasetView) -> str:
    """SHA-256 in hex over the canonical JSON (RFC 8785) of the document."""
    return sha256_json(document(view))


def _resource(resource: ResourceView) -> dict[str, Any]:
    content: dict[str, Any] = {"id": resource.id, "metadata": resource.meta.stored()}
    if resource.file:
        content["file"] = {"sha256": resource.file.sha256, "name": resource.file.name}
    return content
