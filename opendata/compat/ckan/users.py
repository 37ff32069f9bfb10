"""Actions on people and their API tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from opendata.access import policy
from opendata.accounts import service, tokens
from opendata.accounts.models import ApiToken, User
from opendata.catalog.models import Dataset
from opendata.compat.ckan.following import queries as followed
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.search import packages_of
from opendata.compat.ckan.wire import MISSING, Call, denied, flag, not_found, require, text_of, whole, wrong
from opendata.core.errors import NotFound
from opendata.ports.search_index.port import Exact
from opendata.work.actor import Scope

MOST_PACKAGES = 50


def user_show(call: Call) -> dict[str, Any]:
    """An account, by its id or name; without either, one's own. E-mail addresses are for oneself and sysadmins.
    `include_datasets`, `include_num_followers`."""
    if call.work.actor.is_public:
        raise denied("users are shown to users only")
    user = any_user(call, text_of(call.args, "id") or call.work.actor.name)
    found = dicts_of(call, [user])[0]
    if flag(call.args, "include_datasets"):
        found["datasets"] = packages_of(call, Exact("extras", (f"creator_user_id={user.id}",)), MOST_PACKAGES)
    if flag(call.args, "include_num_followers"):
        found["num_followers"] = followed.number(call.work, user.id)
    return found


def user_list(call: Call) -> list[Any]:
    """All accounts, for sysadmins. `q` (a part of a name), `email`, `order_by`, `all_fields`."""
    if not call.work.actor.sysadmin:
        raise denied("only a sysadmin lists users")
    order = text_of(call.args, "order_by", "display_name")
    if order == "edits":
        raise wrong({"message": "order_by=edits is no longer supported"})
    found = _matching(call, text_of(call.args, "q"))
    email = text_of(call.args, "email").lower()
    found = [user for user in found if email in ("", user.email.lower())]
    if not flag(call.args, "all_fields", True):
        return [user.name for user in _ordered(found, order)]
    people = dicts_of(call, _ordered(found, order))
    if order == "number_created_packages":
        people.sort(key=lambda person: int(person[order]))
    return people


def user_autocomplete(call: Call) -> list[dict[str, Any]]:
    """Accounts whose name or full name holds a text, for those who have one. `q`, `limit` (20), `ignore_self`."""
    if call.work.actor.is_public:
        raise denied("Action user_autocomplete requires an authenticated user")
    found = _matching(call, require(call.args, "q"))
    if flag(call.args, "ignore_self"):
        found = [user for user in found if user.id != call.work.actor.id]
    limit = whole(call.args, "limit", 20, most=1000)
    return [{"id": u.id, "name": u.name, "fullname": u.full_name or None} for u in found[:limit]]


def api_token_create(call: Call) -> dict[str, str]:
    """A new API token of `user`, called `name`. The answer alone shows it."""
    _need_account(call)
    user = _user(call, require(call.args, "user"))
    actor = call.work.actor
    if not (actor.sysadmin or actor.id == user.id):
        raise denied()
    name = require(call.args, "name")
    scopes = [scope for scope in Scope if scope in actor.scopes]
    row, secret = tokens.create(call.work, user, name=name, scopes=scopes, agency_id=actor.agency_only)
    return {"token": secret, "id": row.id}


def api_token_list(call: Call) -> list[dict[str, Any]]:
    """Tokens of an account, oldest first. `user_id`: its id or name."""
    _need_account(call)
    user = _user(call, require(call.args, "user", "user_id"))
    if not (call.work.actor.sysadmin or call.work.actor.id == user.id):
        raise denied()
    return [_token(row) for row in reversed(tokens.listed(call.work, user))]


def api_token_revoke(call: Call) -> None:
    """Ends a token at once. `token` (itself) or `jti` (its id)."""
    token, token_id = text_of(call.args, "token"), text_of(call.args, "jti")
    if not token and not token_id:
        raise wrong({"token": [MISSING]})
    _need_account(call)
    try:
        tokens.revoke(call.work, token=token or None, token_id=token_id or None)
    except NotFound:
        raise denied() from None


def any_user(call: Call, id_or_name: str) -> User:
    """An account, even one that has ended, which is told to those who have one. Not Found."""
    query = select(User).where((User.id == id_or_name) | (User.name == id_or_name))
    user = call.work.session.execute(query).scalar_one_or_none()
    if user is None:
        raise not_found()
    return user


def _user(call: Call, id_or_name: str) -> User:
    try:
        return service.find_user(call.work, id_or_name)
    except NotFound:
        raise not_found("User not found") from None


def _matching(call: Call, text: str) -> list[User]:
    """Active accounts of which a name holds the text, by name."""
    text = text.strip().lower()
    users = call.work.session.execute(select(User).where(User.active).order_by(User.name)).scalars()
    return [user for user in users if text in user.name or text in user.full_name.lower()]


def _ordered(people: Sequence[User], order: str) -> list[User]:
    keys: Mapping[str, Callable[[User], Any]] = {
        "display_name": lambda user: user.called,
        "fullname": lambda user: user.full_name,
        "about": lambda user: user.about,
        "sysadmin": lambda user: user.sysadmin,
        "created": lambda user: user.created_at,
        "name": lambda user: user.name,
    }
    return sorted(people, key=keys.get(order, keys["display_name"]))


def _need_account(call: Call) -> None:
    """Before anything is looked up: the public must not learn which accounts there are."""
    if call.work.actor.is_public:
        raise denied()


def dicts_of(call: Call, people: Sequence[User], *, as_members: bool = False) -> list[dict[str, Any]]:
    """Accounts as CKAN shows them, in a constant number of statements. E-mail addresses are for oneself and sysadmins, and
    not told of members."""
    actor = call.work.actor
    ids = [user.id for user in people]
    made = (
        select(Dataset.created_by, func.count())
        .where(Dataset.created_by.in_(ids), policy.PUBLIC_FILTER)
        .group_by(Dataset.created_by)
    )
    counts = {row[0]: row[1] for row in call.work.session.execute(made)} if ids else {}
    return [
        {
            "id": user.id,
            "name": user.name,
            "fullname": user.full_name or None,
            "display_name": user.called,
            "about": user.about or None,
            "created": stamp(user.created_at),
            "last_active": None,
            "state": "active" if user.active else "deleted",
            "sysadmin": user.sysadmin,
            "activity_streams_email_notifications": False,
            "number_created_packages": counts.get(user.id, 0),
            "image_url": None,
            "image_display_url": None,
            "email_hash": _hash(user.email),
        }
        | (
            {"email": user.email, "apikey": None}
            if not as_members and (actor.sysadmin or actor.id == user.id)
            else {}
        )
        for user in people
    ]


def _hash(email: str) -> str:
    """What clients ask Gravatar for."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def _token(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "user_id": row.user_id,
        "created_at": stamp(row.created_at),
        "last_access": stamp(row.last_used_at) if row.last_used_at else None,
    }
