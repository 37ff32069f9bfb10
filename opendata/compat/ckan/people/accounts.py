"""Making, changing and ending accounts: a sysadmin's business, but for what people say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendata.accounts import service
from opendata.accounts.models import User
from opendata.accounts.passwords import MINIMUM
from opendata.compat.ckan.people.members import ROLES, invited_to
from opendata.compat.ckan.users import any_user, dicts_of
from opendata.compat.ckan.wire import MISSING, ActionError, Call, denied, not_found, require, text_of, wrong
from opendata.core.checks import is_email
from opendata.core.errors import Conflict, Invalid
from opendata.core.names import NAME

_TEXTS = {"fullname": "full_name", "about": "about", "email": "email"}


def user_create(call: Call) -> dict[str, Any]:
    """A new account. `name`, `email`, `password`, `fullname`, `about`. For sysadmins."""
    if not call.work.actor.sysadmin:
        raise denied(f"User {call.caller} not authorized to create users via the API")
    args = call.args
    missing = [name for name in ("email", "name", "password") if args.get(name) in (None, "")]
    errors = {name: [MISSING] for name in missing} | _wrong_name(args) | _wrong_texts(args)
    if errors:
        raise wrong(errors)
    email = text_of(args, "email").strip()
    try:
        service.check_email_free(call.work, email)
        user = service.create_user(
            call.work,
            text_of(args, "name"),
            email=email,
            password=text_of(args, "password"),
            full_name=text_of(args, "fullname"),
        )
    except Conflict:
        taken = "The username is already associated with another account. Please use a different username."
        raise wrong({"name": [taken]}) from None
    except Invalid as error:
        raise _invalid(error, email) from None
    if args.get("about"):
        service.edit_user(call.work, user, {"about": text_of(args, "about")})
    return _shown(call, user)


def user_update(call: Call) -> dict[str, Any]:
    """Changes an account. `id`, `email`, `fullname`, `about`, `password`; the name stays."""
    return _edit(call, "User was not found.", replace=True)


def user_patch(call: Call) -> dict[str, Any]:
    """Changes the given keys of an account. `id`, `email`, `fullname`, `about`, `password`."""
    return _edit(call, "", replace=False)


def user_delete(call: Call) -> None:
    """Ends an account. `id`. For sysadmins. Its name stays taken."""
    if not call.work.actor.sysadmin:
        raise denied()
    key = require(call.args, "id")
    service.close_user(call.work, _find(call, key, f'User "{key}" was not found.'))


def user_invite(call: Call) -> dict[str, Any]:
    """A new account for somebody who is to join. `email`, `group_id` (an organization or a group), `role`. For sysadmins;
    the person gets a password from them, or signs in by another way."""
    args = call.args
    if call.work.actor.is_public:
        raise denied("Action user_invite requires an authenticated user")
    missing = [name for name in ("email", "group_id", "role") if args.get(name) in (None, "")]
    errors = {name: [MISSING] for name in missing} | _wrong_texts(args)
    if errors:
        raise wrong(errors)
    if text_of(args, "role") not in ROLES:
        raise wrong({"role": ["role does not exist."]})
    join = invited_to(call, text_of(args, "group_id"))
    email = text_of(args, "email").strip()
    name = _name_from(call, email)
    try:
        service.check_email_free(call.work, email)
        user = service.create_user(call.work, name, email=email)
    except Invalid as error:
        raise _invalid(error, email) from None
    join(user, text_of(args, "role"))
    return _shown(call, user)


# -- the parts -------------------------------------------------------------------------------------------------------


def _edit(call: Call, missing: str, *, replace: bool) -> dict[str, Any]:
    args, actor = call.args, call.work.actor
    key = require(args, "id")
    if actor.is_public:
        raise denied("Have to be logged in to edit user")
    user = _find(call, key, missing)
    if not (actor.sysadmin or actor.id == user.id):
        raise denied(f"User {call.caller} not authorized to edit user {user.id}")
    errors = _wrong_texts(args)
    if replace and args.get("email") in (None, ""):
        errors["email"] = [MISSING]
    if args.get("name") not in (None, "", user.name):
        errors["name"] = ["That login name can not be modified."]
    if errors:
        raise wrong(errors)
    changes = {
        field: text_of(args, key).strip() for key, field in _TEXTS.items() if args.get(key) is not None
    }
    try:
        service.edit_user(call.work, user, changes)
        if args.get("password"):
            service.set_password(call.work, user, text_of(args, "password"))
    except Invalid as error:
        raise _invalid(error, changes.get("email", "")) from None
    return _shown(call, user)


def _find(call: Call, key: str, missing: str) -> User:
    try:
        return any_user(call, key)
    except ActionError:
        raise not_found(missing[:200]) from None


def _shown(call: Call, user: User) -> dict[str, Any]:
    call.work.session.flush()
    return dicts_of(call, [user])[0]


def _wrong_name(args: Mapping[str, Any]) -> dict[str, list[str]]:
    name = text_of(args, "name")
    if not name or NAME.fullmatch(name):
        return {}
    if len(name) < 2:
        return {"name": ["Must be at least 2 characters long"]}
    if len(name) > 100:
        return {"name": ["Name must be a maximum of 100 characters long"]}
    return {"name": ["Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_"]}


def _wrong_texts(args: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with an address or a password."""
    found = {}
    email, password = text_of(args, "email").strip(), text_of(args, "password")
    if email and not is_email(email):
        found["email"] = [f"Email {email[:100]} is not a valid format"]
    if password and len(password) < MINIMUM:
        found["password"] = [f"Your password must be {MINIMUM} characters or longer"]
    return found


def _invalid(error: Invalid, email: str) -> Exception:
    if any(field.code == "email_taken" for field in error.fields):
        return wrong({"email": [f"The email address '{email[:100]}' belongs to a registered user."]})
    return error


def _name_from(call: Call, email: str) -> str:
    """A free name made of the address."""
    start = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in email.split("@")[0].lower()
    )
    start = start.strip("-")[:80] or "user"
    start = start if len(start) > 1 else f"{start}-user"
    taken = service.names_like(call.work, start)
    return (
        start
        if start not in taken
        else next(n for n in (f"{start}-{i}" for i in range(2, 10**6)) if n not in taken)
    )
