"""Name and owner of a dataset: they are its identity and take effect at once, so what reviewers let out keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from opendata.agencies.models import Agency
from opendata.catalog.models import Dataset, Resource
from opendata.core.errors import Conflict, Forbidden, Invalid
from opendata.core.names import check_name
from opendata.publishing import drafts, policy_record
from opendata.settings import Policy
from opendata.work.unit import Work


def rename(work: Work, dataset: Dataset, agency: Agency, name: str) -> None:
    """Another name. `Conflict("name_taken")`; `Conflict("name_is_public")` where reviewers had approved the one it has."""
    drafts.check_editor(work, agency)
    if _is_settled(work, dataset):
        raise Conflict("name_is_public", name=dataset.name)
    if errors := check_name("name", name):
        raise Invalid(fields=errors)
    if work.session.execute(select(Dataset.id).where((Dataset.name == name) | (Dataset.id == name))).first():
        raise Conflict("name_taken", name=name)
    drafts.open_draft(work, dataset, agency)
    work.record("dataset.renamed", "dataset", dataset.id, before=dataset.name, after=name)
    dataset.name = name


def move_to(work: Work, dataset: Dataset, agency: Agency, new: Agency) -> None:
    """Another body takes the dataset over. The actor edits for both. Inventory lines stay with the old one."""
    drafts.check_editor(work, agency)
    drafts.check_editor(work, new)
    if _is_settled(work, dataset):
        raise Conflict("owner_is_public", name=dataset.name)
    drafts.open_draft(work, dataset, agency)
    drafts.set_lines(work, dataset, ())
    work.record("dataset.moved", "dataset", dataset.id, before=agency.name, after=new.name)
    dataset.agency_id = new.id
    work.session.flush()


def keep_origin(
    work: Work,
    dataset: Dataset,
    *,
    created_at: datetime | None,
    created_by: str | None,
    resources: Mapping[str, datetime],
) -> None:
    """When and by whom it was made on the platform that it comes from, and when its resources were (by id). For whoever
    moves a whole platform."""
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")
    dataset.created_at = created_at or dataset.created_at
    dataset.created_by = created_by or dataset.created_by
    of_dataset = select(Resource).where(Resource.dataset_id == dataset.id)
    for resource in work.session.execute(of_dataset).scalars():
        resource.created_at = resources.get(resource.id, resource.created_at)


def _is_settled(work: Work, dataset: Dataset) -> bool:
    """Whether reviewers approved what would be changed, and the public knows it."""
    return dataset.published_id is not None and policy_record.in_force(work) is Policy.REVIEWED
