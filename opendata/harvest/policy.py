"""Who may do what with a source: pure predicates."""

from __future__ import annotations

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_publish, may_see_drafts
from opendata.work.actor import Actor, Scope


def may_keep_sources(actor: Actor) -> bool:
    """Add, change and delete sources, and trust them: they make this server ask others, by what it can reach."""
    return actor.sysadmin and actor.agency_only is None and actor.can(Scope.ADMIN)


def may_run(actor: Actor, agency: Agency) -> bool:
    """Ask for runs of the body's sources, decide about them, cancel them."""
    return may_publish(actor, agency)


def may_see(actor: Actor, agency: Agency) -> bool:
    return may_see_drafts(actor, agency)
