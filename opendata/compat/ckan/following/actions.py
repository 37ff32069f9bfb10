"""Actions on who follows what. Names of followers are for sysadmins; what a person follows is theirs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from opendata.compat.ckan.following import queries
from opendata.compat.ckan.following.kinds import DATASET, GROUP, LISTS, USER, Kind, found
from opendata.compat.ckan.following.models import Follow
from opendata.compat.ckan.packages import stamp
from opendata.compat.ckan.users import dicts_of
from opendata.compat.ckan.wire import MISSING, ActionError, Call, denied, not_found, text_of, wrong


def follow_dataset(call: Call) -> dict[str, Any]:
    """Follows a dataset that the caller sees. `id`."""
    return _follow(call, DATASET)


def follow_group(call: Call) -> dict[str, Any]:
    """Follows a group or an organization. `id`."""
    return _follow(call, GROUP)


def follow_user(call: Call) -> dict[str, Any]:
    """Follows somebody. `id`."""
    return _follow(call, USER)


def unfollow_dataset(call: Call) -> None:
    """Follows a dataset no more. `id`."""
    _unfollow(call, DATASET)


def unfollow_group(call: Call) -> None:
    """Follows a group or an organization no more. `id`."""
    _unfollow(call, GROUP)


def unfollow_user(call: Call) -> None:
    """Follows somebody no more. `id`."""
    _unfollow(call, USER)


def am_following_dataset(call: Call) -> bool:
    """Whether the caller follows a dataset. `id`."""
    return _am_following(call, DATASET)


def am_following_group(call: Call) -> bool:
    """Whether the caller follows a group or an organization. `id`."""
    return _am_following(call, GROUP)


def am_following_user(call: Call) -> bool:
    """Whether the caller follows somebody. `id`."""
    return _am_following(call, USER)


def dataset_follower_count(call: Call) -> int:
    """How many follow a dataset. `id`."""
    return _follower_count(call, DATASET)


def group_follower_count(call: Call) -> int:
    """How many follow a group. `id`."""
    return _follower_count(call, GROUP)


def organization_follower_count(call: Call) -> int:
    """How many follow an organization. `id`."""
    return _follower_count(call, GROUP)


def user_follower_count(call: Call) -> int:
    """How many follow somebody, for those who have an account. `id`."""
    _need_account(call)
    return _follower_count(call, USER)


def dataset_follower_list(call: Call) -> list[dict[str, Any]]:
    """Who follows a dataset, for sysadmins. `id`."""
    return _follower_list(call, DATASET)


def group_follower_list(call: Call) -> list[dict[str, Any]]:
    """Who follows a group, for sysadmins. `id`."""
    return _follower_list(call, GROUP)


def organization_follower_list(call: Call) -> list[dict[str, Any]]:
    """Who follows an organization, for sysadmins. `id`."""
    return _follower_list(call, GROUP)


def user_follower_list(call: Call) -> list[dict[str, Any]]:
    """Who follows somebody, for sysadmins. `id`."""
    return _follower_list(call, USER)


def followee_count(call: Call) -> int:
    """How many things somebody follows, for those who have an account. `id`: the person's."""
    return sum(_followee_counts(call).values())


def dataset_followee_count(call: Call) -> int:
    """How many datasets somebody follows, for those who have an account. `id`: the person's."""
    return _followee_counts(call).get("dataset", 0)


def group_followee_count(call: Call) -> int:
    """How many groups somebody follows, for those who have an account. `id`: the person's."""
    return _followee_counts(call).get("group", 0)


def organization_followee_count(call: Call) -> int:
    """How many organizations somebody follows, for those who have an account. `id`: the person's."""
    return _followee_counts(call).get("organization", 0)


def user_followee_count(call: Call) -> int:
    """How many people somebody follows, for those who have an account. `id`: the person's."""
    return _followee_counts(call).get("user", 0)


def followee_list(call: Call) -> list[dict[str, Any]]:
    """All that somebody follows, by name: for themselves and sysadmins. `id`: the person's, `q` (how the name begins)."""
    followed = queries.followed(call.work, _whose(call))
    rows: list[dict[str, Any]] = [
        {"type": kind, "display_name": _display_name(shown), "dict": shown}
        for kind, listed in LISTS.items()
        if kind in followed
        for shown in listed(call, followed[kind])
    ]
    begin = text_of(call.args, "q").strip().lower()
    kept = [row for row in rows if row["display_name"].strip().lower().startswith(begin)]
    return sorted(kept, key=lambda row: row["display_name"])


def dataset_followee_list(call: Call) -> list[dict[str, Any]]:
    """The datasets that somebody follows, for themselves and sysadmins. `id`: the person's."""
    return _followee_list(call, "dataset")


def group_followee_list(call: Call) -> list[dict[str, Any]]:
    """The groups that somebody follows, for themselves and sysadmins. `id`: the person's."""
    return _followee_list(call, "group")


def organization_followee_list(call: Call) -> list[dict[str, Any]]:
    """The organizations that somebody follows, for themselves and sysadmins. `id`: the person's."""
    return _followee_list(call, "organization")


def user_followee_list(call: Call) -> list[dict[str, Any]]:
    """The people whom somebody follows, for themselves and sysadmins. `id`: the person's."""
    return _followee_list(call, "user")


# -- what they share -------------------------------------------------------------------------------------------------


def _follow(call: Call, kind: Kind) -> dict[str, Any]:
    follower = _follower(call, f"You must be logged in to follow {kind.plural}")
    key = text_of(call.args, "id")
    named = found(call, kind, key)
    if named is None:
        raise _cannot_follow(kind, key)
    name, object_id = named
    if object_id == follower:
        raise wrong({"message": "You cannot follow yourself"})
    follow = call.work.session.get(Follow, (follower, object_id))
    if follow is None:
        follow = Follow(follower_id=follower, object_id=object_id, kind=name, at=call.work.now)
        call.work.session.add(follow)
    return {"follower_id": follower, "object_id": object_id, "datetime": stamp(follow.at)}


def _cannot_follow(kind: Kind, key: str) -> ActionError:
    if kind is USER:
        return wrong({"message": "Error validating the schema of the user to follow."})
    if not key:
        called = "Package" if kind is DATASET else kind.called
        return wrong({"message": f"Missing id, can not get {called} object"})
    return not_found()


def _unfollow(call: Call, kind: Kind) -> None:
    """Also of what the caller sees no more, by its id."""
    follower = _follower(call, f"You must be logged in to unfollow {kind.plural}")
    key = text_of(call.args, "id")
    named = found(call, kind, key)
    object_id = named[1] if named else key
    held = delete(Follow).where(Follow.follower_id == follower, Follow.object_id == object_id)
    if not call.work.session.connection().execute(held).rowcount and named is None:
        raise wrong({"message": "Error validating the schema of the object to unfollow."})


def _am_following(call: Call, kind: Kind) -> bool:
    follower = _follower(call, "")
    return call.work.session.get(Follow, (follower, _object(call, kind))) is not None


def _follower_count(call: Call, kind: Kind) -> int:
    return queries.number(call.work, _object(call, kind))


def _follower_list(call: Call, kind: Kind) -> list[dict[str, Any]]:
    if not call.work.actor.sysadmin:
        raise denied("Not authorized")
    return dicts_of(call, queries.followers(call.work, _object(call, kind)), as_members=True)


def _followee_counts(call: Call) -> dict[str, int]:
    _need_account(call)
    followed = queries.followed(call.work, _object(call, USER))
    return {kind: len(ids) for kind, ids in followed.items()}


def _followee_list(call: Call, kind: str) -> list[dict[str, Any]]:
    ids = queries.followed(call.work, _whose(call)).get(kind)
    return LISTS[kind](call, ids) if ids else []


def _whose(call: Call) -> str:
    """Whose follows are asked for; others' are for sysadmins."""
    actor = call.work.actor
    if not actor.sysadmin and text_of(call.args, "id") not in (actor.id, actor.name):
        raise denied("Not authorized")
    return _object(call, USER)


def _object(call: Call, kind: Kind) -> str:
    key = text_of(call.args, "id")
    named = found(call, kind, key)
    if named is None:
        raise wrong({"id": [f"Not found: {kind.called}" if key else MISSING]})
    return named[1]


def _follower(call: Call, refusal: str) -> str:
    if call.work.actor.id is None:
        raise denied(refusal)
    return call.work.actor.id


def _need_account(call: Call) -> None:
    if call.work.actor.is_public:
        raise denied()


def _display_name(shown: dict[str, Any]) -> str:
    return str(shown.get("display_name") or shown.get("title") or shown["name"])


READING = (
    am_following_dataset, am_following_group, am_following_user, dataset_follower_count, group_follower_count,
    organization_follower_count, user_follower_count, dataset_follower_list, group_follower_list,
    organization_follower_list, user_follower_list, followee_count, dataset_followee_count, group_followee_count,
    organization_followee_count, user_followee_count, followee_list, dataset_followee_list, group_followee_list,
    organization_followee_list, user_followee_list,
)  # fmt: skip
CHANGING = (follow_dataset, follow_group, follow_user, unfollow_dataset, unfollow_group, unfollow_user)
