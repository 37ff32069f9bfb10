"""Actions on people and their API tokens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from opendata.access import policy
from opendata.accounts import service, tokens
from opendata.accounts.models import ApiToken, User
from opendata.catalog.models import Dataset
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.wire import MISSING, Call, denied, require, text_of, whole, wrong
from opendata.work.actor import Scope


def user_show(call: Call) -> dict[str, Any]:
    """An account, by its id or name; without either, one's own. E-mail addresses are for oneself and sysadmins."""
    if call.work.actor.is_public:
        raise denied("users are shown to users only")
    user = service.find_user(call.work, text_of(call.args, "id") or call.work.actor.name)
    mine = select(func.count()).where(Dataset.created_by == user.id, policy.PUBLIC_FILTER)
    return {**_dict(call, user), "number_created_packages": call.work.session.execute(mine).scalar_one()}


def user_list(call: Call) -> list[dict[str, Any]]:
    """All accounts, for sysadmins. `q`, `limit`."""
    if not call.work.actor.sysadmin:
        raise denied("only a sysadmin lists users")
    wanted = text_of(call.args, "q").lower()
    users = call.work.session.execute(select(User).where(User.active).order_by(User.name)).scalars()
    found = [_dict(call, user) for user in users if wanted in user.name or wanted in user.full_name.lower()]
    return found[: whole(call.args, "limit", 1000, most=1000)]


def api_token_create(call: Call) -> dict[str, str]:
    """A new API token of `user`, called `name`. The answer alone shows it."""
    _need_account(call)
    user = service.find_user(call.work, require(call.args, "user"))
    name = require(call.args, "name")
    actor = call.work.actor
    scopes = [scope for scope in Scope if scope in actor.scopes]
    _row, secret = tokens.create(call.work, user, name=name, scopes=scopes, agency_id=actor.agency_only)
    return {"token": secret}


def api_token_list(call: Call) -> list[dict[str, Any]]:
    """Tokens of an account. `user_id`: its id or name."""
    _need_account(call)
    user = service.find_user(call.work, require(call.args, "user", "user_id"))
    return [_token(row) for row in tokens.listed(call.work, user)]


def api_token_revoke(call: Call) -> None:
    """Ends a token at once. `token` (itself) or `jti` (its id)."""
    if call.work.actor.is_public:
        raise denied("Action api_token_revoke requires an authenticated user")
    token, token_id = text_of(call.args, "token"), text_of(call.args, "jti")
    if not token and not token_id:
        raise wrong({"token": [MISSING]})
    tokens.revoke(call.work, token=token or None, token_id=token_id or None)


def _need_account(call: Call) -> None:
    """Before anything is looked up: the public must not learn which accounts there are."""
    if call.work.actor.is_public:
        raise denied("this action requires an authenticated user")


def _dict(call: Call, user: User) -> dict[str, Any]:
    found = {
        "id": user.id,
        "name": user.name,
        "fullname": user.full_name,
        "display_name": user.full_name or user.name,
        "about": user.about,
        "created": stamp(user.created_at),
        "state": "active" if user.active else "deleted",
        "sysadmin": user.sysadmin,
        "activity_streams_email_notifications": False,
        "image_url": None,
        "image_display_url": None,
        "email_hash": "",
    }
    if call.work.actor.sysadmin or call.work.actor.id == user.id:
        found["email"] = user.email
    return found


def _token(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "user_id": row.user_id,
        "created_at": stamp(row.created_at),
        "last_access": stamp(row.last_used_at) if row.last_used_at else None,
    }
