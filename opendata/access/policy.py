"""Visibility: one rule, as an SQL filter for lists and as a predicate for one thing. Every door names it.

Public is a dataset that is active and has a published release. The people of its body (and of the bodies above, by their
inherited roles) and sysadmins also see its open draft. Withdrawn and deleted datasets are seen by the body's people only.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, literal, or_, select, true

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_see_drafts
from opendata.catalog.models import Dataset, DatasetState
from opendata.catalog.views import DatasetView
from opendata.core.errors import Forbidden
from opendata.inventory.models import Openness
from opendata.work.actor import INHERITED_ROLES, Actor, Scope
from opendata.work.unit import Work

_ACTIVE = literal(DatasetState.ACTIVE.value, literal_execute=True)
"""Written into the statement: databases use the indexes of what is public only where they read the condition itself."""
PUBLIC_FILTER: ColumnElement[bool] = and_(Dataset.state == _ACTIVE, Dataset.published_id.is_not(None))
"""What everyone sees. Nothing else is ever indexed, fed, counted or served to the public."""


def is_public(dataset: Dataset) -> bool:
    """The same rule for one dataset."""
    return dataset.state == DatasetState.ACTIVE.value and dataset.published_id is not None


def sees_drafts(actor: Actor, dataset: Dataset, agency: Agency) -> bool:
    """Whether the actor sees the dataset's open draft (and it at all, when it is not public). A purged one nobody sees."""
    purged = dataset.state == DatasetState.PURGED.value
    return not purged and dataset.agency_id == agency.id and may_see_drafts(actor, agency)


def is_data_public(view: DatasetView) -> bool:
    """Whether the bytes and rows of this release are for everybody, once the release itself is."""
    return view.meta.openness is not Openness.CONDITIONAL


def check_data(actor: Actor, view: DatasetView) -> None:
    """`Forbidden("conditional_access")` with the condition. Every door to bytes, rows and reports of cells calls it."""
    if not is_data_public(view) and not sees_drafts(actor, view.dataset, view.agency):
        raise Forbidden("conditional_access", condition=view.meta.open_condition)


def draft_filter(work: Work) -> ColumnElement[bool]:
    """Datasets of the bodies for which the actor works."""
    actor = work.actor
    if not actor.can(Scope.READ):
        return false()
    return and_(Dataset.state != DatasetState.PURGED.value, _bodies(work))


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
    return or_(PUBLIC_FILTER, draft_filter(work))
