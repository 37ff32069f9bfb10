"""What a release still lacks before it can be submitted: the clerk's "what is missing", and the check at submission."""

from __future__ import annotations

from opendata.catalog import sense
from opendata.catalog.codes import codes
from opendata.catalog.profile import DatasetMeta
from opendata.catalog.views import DatasetView
from opendata.core.errors import FieldError
from opendata.inventory.profile import fields as city
from opendata.inventory.profile import queries as profile
from opendata.publishing import policy_record
from opendata.settings import Policy
from opendata.work.unit import Work


def missing(work: Work, view: DatasetView) -> list[FieldError]:
    """Every place that is empty or wrong. A site that publishes directly (CKAN's way) asks for a title only."""
    meta = view.meta
    errors = []
    if not meta.title:
        errors.append(FieldError("title", "missing"))
    errors += sense.check_opening(meta)
    if policy_record.in_force(work) is not Policy.REVIEWED:
        return errors
    errors += sense.check_values(meta, DatasetMeta.model_fields.keys(), free=sense.CKAN_FREE)
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
    fields = profile.city_fields(work)
    return [*errors, *city.judge(meta.city_fields, fields), *city.missing(meta.city_fields, fields)]
