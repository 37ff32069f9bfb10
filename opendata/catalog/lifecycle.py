"""The states of a release and the moves between them: one pure table. Nothing else assigns `release.state`.

draft → submitted → checking (screen, validate) → in_review → approved → (scheduled) → published → superseded | withdrawn;
`returned` goes back to the author with reasons; `failed` waits for the operator. A release that is under way goes back to
`draft` when it is edited, and its approvals are void. `discarded` is a draft that its body gave up after somebody had
decided on it: the decisions stay, and so does what they were about.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from opendata.core.errors import Conflict

if TYPE_CHECKING:
    from opendata.catalog.models import Release


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    FAILED = "failed"
    DISCARDED = "discarded"


MOVES: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED, State.DISCARDED}),
    State.SUBMITTED: frozenset({State.CHECKING, State.DRAFT, State.FAILED}),
    State.CHECKING: frozenset({State.IN_REVIEW, State.APPROVED, State.RETURNED, State.DRAFT, State.FAILED}),
    State.IN_REVIEW: frozenset({State.APPROVED, State.RETURNED, State.DRAFT}),
    State.APPROVED: frozenset({State.SCHEDULED, State.PUBLISHED, State.RETURNED, State.DRAFT, State.FAILED}),
    State.SCHEDULED: frozenset({State.APPROVED, State.PUBLISHED, State.DRAFT, State.FAILED}),
    State.PUBLISHED: frozenset({State.SUPERSEDED, State.WITHDRAWN}),
    State.RETURNED: frozenset({State.DRAFT, State.SUBMITTED, State.DISCARDED}),
    State.FAILED: frozenset({State.SUBMITTED, State.CHECKING, State.APPROVED, State.DRAFT}),
    State.SUPERSEDED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.DISCARDED: frozenset(),
}

OPEN_STATES = frozenset(
    {State.DRAFT, State.SUBMITTED, State.CHECKING, State.IN_REVIEW, State.APPROVED, State.SCHEDULED, State.RETURNED, State.FAILED}
)  # fmt: skip
"""States of an open draft: not published yet, and not over."""

EDITABLE_STATES = frozenset({State.DRAFT, State.RETURNED})
"""An edit changes the release in place; in other open states it first goes back to `draft`."""


def can_move(old: State, new: State) -> bool:
    return new in MOVES[old]


def move(release: Release, new: State) -> None:
    """Moves a release. Raises `Conflict("move_not_allowed")` if the table does not hold the move."""
    old = State(release.state)
    if not can_move(old, new):
        raise Conflict("move_not_allowed", old=old.value, new=new.value)
    release.state = new
