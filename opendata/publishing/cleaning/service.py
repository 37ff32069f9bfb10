"""From a proposal to a new file of the draft. The file before stays in the inbox store and in the release that shows it."""

from __future__ import annotations

from sqlalchemy import select

from opendata.access import service as access
from opendata.core.errors import Conflict, Stale, Unauthenticated
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
    found = access.edited(work, resource_id)
    drafts.check_editor(work, found.view.agency)
    if found.resource.file is None:
        raise Conflict("nothing_to_clean")
    file, meta = access.data_file(work, found), found.resource.meta
    if sha256 and file.sha256 != sha256:
        raise Stale("edited_meanwhile", current=file.sha256)
    return Wanted(file, meta, validation.schema_of(work.session, meta, None), public=False)


def kept(work: Work, resource_id: str) -> Recipe | None:
    """The recipe by which the resource was cleaned last: for the next delivery."""
    query = select(Cleaning).where(Cleaning.resource_id == resource_id)
    last = work.session.execute(query.order_by(Cleaning.made_at.desc(), Cleaning.id.desc()).limit(1))
    found = last.scalar_one_or_none()
    return Recipe.model_validate(found.recipe) if found is not None else None


def accept(work: Work, resource_id: str, asked: Wanted, made: Cleaned, recipe: Recipe) -> None:
    """The draft has the cleaned file. Errors as of `wanted`: somebody may have been sooner."""
    wanted(work, resource_id, asked.file.sha256)
    view = access.edited(work, resource_id).view
    files.replace(work, view.dataset, view.agency, resource_id, made.stored, made.name, {"options": {}})
    about = {"source_sha256": asked.file.sha256, "sha256": made.stored.sha256, "recipe": recipe.stored()}
    work.session.add(
        Cleaning(id=new_id(), resource_id=resource_id, made_by=work.actor.id, made_at=work.now, **about)
    )
    work.session.flush()
    work.record("resource.cleaned", "resource", resource_id, dataset=view.dataset.id, **about)
