"""Accounts: made by a sysadmin or the operator; there are no default ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.accounts.passwords import check_password, hash_password
from opendata.core.checks import is_email
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from opendata.core.ids import is_id, new_id
from opendata.core.names import check_name, clean_text
from opendata.work.actor import SiteRole
from opendata.work.unit import Work


def create_user(
    work: Work,
    name: str,
    *,
    email: str,
    password: str | None = None,
    full_name: str = "",
    sysadmin: bool = False,
) -> User:
    """A new account. Only a sysadmin (or the operator's command line) makes accounts."""
    if not work.actor.sysadmin:
        raise Forbidden("sysadmin_only")
    errors = check_name("name", name)
    if not is_email(email):
        errors.append(FieldError("email", "bad_email", {"value": email[:100]}))
    if password is not None:
        errors += check_password("password", password)
    if errors:
        raise Invalid(fields=errors)
    if work.session.execute(select(User.id).where(User.name == name)).first():
        raise Conflict("name_taken", name=name)
    user = User(
        id=new_id(),
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
