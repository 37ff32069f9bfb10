"""Visibility: one rule, as an SQL filter for lists and as a predicate for one thing. Every door names it.

Public is a dataset that is active and has a published release. The people of its body (and of the bodies above, by their
inherited roles) and sysadmins also see its open draft. Withdrawn and deleted datasets are seen by the body's people only.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, false, literal, or_, select, true
from sqlalchemy.orm import aliased

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit, may_see_drafts
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, DatasetState, Release
from opendata.catalog.views import DatasetView
from opendata.core.errors import Forbidden, Unavailable
from opendata.inventory.models import Openness
from opendata.work.actor import INHERITED_ROLES, Actor, Role, Scope
from opendata.work.unit import Work

_ACTIVE = literal(DatasetState.ACTIVE.value, literal_execute=True)
"""Written into the statement: databases use the indexes of what is public only where they read the condition itself."""
PUBLIC_FILTER: ColumnElement[bool] = and_(Dataset.state == _ACTIVE, Dataset.published_id.is_not(None))
"""What everyone sees. Nothing else is ever indexed, fed, counted or served to the public."""

_LATER = aliased(Release)
PUBLIC_RELEASE: ColumnElement[bool] = and_(
    Release.state.in_((State.PUBLISHED.value, State.SUPERSEDED.value)),
    ~exists().where(
        _LATER.dataset_id == Release.dataset_id,
        _LATER.number > Release.number,
        _LATER.state == State.WITHDRAWN.value,
    ),
)
"""Of a public dataset's releases, those that everyone sees: what stood before a withdrawal stays withdrawn."""


def is_public(dataset: Dataset) -> bool:
    """The same rule for one dataset."""
    return dataset.state == DatasetState.ACTIVE.value and dataset.published_id is not None


def sees_drafts(actor: Actor, dataset: Dataset, agency: Agency) -> bool:
    """Whether the actor sees the dataset's open draft (and it at all, when it is not public). A purged one nobody sees."""
    if dataset.state == DatasetState.PURGED.value or dataset.agency_id != agency.id:
        return False
    collaborates = actor.can(Scope.READ) and actor.collaborates(dataset.id, Role.EDITOR, Role.MEMBER)
    return may_see_drafts(actor, agency) or collaborates


def may_edit_draft(actor: Actor, dataset: Dataset, agency: Agency) -> bool:
    """Whether the actor edits the dataset's draft and its files: for the body, or as a collaborator on this one dataset."""
    collaborates = actor.can(Scope.WRITE) and actor.collaborates(dataset.id, Role.EDITOR)
    return may_edit(actor, agency) or collaborates


def is_data_public(view: DatasetView) -> bool:
    """Whether the bytes and rows of this release are for everybody, once the release itself is."""
    return view.meta.openness is not Openness.CONDITIONAL


def check_data(actor: Actor, view: DatasetView) -> None:
    """`Forbidden("conditional_access")` with the condition; `Unavailable("rows_being_removed")` while a row order waits to be
    applied. Every door to bytes, rows and reports of cells calls it."""
    check_held(view)
    if not is_data_public(view) and not sees_drafts(actor, view.dataset, view.agency):
        raise Forbidden("conditional_access", condition=view.meta.open_condition)


def check_held(view: DatasetView) -> None:
    """`Unavailable("rows_being_removed")` from the moment a row order is placed until it has been applied."""
    if any(resource.file is not None and resource.file.held for resource in view.resources):
        raise Unavailable("rows_being_removed", retry_after=2)


def draft_filter(work: Work) -> ColumnElement[bool]:
    """Datasets of the bodies for which the actor works."""
    actor = work.actor
    if not actor.can(Scope.READ):
        return false()
    return and_(Dataset.state != DatasetState.PURGED.value, _bodies(work))


def seen_drafts_filter(work: Work) -> ColumnElement[bool]:
    """The same, and single datasets on which the actor collaborates: those of which they see the open draft."""
    mine, actor = draft_filter(work), work.actor
    if not actor.datasets or not actor.can(Scope.READ) or actor.agency_only is not None:
        return mine
    shared = Dataset.id.in_([dataset_id for dataset_id, _role in actor.datasets])
    return or_(mine, and_(Dataset.state != DatasetState.PURGED.value, shared))


def _bodies(work: Work) -> ColumnElement[bool]:
    actor = work.actor
    if actor.sysadmin:
        return true()
    inherited = {agency for agency, role in actor.roles if role in INHERITED_ROLES}
    mine = {agency for agency, _role in actor.roles}
    if not mine:
        return false()
    if not inherited and actor.agency_only is None:
        return Dataset.agency_id.in_(mine)
    agencies = work.session.execute(select(Agency)).scalars()
    return Dataset.agency_id.in_([a.id for a in agencies if may_see_drafts(actor, a)])


def visible_filter(work: Work) -> ColumnElement[bool]:
    """What the actor sees in any form: what is public, and the own drafts."""
    if work.actor.is_public:
        return PUBLIC_FILTER
    return or_(PUBLIC_FILTER, seen_drafts_filter(work))
