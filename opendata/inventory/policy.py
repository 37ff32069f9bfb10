"""Who sees which lines. What exists is public, also what is not open; only a line that is withheld on a recorded ground
is seen by nobody but the people of its body."""

from __future__ import annotations

from sqlalchemy import ColumnElement, literal, or_, select, true

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review, may_see_drafts
from opendata.inventory.models import InventoryLine
from opendata.work.actor import Actor, Role, Scope
from opendata.work.unit import Work

_NONE = literal("", literal_execute=True)
"""Written into the statement: databases use the indexes of public lines only where they read the condition itself."""
PUBLIC_LINES: ColumnElement[bool] = InventoryLine.withheld_ground == _NONE
"""What everyone sees. Every list, count, export and feed of lines names this or `visible_lines`."""


def visible_lines(work: Work) -> ColumnElement[bool]:
    """What the actor sees: the public lines, and the withheld ones of the bodies they work for."""
    actor = work.actor
    if actor.sysadmin and actor.can(Scope.READ):
        return true()
    if not actor.roles or not actor.can(Scope.READ):
        return PUBLIC_LINES
    bodies = work.session.execute(select(Agency)).scalars()
    mine = [body.id for body in bodies if may_see_drafts(actor, body)]
    return or_(PUBLIC_LINES, InventoryLine.agency_id.in_(mine))


def sees(actor: Actor, line: InventoryLine, agency: Agency) -> bool:
    """The same rule for one line."""
    return not line.withheld_ground or may_see_drafts(actor, agency)


def may_withhold(actor: Actor, agency: Agency) -> bool:
    """That a line must not even be known to exist is the secrecy reviewers' to say, nobody else's."""
    return may_review(actor, agency, Role.SECRECY_REVIEWER)
