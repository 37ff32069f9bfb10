"""From credentials to an actor: who it is, from the account; what they may, from the token's scopes and the roles.

The roles, and the datasets on which somebody collaborates, come from functions that `wiring` passes in, because public bodies
and datasets are floors above.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from opendata.accounts.models import ApiToken, User, WebSession
from opendata.accounts.sessions import session_hash
from opendata.accounts.tokens import secret_hash
from opendata.core.errors import Unauthenticated
from opendata.work.actor import ALL_SCOPES, PUBLIC, Actor, Credentials, Role, Scope, SiteRole
from opendata.work.unit import Work

RolesOf = Callable[[Work, str], frozenset[tuple[str, Role]]]


KNOWN_TOKENS = 10_000
KNOWN_FOR = timedelta(seconds=30)
"""A change by hand, in the database itself, is seen after that time at the latest."""
SUBJECTS = ("account", "agency")
"""What audit lines about accounts, tokens and roles name as their subject."""


@dataclass(frozen=True)
class _Known:
    """Whose a token is, as long as no audit line after `head` speaks of accounts (their tokens) or agencies (roles)."""

    head: int
    seen_at: datetime
    expires_at: datetime | None
    token_id: str
    actor: Actor

    def is_fresh(self, now: datetime) -> bool:
        return now < self.seen_at + KNOWN_FOR and not (self.expires_at and now >= self.expires_at)


class Authenticator:
    def __init__(self, roles_of: RolesOf, datasets_of: RolesOf) -> None:
        self._roles_of = roles_of
        self._datasets_of = datasets_of
        self._used: dict[str, datetime] = {}
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def actor(self, work: Work, credentials: Credentials) -> Actor:
        """The actor; the public for no credentials. `Unauthenticated` for a token that is unknown, expired or revoked."""
        if credentials.token:
            return self._by_token(work, credentials.token)
        if credentials.cookie:
            return self._by_cookie(work, credentials.cookie)
        return PUBLIC

    def has_used(self) -> bool:
        """Whether `save_last_used` has something to write."""
        return bool(self._used)

    def save_last_used(self, work: Work) -> None:
        """Writes down when tokens were last used. Kept in memory in between: a read must not write."""
        with self._lock:
            used, self._used = self._used, {}
        for token_id, at in used.items():
            work.session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=at))

    def _by_token(self, work: Work, token: str) -> Actor:
        key = secret_hash(token)
        known = self._known.get(key)
        if known is None or not known.is_fresh(work.now) or not work.holds(known.head, SUBJECTS):
            known = self._look_up(work, token, work.heard_upto())
        with self._lock:
            self._used[known.token_id] = work.now
            self._known[key] = known
            while len(self._known) > KNOWN_TOKENS:
                self._known.popitem(last=False)
        return known.actor

    def _look_up(self, work: Work, token: str, head: int) -> _Known:
        row = work.session.execute(
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(ApiToken.secret_hash == secret_hash(token), ApiToken.revoked_at.is_(None), User.active)
        ).one_or_none()
        if row is None:
            raise Unauthenticated("bad_token")
        api_token, user = row
        if api_token.expires_at is not None and api_token.expires_at <= work.now:
            raise Unauthenticated("token_expired")
        scopes = frozenset(Scope(s) for s in api_token.scopes)
        actor = self._make(work, user, scopes, api_token.agency_id)
        return _Known(head, work.now, api_token.expires_at, api_token.id, actor)

    def _by_cookie(self, work: Work, cookie: str) -> Actor:
        user = work.session.execute(
            select(User)
            .join(WebSession, WebSession.user_id == User.id)
            .where(WebSession.id_hash == session_hash(cookie), WebSession.expires_at > work.now, User.active)
        ).scalar_one_or_none()
        return self._make(work, user, ALL_SCOPES, None) if user else PUBLIC

    def _make(self, work: Work, user: User, scopes: frozenset[Scope], agency_id: str | None) -> Actor:
        return Actor(
            id=user.id,
            name=user.name,
            sysadmin=user.sysadmin and Scope.ADMIN in scopes and agency_id is None,
            scopes=scopes,
            roles=self._roles_of(work, user.id),
            datasets=self._datasets_of(work, user.id),
            site_roles=frozenset(SiteRole(role) for role in user.site_roles),
            agency_only=agency_id,
        )
