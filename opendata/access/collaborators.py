"""People who work on a single dataset of a body for which they do not work. The body's administrators name them.

They edit or read the draft, and nothing else: who hands it in, withdraws or moves it works for the body, and both reviews are
made by others than its authors, of whom a collaborator who edited is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer
from opendata.catalog.models import Collaborator, Dataset
from opendata.core.errors import Forbidden, NotFound
from opendata.work.actor import Role
from opendata.work.unit import Work

CAPACITIES = (Role.EDITOR, Role.MEMBER)


def of_user(work: Work, user_id: str) -> frozenset[tuple[str, Role]]:
    """(dataset id, capacity) pairs, for the authenticator."""
    query = select(Collaborator.dataset_id, Collaborator.capacity).where(Collaborator.user_id == user_id)
    return frozenset((dataset_id, Role(capacity)) for dataset_id, capacity in work.session.execute(query))


def of_dataset(work: Work, dataset: Dataset) -> Sequence[Collaborator]:
    """The first one named stands first."""
    query = select(Collaborator).where(Collaborator.dataset_id == dataset.id)
    return work.session.execute(query.order_by(Collaborator.granted_at, Collaborator.user_id)).scalars().all()


def datasets_of(work: Work, user: User) -> Sequence[Collaborator]:
    query = select(Collaborator).where(Collaborator.user_id == user.id)
    return work.session.execute(query.order_by(Collaborator.granted_at)).scalars().all()


def put(work: Work, dataset: Dataset, agency: Agency, user: User, capacity: Role) -> Collaborator:
    """The person collaborates in that capacity afterwards. `Forbidden`."""
    _check_admin(work, agency)
    row = Collaborator(dataset_id=dataset.id, user_id=user.id, capacity=capacity.value, granted_at=work.now)
    row = work.session.merge(row)
    _record(work, dataset, user, capacity.value)
    return row


def remove(work: Work, dataset: Dataset, agency: Agency, user: User) -> None:
    """`Forbidden`, `NotFound("collaborator_not_found")`."""
    _check_admin(work, agency)
    row = work.session.get(Collaborator, (dataset.id, user.id))
    if row is None:
        raise NotFound("collaborator_not_found", user=user.name)
    work.session.delete(row)
    _record(work, dataset, user, "")


def _record(work: Work, dataset: Dataset, user: User, capacity: str) -> None:
    """About the account: what its tokens may do is looked up anew after such a line."""
    work.session.flush()
    work.record("account.collaborator_set", "account", user.id, dataset=dataset.id, capacity=capacity)


def _check_admin(work: Work, agency: Agency) -> None:
    if not may_administer(work.actor, agency):
        raise Forbidden("agency_admin_only", agency=agency.name)
