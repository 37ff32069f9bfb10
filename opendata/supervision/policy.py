"""Who watches over the bodies, and who may ask them for something."""

from __future__ import annotations

from collections.abc import Collection

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_see_drafts
from opendata.core.errors import Forbidden
from opendata.work.actor import Actor, Scope, SiteRole
from opendata.work.unit import Work


def may_watch(actor: Actor) -> bool:
    """Read what every body owes: the office in charge, and the evaluators from outside."""
    watchers = (SiteRole.SUPERVISOR, SiteRole.EVALUATOR)
    return actor.can(Scope.READ) and any(actor.holds(role) for role in watchers)


def may_order(actor: Actor) -> bool:
    """Issue orders and settle them. An evaluator only reads."""
    return actor.can(Scope.ADMIN) and actor.holds(SiteRole.SUPERVISOR)


def may_see(actor: Actor, agency: Agency) -> bool:
    """What one body owes: its own people, those above it, and who watches."""
    return may_watch(actor) or may_see_drafts(actor, agency)


def seen_bodies(work: Work) -> Collection[str] | None:
    """Ids of the bodies of which the actor may see what they owe; None for all of them."""
    if may_watch(work.actor):
        return None
    return [body.id for body in agencies.every(work) if may_see_drafts(work.actor, body)]


def check_orders(actor: Actor) -> None:
    """`Forbidden("supervisors_order")`."""
    if not may_order(actor):
        raise Forbidden("supervisors_order")
