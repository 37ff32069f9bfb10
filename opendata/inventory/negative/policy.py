"""Who keeps the negative list, and who sees its words."""

from __future__ import annotations

from opendata.work.actor import Actor, Scope, SiteRole


def may_keep(actor: Actor) -> bool:
    """Write entries, and lift them: for the whole city, so by nobody's role in one body."""
    return actor.can(Scope.ADMIN) and actor.holds(SiteRole.CITY_ADMIN)


def may_see_words(actor: Actor) -> bool:
    """Keywords and items, by which entries match. The public reads what is forbidden and why; a list of words could itself
    name what is secret."""
    return not actor.is_public and actor.can(Scope.READ)
