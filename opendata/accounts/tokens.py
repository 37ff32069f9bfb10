"""API tokens: `ogd_` and 256 random bits. Only their SHA-256 is kept; a token is shown once, when it is made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_, select

from opendata.accounts.models import ApiToken, User
from opendata.core.errors import Forbidden, NotFound, invalid
from opendata.core.ids import new_id
from opendata.work.actor import Scope
from opendata.work.unit import Work

PREFIX = "ogd_"
LONGEST_DAYS = 366


def secret_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def create(
    work: Work,
    user: User,
    *,
    name: str = "",
    days: int = LONGEST_DAYS,
    scopes: Sequence[Scope] = tuple(Scope),
    agency_id: str | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret. One makes tokens for oneself; a sysadmin for anyone. A token never makes one that may
    do more than itself."""
    actor = work.actor
    if not (actor.sysadmin or actor.id == user.id):
        raise Forbidden("not_your_account")
    if not actor.scopes.issuperset(scopes) or actor.agency_only not in (None, agency_id):
        raise Forbidden("token_beyond_yours")
    _check_scope(work)
    if not 1 <= days <= LONGEST_DAYS:
        raise invalid("days", "out_of_range", minimum=1, maximum=LONGEST_DAYS)
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=new_id(),
        user_id=user.id,
        name=name[:100] or "token",
        secret_hash=secret_hash(token),
        scopes=[s.value for s in scopes],
        agency_id=agency_id,
        created_at=work.now,
        expires_at=work.now + timedelta(days=days),
    )
    work.session.add(row)
    work.record("token.created", "account", user.id, token=row.id, name=row.name, scopes=row.scopes)
    return row, token


def revoke(work: Work, *, token: str | None = None, token_id: str | None = None) -> None:
    """Ends a token at once, found by its secret or its id. `NotFound` if it is unknown or somebody else's."""
    query = select(ApiToken).where(ApiToken.revoked_at.is_(None))
    query = (
        query.where(ApiToken.secret_hash == secret_hash(token))
        if token
        else query.where(ApiToken.id == token_id)
    )
    _check_scope(work)
    row = work.session.execute(query).scalar_one_or_none()
    if row is None or not (work.actor.sysadmin or work.actor.id == row.user_id):
        raise NotFound("token_not_found")
    row.revoked_at = work.now
    work.record("token.revoked", "account", row.user_id, token=row.id)


def _check_scope(work: Work) -> None:
    """A token that may only read cannot live on in one that it made of itself."""
    if not work.actor.can(Scope.WRITE):
        raise Forbidden("scope_missing", scope=Scope.WRITE.value)


def listed(work: Work, user: User) -> Sequence[ApiToken]:
    """The account's tokens that are still valid, newest first."""
    if not (work.actor.sysadmin or work.actor.id == user.id):
        raise Forbidden("not_your_account")
    holds = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > work.now)
    query = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None), holds)
    return work.session.execute(query.order_by(ApiToken.created_at.desc())).scalars().all()
