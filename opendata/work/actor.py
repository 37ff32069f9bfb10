"""Who acts: a frozen value that the authenticator fills, so that rules are pure predicates over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do for a public body."""

    MEMBER = "member"
    """Reads the body's drafts and private datasets (CKAN's member), and writes nothing."""
    EDITOR = "editor"
    CONTENT_REVIEWER = "content_reviewer"
    SECRECY_REVIEWER = "secrecy_reviewer"
    ADMIN = "admin"


INHERITED_ROLES = frozenset({Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER, Role.ADMIN})
"""Roles that a body's people also have for the bodies below it: a small body has one clerk, its parent reviews."""


REVIEWING_ROLES = (Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)
"""Of the two decisions; what an absent person can delegate."""


class SiteRole(StrEnum):
    """What a person may do for the whole site, granted by a sysadmin."""

    CITY_ADMIN = "city_admin"
    """Keeps the negative list."""
    SUPERVISOR = "supervisor"
    """The office in charge of openness: reads the audit trail, issues rectification orders, keeps the rules of scoring."""
    EVALUATOR = "evaluator"
    """Evaluates from outside (第三方评估): reads what supervisors read of the bodies' work, and writes nothing."""


class Scope(StrEnum):
    """What a token may be used for. A session has all of them."""

    READ = "read"
    WRITE = "write"
    PUBLISH = "publish"
    REVIEW = "review"
    ADMIN = "admin"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True)
class Actor:
    id: str | None
    """The account's id; None is the public."""
    name: str
    sysadmin: bool = False
    scopes: frozenset[Scope] = frozenset()
    roles: frozenset[tuple[str, Role]] = frozenset()
    """(agency id, role) as granted."""
    datasets: frozenset[tuple[str, Role]] = frozenset()
    """(dataset id, editor or member): single datasets on which the actor collaborates without working for their body."""
    site_roles: frozenset[SiteRole] = frozenset()
    agency_only: str | None = None
    """A token bound to one agency can do nothing for any other."""
    system: bool = False
    """The platform itself, in jobs and operator commands."""

    @property
    def is_public(self) -> bool:
        return self.id is None and not self.system

    def can(self, scope: Scope) -> bool:
        return self.system or scope in self.scopes

    def holds(self, role: SiteRole) -> bool:
        """Whether the actor has the role for the whole site. A token bound to one agency has none."""
        return self.agency_only is None and (self.sysadmin or role in self.site_roles)

    def collaborates(self, dataset_id: str, *roles: Role) -> bool:
        """Whether the actor has one of the roles for this one dataset. A token bound to one agency has none."""
        return self.agency_only is None and any((dataset_id, role) in self.datasets for role in roles)

    def has_role(self, lineage: Iterable[str], *roles: Role) -> bool:
        """Whether the actor has one of the roles for the body whose lineage this is: its own id first, then its
        ancestors', nearest first. From an ancestor only the inherited roles count."""
        path = list(lineage)
        if self.agency_only is not None and self.agency_only not in path:
            return False
        own = path[:1]
        return any(
            (agency, role) in self.roles
            for role in roles
            for agency in (path if role in INHERITED_ROLES else own)
        )


@dataclass(frozen=True)
class Credentials:
    """What a request showed: a token (Authorization header) or a session cookie; the API ignores cookies."""

    token: str | None = None
    cookie: str | None = None


PUBLIC = Actor(id=None, name="public")
SYSTEM = Actor(id=None, name="system", sysadmin=True, scopes=ALL_SCOPES, system=True)
