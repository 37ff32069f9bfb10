"""What a change by CKAN's API costs: statements, which are most of its time. Under `direct` it goes all the way out."""

from __future__ import annotations

from typing import Any

import pytest
from statements import statements

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
CREATE, UPDATE, PATCH = 24, 31, 26
"""Pinned one above what they are: who needs another statement thinks of one that can go."""


def package(name: str, words: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner_org": "housing",
        "title": words,
        "notes": words,
        "author_email": "a@example.org",
        "tags": [{"name": "roads"}],
        "groups": [{"name": "transport"}],
        "extras": [{"key": "update_frequency", "value": "daily"}],
        "resources": [{"url": f"http://example.org/{n}.csv", "name": f"{words} {n}"} for n in range(5)],
    }


def sent(callers: Any, action: str, **args: Any) -> list[str]:
    with statements(callers.editor.client.app.state.application.place._writing) as found:
        callers.editor.ok(action, **args)
    return [statement for statement, _parameters in found]


def test_a_change_that_goes_out_takes_few_statements(callers: Any) -> None:
    callers.root.ok("group_create", name="transport")
    callers.editor.ok("package_create", **package("first", "First"))
    made = sent(callers, "package_create", **package("second", "Second"))
    assert len(made) <= CREATE, made
    shown = callers.editor.ok("package_show", id="second")
    shown["resources"][0]["name"] = "Another name"
    changed = sent(callers, "package_update", **{**shown, "title": "Other words"})
    assert len(changed) <= UPDATE, changed
    patched = sent(callers, "package_patch", id="second", title="Third words")
    assert len(patched) <= PATCH, patched


def test_a_rule_is_read_when_it_has_changed(callers: Any) -> None:
    callers.root.ok("group_create", name="transport")
    rules = ("negative_entry", "theme_group", "metadata_profile", "publication_policy")
    first = sent(callers, "package_create", **package("first", "First"))
    made = sent(callers, "package_create", **package("second", "Second"))
    for table in rules:
        assert sum(f"FROM {table}" in statement for statement in first) <= 1, table
        assert not [statement for statement in made if f"FROM {table}" in statement], table
    callers.root.ok("group_create", name="health")
    again = sent(callers, "package_create", **package("third", "Third"))
    assert [table for table in rules if any(f"FROM {table}" in statement for statement in again)] == [
        "theme_group"
    ]
    assert not [statement for statement in made if "review_round" in statement or "notice" in statement]


def read(callers: Any, action: str, **args: Any) -> tuple[int, int]:
    """How many statements a reading action takes, and how long its answer is."""
    with statements(callers.root.client.app.state.application.place._reading) as found:
        answer = callers.root.ok(action, **args)
    return len(found), len(answer) if isinstance(answer, list) else answer


LISTS = {
    "package_activity_list": {"id": "road-0"},
    "group_activity_list": {"id": "transport"},
    "organization_activity_list": {"id": "housing"},
    "user_activity_list": {"id": "editor"},
    "recently_changed_packages_activity_list": {},
    "dashboard_activity_list": {},
    "dataset_follower_list": {"id": "road-0"},
    "followee_list": {"id": "editor"},
    "dataset_followee_list": {"id": "editor"},
    "group_followee_list": {"id": "editor"},
    "organization_followee_list": {"id": "editor"},
    "user_followee_list": {"id": "editor"},
    "package_collaborator_list": {"id": "road-0"},
    "package_collaborator_list_for_user": {"id": "ann-0"},
    "term_translation_show": {"terms": ["road", "lake"]},
    "organization_list": {"all_fields": True},
    "group_list": {"all_fields": True},
}


def grow(callers: Any, n: int) -> None:
    """One more of everything that those lists tell."""
    root, editor = callers.root, callers.editor
    name = f"road-{n}"
    editor.ok("package_create", **package(name, name))
    editor.ok("package_patch", id="road-0", title=f"Road {n}")
    root.ok("group_create", name=f"theme-{n}")
    root.ok("organization_create", name=f"office-{n}", title="Office")
    root.ok("user_create", name=f"ann-{n}", email=f"ann-{n}@example.org", password="long-enough-1")
    token = root.ok("api_token_create", user=f"ann-{n}", name="t")["token"]
    follower = type(root)(root.client, token)
    for caller in (editor, follower, root):
        caller.ok("follow_dataset", id="road-0")
        caller.ok("follow_dataset", id=name)
        caller.ok("follow_group", id=f"theme-{n}")
        caller.ok("follow_group", id=f"office-{n}")
    editor.ok("follow_user", id=f"ann-{n}")
    root.ok("follow_user", id=f"ann-{n}")
    root.ok("package_collaborator_create", id="road-0", user_id=f"ann-{n}", capacity="editor")
    root.ok("package_collaborator_create", id=name, user_id="ann-0", capacity="member")
    root.ok("term_translation_update", term="road", term_translation="x", lang_code=f"l{n}")


def test_a_list_takes_as_many_statements_however_long_it_is(callers: Any) -> None:
    callers.root.ok("group_create", name="transport")
    for n in range(2):
        grow(callers, n)
    callers.settle()
    before = {action: read(callers, action, **args) for action, args in LISTS.items()}
    for n in range(2, 6):
        grow(callers, n)
    callers.settle()
    for action, args in LISTS.items():
        few, many = before[action], read(callers, action, **args)
        assert many[1] > few[1], f"{action} did not grow"
        assert many[0] <= few[0], f"{action}: {few} statements became {many}"
