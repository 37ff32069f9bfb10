"""What a release still lacks before it can be submitted: the clerk's "what is missing", and the check at submission."""

from __future__ import annotations

from opendata.catalog.codes import codes
from opendata.catalog.views import DatasetView
from opendata.core.errors import FieldError
from opendata.inventory.models import Openness


def missing(view: DatasetView, *, reviewed: bool) -> list[FieldError]:
    """Every place that is empty or wrong. A site that publishes directly (CKAN's way) asks for a title only."""
    meta = view.meta
    errors = []
    if not meta.title:
        errors.append(FieldError("title", "missing"))
    if meta.openness is Openness.CLOSED:
        errors.append(FieldError("openness", "closed_is_not_published"))
    if not reviewed:
        return errors
    if not meta.description:
        errors.append(FieldError("description", "missing"))
    if meta.licence not in codes().licences:
        known = ", ".join(codes().licences)
        errors.append(FieldError("licence", "unknown_licence", {"value": meta.licence, "known": known}))
    if not (view.contact.phone or view.contact.email):
        errors.append(FieldError("contact_email", "contact_missing", {"agency": view.agency.name}))
    if not view.resources:
        errors.append(FieldError("resources", "no_resources"))
    for position, resource in enumerate(view.resources):
        if resource.file is None and not resource.meta.url:
            errors.append(FieldError(f"resources.{position}", "resource_empty"))
    return errors
