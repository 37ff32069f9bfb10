"""Sign-in for the pages: counted failures, a session in a cookie, and a CSRF token bound to it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select

from opendata.accounts.models import SignInFailure, User, WebSession
from opendata.accounts.passwords import check_password, hash_password, matches, needs_renewal
from opendata.accounts.service import set_password
from opendata.core.errors import Invalid, Limited
from opendata.work.unit import Work

LIFETIME = timedelta(hours=12)
FREE_TRIES = 5
LONGEST_WAIT = timedelta(minutes=15)


def session_hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def sign_in(work: Work, name: str, password: str, address: str) -> tuple[WebSession, str] | None:
    """A new session and its cookie's value, or None if the name or the password is wrong (the failure is counted; the
    caller commits either way). `Limited` while the account or the address has to wait."""
    subjects = (f"account:{name[:100]}", f"address:{address}")
    for subject in subjects:
        _check_wait(work, subject)
    user = work.session.execute(select(User).where(User.name == name, User.active)).scalar_one_or_none()
    if not matches(password, user.password_hash if user else None) or user is None:
        for subject in subjects:
            _count_failure(work, subject)
        return None
    if user.password_hash and needs_renewal(user.password_hash):
        user.password_hash = hash_password(password)
    work.session.execute(delete(SignInFailure).where(SignInFailure.subject == subjects[0]))
    cookie = secrets.token_urlsafe(32)
    session = WebSession(
        id_hash=session_hash(cookie),
        user_id=user.id,
        csrf_token=secrets.token_urlsafe(32),
        created_at=work.now,
        expires_at=work.now + LIFETIME,
    )
    work.session.add(session)
    work.record("account.signed_in", "account", user.id)
    return session, cookie


def change_password(work: Work, user: User, old: str, new: str, cookie: str) -> bool:
    """Whether `old` is the account's password: then `new` is from now on, and the account's other sessions have ended. A
    wrong one is counted like a failed sign-in (the caller commits either way). `Limited`; `Invalid` for a bad new one."""
    if errors := check_password("password", new):
        raise Invalid(fields=errors)
    subject = f"account:{user.name}"
    _check_wait(work, subject)
    if not matches(old, user.password_hash):
        _count_failure(work, subject)
        return False
    user.password_hash = hash_password(new)
    own = WebSession.id_hash == session_hash(cookie)
    work.session.execute(delete(WebSession).where(WebSession.user_id == user.id, ~own))
    work.record("account.password_changed", "account", user.id)
    return True


def reset_password(work: Work, user: User, password: str) -> None:
    """A new password without the old one, for the operator: all sessions of the account end, its failures are forgotten."""
    set_password(work, user, password)
    work.session.execute(delete(WebSession).where(WebSession.user_id == user.id))
    work.session.execute(delete(SignInFailure).where(SignInFailure.subject == f"account:{user.name}"))


def sign_out(work: Work, cookie: str) -> None:
    work.session.execute(delete(WebSession).where(WebSession.id_hash == session_hash(cookie)))


def _check_wait(work: Work, subject: str) -> None:
    failure = work.session.get(SignInFailure, subject)
    if failure is None or failure.count < FREE_TRIES:
        return
    wait = min(timedelta(seconds=2 ** min(failure.count - FREE_TRIES, 20)), LONGEST_WAIT)
    left = failure.last_at + wait - work.now
    if left > timedelta(0):
        raise Limited("too_many_sign_ins", retry_after=int(left.total_seconds()) + 1)


def _count_failure(work: Work, subject: str) -> None:
    failure = work.session.get(SignInFailure, subject)
    if failure is None:
        failure = SignInFailure(subject=subject, count=0, last_at=work.now)
        work.session.add(failure)
    elif work.now - failure.last_at > timedelta(hours=1):
        failure.count = 0
    failure.count += 1
    failure.last_at = work.now
