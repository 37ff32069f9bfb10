"""Who may do what with a target: pure predicates."""

from __future__ import annotations

from opendata.work.actor import Actor, Scope, SiteRole


def may_keep(actor: Actor) -> bool:
    """Keep targets, ask for pushes and cancel them: they make this server write elsewhere, in the city's name."""
    return actor.sysadmin and actor.agency_only is None and actor.can(Scope.ADMIN)


def may_see(actor: Actor) -> bool:
    """Read targets and the reports of pushes: those who run the site, and the office in charge of openness."""
    return actor.can(Scope.READ) and actor.holds(SiteRole.SUPERVISOR)
