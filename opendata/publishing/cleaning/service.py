"""From a proposal to a new file of the draft. The file before stays in the inbox store and in the release that shows it."""

from __future__ import annotations

from sqlalchemy import select

from opendata.access import policy as access_policy
from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset
from opendata.core.errors import Conflict, NotFound, Stale, Unauthenticated
from opendata.core.ids import new_id
from opendata.publishing import drafts, files
from opendata.validation import service as validation
from opendata.validation.cleaning.recipe import Recipe
from opendata.validation.cleaning.service import Cleaned
from opendata.validation.models import Cleaning
from opendata.validation.telling.annotating import Wanted
from opendata.work.unit import Work


def wanted(work: Work, resource_id: str, sha256: str = "") -> Wanted:
    """The file that would be cleaned, for those who may edit it: the draft's, or the newest release's.

    `sha256`: the file that the caller has looked at. Errors: `Unauthenticated`, `Forbidden`, `NotFound`;
    `Conflict("nothing_to_clean")` for a link; `Stale("edited_meanwhile")` if it is another file by now."""
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    dataset, agency = _dataset(work, resource_id)
    drafts.check_editor(work, agency)
    release = queries.release(work.session, dataset.draft_id) or queries.releases(work, dataset)[0]
    found = views.resource(work.session, release, resource_id)
    if found is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    if found.file is None:
        raise Conflict("nothing_to_clean")
    if sha256 and found.file.sha256 != sha256:
        raise Stale("edited_meanwhile", current=found.file.sha256)
    schema = validation.schema_of(found.meta, None)
    return Wanted(found.file, found.meta, schema, public=False)


def kept(work: Work, resource_id: str) -> Recipe | None:
    """The recipe by which the resource was cleaned last: for the next delivery."""
    query = select(Cleaning).where(Cleaning.resource_id == resource_id)
    last = work.session.execute(query.order_by(Cleaning.made_at.desc(), Cleaning.id.desc()).limit(1))
    found = last.scalar_one_or_none()
    return Recipe.model_validate(found.recipe) if found is not None else None


def accept(work: Work, resource_id: str, asked: Wanted, made: Cleaned, recipe: Recipe) -> Dataset:
    """The draft has the cleaned file. Errors as of `wanted`: somebody may have been sooner."""
    wanted(work, resource_id, asked.file.sha256)
    dataset, agency = _dataset(work, resource_id)
    files.replace(work, dataset, agency, resource_id, made.stored, made.name, {"options": {}})
    about = {"source_sha256": asked.file.sha256, "sha256": made.stored.sha256, "recipe": recipe.stored()}
    work.session.add(
        Cleaning(id=new_id(), resource_id=resource_id, made_by=work.actor.id, made_at=work.now, **about)
    )
    work.session.flush()
    work.record("resource.cleaned", "resource", resource_id, dataset=dataset.id, **about)
    return dataset


def _dataset(work: Work, resource_id: str) -> tuple[Dataset, Agency]:
    visible = access_policy.visible_filter(work)
    dataset = queries.dataset_of_resource(work, resource_id, visible=visible)
    return dataset, work.session.get_one(Agency, dataset.agency_id)
