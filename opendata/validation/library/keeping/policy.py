"""Who writes table schemas for the whole city, and who decides on them."""

from __future__ import annotations

from opendata.catalog.library.models import SchemaVersion
from opendata.core.errors import Forbidden
from opendata.inventory.negative.policy import may_keep
from opendata.work.actor import Actor, Role, Scope, SiteRole


def check_writer(actor: Actor) -> None:
    """The city's administrators write, withdraw and discard. `Forbidden("city_admin_only")`."""
    if not may_keep(actor):
        raise Forbidden("city_admin_only")


def decides(actor: Actor) -> bool:
    """Those who decide: administrators of the city, and whoever reviews contents for a body. A sysadmin is no reviewer by
    that alone."""
    reviews = any(role is Role.CONTENT_REVIEWER for _agency, role in actor.roles)
    return (
        actor.can(Scope.REVIEW)
        and actor.agency_only is None
        and (reviews or SiteRole.CITY_ADMIN in actor.site_roles)
    )


def may_read(actor: Actor) -> bool:
    """Drafts: for those who write, and those who decide."""
    return actor.can(Scope.READ) and (
        actor.holds(SiteRole.CITY_ADMIN)
        or (actor.agency_only is None and any(role is Role.CONTENT_REVIEWER for _agency, role in actor.roles))
    )


def check_reader(actor: Actor) -> None:
    """`Forbidden("schema_readers_only")`."""
    if not may_read(actor):
        raise Forbidden("schema_readers_only")


def check_decider(actor: Actor, version: SchemaVersion) -> None:
    """`Forbidden`: `schema_reviewers_only`; `schema_own` for its author."""
    if not decides(actor):
        raise Forbidden("schema_reviewers_only")
    if actor.id == version.author_id:
        raise Forbidden("schema_own")
