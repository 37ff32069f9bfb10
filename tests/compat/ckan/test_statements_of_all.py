"""Every action of CKAN takes as many statements however much there is: none asks the database once for each thing that it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from statements import statements

from opendata.accounts import authenticator
from opendata.compat.ckan import refused
from opendata.compat.ckan.api import ACTIONS
from opendata.work import heard

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
PASSWORD = "long-enough-1"
REFUSED = {function.__name__ for function in (*refused.READING, *refused.CHANGING)}
FEW, MANY = 2, 7
SQL = 'SELECT * FROM "%s"'


@dataclass
class Counting:
    """Calls actions as sysadmin, and keeps how many statements each took, at least."""

    root: Any
    taken: dict[str, int] = field(default_factory=dict)

    def __call__(self, action: str, **args: Any) -> Any:
        place = self.root.client.app.state.application.place
        with statements(place._reading) as reading, statements(place._writing) as writing:
            answer = self.root.post(action, **args)
        assert answer.status_code == 200 or action in REFUSES, (action, answer.text)
        self.taken[action] = min(self.taken.get(action, 1000), len(reading) + len(writing))
        return answer.json().get("result")


REFUSES = {
    "get_site_user", "job_show", "job_cancel", "job_clear", "config_option_update", "send_email_notifications",
    "activity_delete", "activity_delete_all", "user_invite", "activity_diff", "dataset_submit",
}  # fmt: skip
"""Actions whose refusal is counted, or whose answer depends on what is there."""


def links(n: int, words: str) -> list[dict[str, str]]:
    return [{"url": f"http://example.org/{number}.csv", "name": f"{words} {number}"} for number in range(n)]


def life(do: Counting, key: str, size: int) -> dict[str, str]:
    """Every changing action, on things that have `size` parts; ids of what stays."""
    ids = {}
    people = [f"{key}-ann-{n}" for n in range(size)]
    for name in people:
        ids["user"] = do("user_create", name=name, email=f"{name}@example.org", password=PASSWORD)["id"]
    bodies = [f"{key}-office", f"{key}-gone"]
    for name in bodies:
        do("organization_create", name=name, title="Office", extras=[{"key": "a", "value": "b"}])
        do("group_create", name=f"{name}-group", title="Group")
    group = f"{bodies[0]}-group"
    for name in people:
        do("organization_member_create", id=bodies[0], username=name, role="editor")
        do("group_member_create", id=group, username=name, role="member")
    do("member_create", id=group, object=people[0], object_type="user", capacity="member")
    do("organization_update", id=bodies[0], name=bodies[0], title="Office 2")
    do("organization_patch", id=bodies[0], title="Office 3")
    do("group_update", id=group, name=group, title="Group 2")
    do("group_patch", id=group, title="Group 3")
    terms = [{"name": f"{key}-term-{n}"} for n in range(size)]
    vocabulary = do("vocabulary_create", name=f"{key}-words", tags=terms)
    do("vocabulary_update", id=vocabulary["id"], name=f"{key}-words", tags=terms)
    packages(do, key, size, [*terms_of(vocabulary), *({"name": f"tag {n}"} for n in range(size))], ids)
    following(do, key, size, people, ids)
    outside(do, key, size, people, ids)
    one = do("tag_create", name=f"{key}-more", vocabulary_id=vocabulary["id"])
    do("tag_delete", id=one["id"], vocabulary_id=vocabulary["id"])
    empty = do("vocabulary_create", name=f"{key}-empty", tags=[])
    do("vocabulary_delete", id=empty["id"])
    do("organization_member_delete", id=bodies[0], username=people[0])
    do("group_member_delete", id=group, username=people[0])
    do("member_create", id=group, object=people[0], object_type="user", capacity="member")
    do("member_delete", id=group, object=people[0], object_type="user")
    do("organization_delete", id=bodies[1])
    do("organization_purge", id=bodies[1])
    do("group_delete", id=f"{bodies[1]}-group")
    do("group_purge", id=f"{bodies[1]}-group")
    return ids | {
        "organization": bodies[0],
        "group": group,
        "vocabulary": vocabulary["id"],
        "person": people[-1],
    }


def terms_of(vocabulary: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": tag["name"], "vocabulary_id": vocabulary["id"]} for tag in vocabulary["tags"]]


def packages(do: Counting, key: str, size: int, tags: list[dict[str, str]], ids: dict[str, str]) -> None:
    name, owner = f"{key}-road", f"{key}-office"
    given = {"owner_org": owner, "notes": "n", "author_email": "a@example.org", "tags": tags}
    given["groups"] = [{"name": f"{owner}-group"}]
    made = do("package_create", name=name, title="Road", resources=links(size, "A"), **given)
    others = [
        do("package_create", name=f"{name}-{n}", title="Other", resources=links(1, "B"), **given)["id"]
        for n in range(max(size, 4))
    ]
    shown = do("package_show", id=name)
    shown["resources"][0]["name"] = "Another name"
    do("package_update", **{**shown, "title": "Road 2"})
    do("package_patch", id=name, title="Road 3")
    do("package_revise", match__name=name, update__title="Road 4")
    do("dataset_submit", id=name)
    do("package_resource_reorder", id=name, order=[made["resources"][-1]["id"]])
    do("package_owner_org_update", id=others[3], organization_id="housing")
    new = do("resource_create", package_id=name, url="http://example.org/new.csv")
    do("resource_update", id=new["id"], url="http://example.org/newer.csv")
    do("resource_patch", id=new["id"], name="newer")
    kept = made["resources"][0]["id"]
    for n in range(size):
        view = do("resource_view_create", resource_id=kept, title=f"View {n}", view_type="text_view")
    do("resource_view_update", id=view["id"], resource_id=kept, title="View", view_type="text_view")
    do("resource_view_reorder", id=kept, order=[view["id"]])
    other = do("resource_view_create", resource_id=kept, title="More", view_type="image_view")
    do("resource_view_clear", view_types=["image_view"])
    other = do("resource_view_create", resource_id=kept, title="More", view_type="text_view")
    do("resource_view_delete", id=other["id"])
    do("resource_create_default_resource_views", resource={"id": kept})
    do("package_create_default_resource_views", package={"id": name})
    do("resource_delete", id=new["id"])
    rows = [{"code": f"c{n}", "length": n} for n in range(size)]
    table = do(
        "datastore_create", resource={"package_id": name, "name": "rows"}, records=rows, primary_key="code"
    )
    do("datastore_upsert", resource_id=table["resource_id"], records=rows)
    do("datastore_records_delete", resource_id=table["resource_id"], filters={"code": "c0"})
    gone = do("datastore_create", resource={"package_id": others[0], "name": "rows"}, records=rows)
    do("datastore_delete", resource_id=gone["resource_id"])
    do("bulk_update_private", datasets=others[:2], org_id=owner)
    do("bulk_update_public", datasets=others[:2], org_id=owner)
    do("bulk_update_delete", datasets=others[:2], org_id=owner)
    do("package_delete", id=others[2])
    do("dataset_purge", id=others[2])
    ids |= {"package": name, "resource": kept, "view": view["id"], "rows": table["resource_id"]}


def following(do: Counting, key: str, size: int, people: list[str], ids: dict[str, str]) -> None:
    things = {"dataset": f"{key}-road", "group": f"{key}-office", "user": people[0]}
    for kind, name in things.items():
        do(f"follow_{kind}", id=name)
        do(f"unfollow_{kind}", id=name)
        do(f"follow_{kind}", id=name)
    for name in people:
        do("package_collaborator_create", id=f"{key}-road", user_id=name, capacity="member")
    do("package_collaborator_delete", id=f"{key}-road", user_id=people[0])


def outside(do: Counting, key: str, size: int, people: list[str], ids: dict[str, str]) -> None:
    """Tasks, translations, jobs, options, accounts and activities."""
    state = {"entity_id": ids["resource"], "entity_type": "resource", "value": "v"}
    task = do("task_status_update", **state, task_type="t", key=key)
    do(
        "task_status_update_many",
        data=[{**state, "task_type": "many", "key": f"{key}-{n}"} for n in range(2)],
    )
    gone = do("task_status_update", **state, task_type="t", key=f"{key}-gone")
    do("task_status_delete", id=gone["id"])
    word = {"term": "road", "term_translation": "x", "lang_code": key}
    do("term_translation_update", **word)
    do("term_translation_update_many", data=[{**word, "term": f"road {n}"} for n in range(2)])
    for action in ("job_cancel", "job_clear", "config_option_update", "send_email_notifications"):
        do(action, id="x")
    do("user_update", id=people[0], email=f"{people[0]}@example.com", fullname="Ann")
    do("user_patch", id=people[0], fullname="Ann 2")
    do("user_invite", email=f"{key}@example.org", group_id=f"{key}-office", role="editor")
    token = do("api_token_create", user=people[0], name="t")["token"]
    do("api_token_revoke", token=token)
    do("api_token_create", user=people[-1], name="t")
    told = {"user_id": people[0], "object_id": f"{key}-road", "activity_type": "changed package"}
    activity = do("activity_create", **told)
    do("dashboard_mark_activities_old")
    do("activity_delete", id=activity["id"])
    do("activity_delete_all")
    do("activity_delete_counts")
    do(
        "user_delete",
        id=do("user_create", name=f"{key}-gone", email=f"{key}-gone@example.org", password=PASSWORD)["id"],
    )
    ids |= {"task": task["id"], "activity": do("package_activity_list", id=f"{key}-road")[-1]["id"]}


def look(do: Counting, ids: dict[str, str]) -> None:
    """Every reading action, at what has many parts, with all that can be asked for beside it."""
    every = {"limit": 100}
    package, resource, group = {"id": ids["package"]}, {"id": ids["resource"]}, {"id": ids["group"]}
    organization, person, whole = {"id": ids["organization"]}, {"id": ids["person"]}, {"all_fields": True}
    more = {
        "include_datasets": True,
        "include_users": True,
        "include_groups": True,
        "include_followers": True,
    }
    calls: dict[str, dict[str, Any]] = {
        "package_show": package, "package_list": {}, "current_package_list_with_resources": every,
        "package_search": {"rows": 100, "facet.field": ["tags", "organization", "groups", "vocab_words"], "include_private": True},
        "organization_list": whole | {"include_extras": True, "include_users": True}, "organization_show": organization | more,
        "organization_list_for_user": {"include_dataset_count": True}, "group_list": whole | {"include_extras": True, "include_users": True},
        "group_show": group | more, "group_package_show": group, "group_list_authz": {"include_dataset_count": True},
        "resource_show": resource, "datastore_search": {"resource_id": ids["rows"]}, "datastore_info": {"id": ids["rows"]},
        "datastore_search_sql": {"sql": SQL % ids["rows"]}, "user_show": person | {"include_datasets": True, "include_num_followers": True},
        "user_list": whole, "user_autocomplete": {"q": "ann"}, "api_token_list": {"user_id": ids["person"]}, "member_list": organization,
        "member_roles_list": {}, "tag_list": whole, "tag_show": {"id": "tag 0", "include_datasets": True}, "tag_search": {"query": "r"},
        "tag_autocomplete": {"query": "r"}, "vocabulary_list": {}, "vocabulary_show": {"id": ids["vocabulary"]},
        "package_autocomplete": {"q": "road"}, "format_autocomplete": {"q": "c"}, "organization_autocomplete": {"q": "o"},
        "group_autocomplete": {"q": "g"}, "resource_search": {"query": "name:A"}, "resource_view_show": {"id": ids["view"]},
        "resource_view_list": resource, "package_collaborator_list": package, "package_collaborator_list_for_user": person,
        "am_following_dataset": package, "am_following_group": organization, "am_following_user": person,
        "task_status_show": {"id": ids["task"]}, "term_translation_show": {"terms": ["road", "road 0", "road 1"]}, "job_show": {"id": "x"},
        "config_option_show": {"key": "ckan.site_title"}, "help_show": {"name": "package_show"}, "activity_show": {"id": ids["activity"]},
        "activity_data_show": {"id": ids["activity"]}, "activity_diff": {"id": ids["activity"], "object_type": "package"},
        "package_activity_list": package | every, "group_activity_list": group | every, "organization_activity_list": organization | every,
        "user_activity_list": person | every, "recently_changed_packages_activity_list": every, "dashboard_activity_list": every,
    }  # fmt: skip
    kinds = {"dataset": package, "group": group, "organization": organization, "user": person}
    me = {"id": do("user_show")["id"]}
    for kind, named in kinds.items():
        calls |= {f"{kind}_follower_count": named, f"{kind}_follower_list": named}
        calls |= {f"{kind}_followee_count": me, f"{kind}_followee_list": me}
    for name in (n for n, action in ACTIONS.items() if not action.changes and n not in REFUSED):
        do(name, **calls.get(name, me))


def looks(do: Counting, ids: dict[str, str]) -> None:
    """Twice, as `life` at its largest is lived twice: what a job has just changed is read anew by the first who asks, whoever that is."""
    look(do, ids)
    look(do, ids)


FOR_EACH = {"package_resource_reorder", "resource_view_clear"}
"""What changes a row of each thing that it is about: a place, or the views of each resource that has any."""


def test_no_action_takes_more_where_there_is_more(callers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is known is asked anew each half minute: on a slow machine within an action that is counted.
    monkeypatch.setattr(authenticator, "KNOWN_FOR", timedelta(hours=1))
    monkeypatch.setattr(heard, "KEPT_FOR", timedelta(hours=1))
    root = callers.root
    life(Counting(root), "warm", FEW)
    few, many = Counting(root), Counting(root)
    small = life(few, "few", FEW)
    callers.settle()
    looks(few, small)
    for n in range(3):
        life(Counting(root), f"more{n}", FEW)
    life(many, "much", MANY)
    large = life(many, "many", MANY)
    callers.settle()
    looks(many, large)
    assert few.taken.keys() == ACTIONS.keys() - REFUSED
    grown = {
        name: (few.taken[name], n)
        for name, n in many.taken.items()
        if n > few.taken[name] and name not in FOR_EACH
    }
    assert grown == {}
