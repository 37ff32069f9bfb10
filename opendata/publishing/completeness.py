"""What a release still lacks before it can be submitted: the clerk's "what is missing", and the check at submission."""

from __future__ import annotations

from opendata.catalog import sense
from opendata.catalog.codes import codes
from opendata.catalog.profile import DatasetMeta
from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.errors import FieldError
from opendata.inventory.profile import fields as city
from opendata.inventory.profile import queries as profile
from opendata.publishing import policy_record
from opendata.settings import Policy
from opendata.tables.rows import queries as row_queries
from opendata.validation import service as validation
from opendata.work.unit import Work


def missing(work: Work, view: DatasetView) -> list[FieldError]:
    """Every place that is empty or wrong, and every file that was found not to be the table it says it is; one that nobody
    has read yet is judged after the submission. A site that publishes directly (CKAN's way) asks for a title only."""
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
    if not meta.disclosures:
        errors.append(FieldError("disclosures", "missing"))
    if not (view.contact.phone or view.contact.email):
        errors.append(FieldError("contact_email", "contact_missing", {"agency": view.agency.name}))
    if not view.resources:
        errors.append(FieldError("resources", "no_resources"))
    for position, resource in enumerate(view.resources):
        errors += _of_resource(work, resource, f"resources.{position}")
    places = {resource.id: f"resources.{position}" for position, resource in enumerate(view.resources)}
    errors += row_queries.unfrozen(work, view.release, places)
    fields = profile.city_fields(work)
    return [*errors, *city.judge(meta.city_fields, fields), *city.missing(meta.city_fields, fields)]


def _of_resource(work: Work, resource: ResourceView, place: str) -> list[FieldError]:
    if resource.file is None:
        return [] if resource.meta.url else [FieldError(place, "resource_empty")]
    verdict = validation.known_now(work.session, resource.file, resource.meta)
    found = validation.obstacle(verdict, f"{place}.file")
    return [found] if found else []
