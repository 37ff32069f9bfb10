"""Who may do what for a public body: pure predicates."""

from __future__ import annotations

from opendata.agencies.models import Agency
from opendata.work.actor import Actor, Role, Scope


def may_edit(actor: Actor, agency: Agency) -> bool:
    """Drafts, files and inventory lines of the body."""
    return actor.can(Scope.WRITE) and (
        actor.sysadmin or actor.has_role(agency.lineage, Role.EDITOR, Role.ADMIN)
    )


def may_publish(actor: Actor, agency: Agency) -> bool:
    """Submit and withdraw; and, under the direct policy, publish."""
    return actor.can(Scope.PUBLISH) and (
        actor.sysadmin or actor.has_role(agency.lineage, Role.EDITOR, Role.ADMIN)
    )


def may_review(actor: Actor, agency: Agency, role: Role) -> bool:
    """Holds the reviewer's role for the body, of its own or from above. A sysadmin is no reviewer by that alone."""
    return actor.can(Scope.REVIEW) and actor.has_role(agency.lineage, role)


def may_administer(actor: Actor, agency: Agency) -> bool:
    """Edit the body and its members."""
    return actor.can(Scope.ADMIN) and (actor.sysadmin or actor.has_role(agency.lineage, Role.ADMIN))


def may_see_drafts(actor: Actor, agency: Agency) -> bool:
    return actor.can(Scope.READ) and (actor.sysadmin or actor.has_role(agency.lineage, *Role))
