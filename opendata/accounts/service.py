"""Accounts: made by a sysadmin or the operator; there are no default ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from opendata.accounts.models import User
from opendata.accounts.passwords import check_password, hash_password
from opendata.core.checks import is_email
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, invalid
from opendata.core.ids import is_id, new_id
from opendata.core.names import check_name, clean_text
from opendata.work.actor import Scope, SiteRole
from opendata.work.unit import Work


def create_user(
    work: Work,
    name: str,
    *,
    email: str,
    password: str | None = None,
    full_name: str = "",
    sysadmin: bool = False,
    user_id: str | None = None,
) -> User:
    """A new account. Only a sysadmin (or the operator's command line) makes accounts. One that comes from another platform
    keeps its id."""
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")
    errors = check_name("name", name)
    if not is_email(email):
        errors.append(FieldError("email", "bad_email", {"value": email[:100]}))
    if password is not None:
        errors += check_password("password", password)
    if user_id is not None and not is_id(user_id):
        errors.append(FieldError("id", "bad_id", {"value": user_id[:100]}))
    if errors:
        raise Invalid(fields=errors)
    user_id = (user_id or new_id()).lower()
    if work.session.execute(select(User.id).where((User.name == name) | (User.id == user_id))).first():
        raise Conflict("name_taken", name=name)
    user = User(
        id=user_id,
        name=name,
        email=email,
        full_name=clean_text(full_name)[:200],
        password_hash=hash_password(password) if password else None,
        sysadmin=sysadmin,
        created_at=work.now,
    )
    work.session.add(user)
    work.session.flush()
    work.record("account.created", "account", user.id, name=name, sysadmin=sysadmin)
    return user


def edit_user(work: Work, user: User, changes: Mapping[str, Any]) -> None:
    """Sets name, e-mail address and what a person says of themselves: one's own, or anybody's for a sysadmin."""
    if not (work.actor.sysadmin or work.actor.id == user.id):
        raise Forbidden("not_your_account")
    if not work.actor.can(Scope.ADMIN):
        raise Forbidden("scope_missing", scope=Scope.ADMIN.value)
    if "email" in changes and not is_email(changes["email"]):
        raise invalid("email", "bad_email", value=str(changes["email"])[:100])
    if "email" in changes and changes["email"] != user.email:
        check_email_free(work, changes["email"])
    for field, most in (("email", 254), ("full_name", 200), ("about", 10_000)):
        if field in changes:
            setattr(user, field, clean_text(changes[field])[:most])
    work.session.flush()
    work.record("account.edited", "account", user.id, fields=sorted(changes))


def check_email_free(work: Work, email: str) -> None:
    """`Invalid` if an active account has the address."""
    taken = select(User.id).where(func.lower(User.email) == email.lower(), User.active)
    if work.session.execute(taken).first():
        raise invalid("email", "email_taken", email=email[:100])


def names_like(work: Work, start: str) -> set[str]:
    """Names of accounts that begin so, ended ones too."""
    found = work.session.execute(select(User.name).where(User.name.startswith(start, autoescape=True)))
    return set(found.scalars())


def close_user(work: Work, user: User) -> None:
    """Ends an account: it signs in no more, and its tokens and sessions are good for nothing. Its name stays taken, for the
    audit trail names it. Only a sysadmin ends accounts, and not their own."""
    if not work.actor.sysadmin or not work.actor.can(Scope.ADMIN):
        raise Forbidden("sysadmin_only")
    user.active = False
    work.session.flush()
    work.record("account.closed", "account", user.id, name=user.name)


def set_site_roles(work: Work, user: User, roles: Iterable[SiteRole]) -> None:
    """The person has exactly these roles for the whole site afterwards. Only a sysadmin grants them."""
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")
    user.site_roles = sorted(set(roles))
    work.session.flush()
    work.record("account.site_roles_set", "account", user.id, user=user.name, roles=user.site_roles)


def set_password(work: Work, user: User, password: str) -> None:
    if errors := check_password("password", password):
        raise Invalid(fields=errors)
    user.password_hash = hash_password(password)
    work.record("account.password_set", "account", user.id)


def find_user(work: Work, id_or_name: str) -> User:
    """`NotFound("user_not_found")` if there is none, or it is no longer active."""
    column = User.id if is_id(id_or_name) else User.name
    value = str(uuid.UUID(id_or_name)) if is_id(id_or_name) else id_or_name
    user = work.session.execute(select(User).where(column == value, User.active)).scalar_one_or_none()
    if user is None:
        raise NotFound("user_not_found", id=id_or_name[:100])
    return user


def called(work: Work, ids: Iterable[str | None]) -> dict[str, str]:
    """What pages call these people, by account id."""
    wanted = {one for one in ids if one}
    users = work.session.execute(select(User).where(User.id.in_(wanted))).scalars() if wanted else ()
    return {user.id: user.called for user in users}
