"""Who follows what."""

from __future__ import annotations

from itertools import chain

from ckan_diff.calls import Call, call, get

KINDS = {"dataset": "bridges", "group": "traffic", "user": "member"}


def _of(kind: str, name: str) -> list[Call]:
    """One kind of thing, from its first follower to its last."""
    follow, unfollow, am = f"follow_{kind}", f"unfollow_{kind}", f"am_following_{kind}"
    count, people = f"{kind}_follower_count", f"{kind}_follower_list"
    return [
        call(am, "editor", id=name),
        call(count, "editor", id=name),
        call(follow, "editor", id=name),
        call(follow, "editor", id=name),
        call(follow, "root", id=f"${{{kind}.id}}"),
        call(follow, id=name),
        call(follow, id="nothing"),
        call(follow, "editor", id="nothing"),
        call(follow, "editor"),
        call(follow, "editor", id=""),
        call(am, "editor", id=name),
        get(am, "editor", id=name),
        call(am, "editor", id=f"${{{kind}.id}}"),
        call(am, "nobody", id=name),
        call(am, id=name),
        call(am, "editor", id="nothing"),
        call(am, "editor"),
        call(count, id=name),
        call(count, "nobody", id=name),
        get(count, "nobody", id=name),
        call(count, "nobody", id="nothing"),
        call(count, "nobody"),
        call(people, "root", id=name),
        call(people, "editor", id=name),
        call(people, id=name),
        call(people, "root", id="nothing"),
        call(people, "root"),
        call(unfollow, "root", id=name),
        call(unfollow, "root", id=name),
        call(unfollow, id=name),
        call(unfollow, "root", id="nothing"),
        call(unfollow, "root"),
        call(count, "root", id=name),
    ]


def _followees() -> list[Call]:
    """What somebody follows, by kind and together."""
    kinds = ("dataset", "group", "organization", "user")
    counts = ["followee_count", *(f"{kind}_followee_count" for kind in kinds)]
    lists = ["followee_list", *(f"{kind}_followee_list" for kind in kinds)]
    found = [call(name, who, id="editor") for name in counts for who in ("editor", "nobody", "public")]
    found += [
        call(name, who, id="editor") for name in lists for who in ("editor", "root", "nobody", "public")
    ]
    for name in (*counts, *lists):
        found += [get(name, "root", id="editor"), call(name, "root", id="nothing"), call(name, "root")]
    return found


CALLS: list[Call] = [
    call("user_show", "root", id="member", keep="user"),
    call("package_create", "editor", name="bridges", title="Bridges", owner_org="parks", keep="dataset"),
    call("package_create", "editor", name="tunnels", title="Tunnels", owner_org="parks", private=True, keep="tunnels"),
    call("group_create", "root", name="traffic", title="Traffic", keep="group"),
    *chain.from_iterable(_of(kind, name) for kind, name in KINDS.items()),
    call("follow_user", "editor", id="editor"),
    call("follow_group", "editor", id="parks"),
    call("follow_dataset", "editor", id="tunnels"),
    call("follow_dataset", "nobody", id="tunnels"),
    call("am_following_group", "editor", id="parks"),
    call("organization_follower_count", "nobody", id="parks"),
    call("organization_follower_count", id="parks"),
    call("organization_follower_count", "nobody", id="nothing"),
    call("organization_follower_count", "nobody"),
    call("organization_follower_list", "root", id="parks"),
    call("organization_follower_list", "editor", id="parks"),
    call("organization_follower_list", id="parks"),
    call("organization_follower_list", "root", id="nothing"),
    *_followees(),
    call("followee_list", "editor", id="editor", q="br"),
    call("followee_list", "editor", id="editor", q="zz"),
    call("user_show", "editor", id="member", include_num_followers=True),
    call("organization_list", all_fields=True, include_followers=True),
    call("group_list", all_fields=True, include_followers=True),
    call("group_show", id="traffic", include_followers=True),
    call("organization_show", id="parks", include_followers=True),
    call("user_list", "root", q="member", include_num_followers=True),
    call("unfollow_group", "editor", id="parks"),
    call("organization_follower_count", "editor", id="parks"),
    call("package_delete", "editor", id="bridges"),
    call("dataset_followee_list", "editor", id="editor"),
    call("followee_count", "editor", id="editor"),
]  # fmt: skip
