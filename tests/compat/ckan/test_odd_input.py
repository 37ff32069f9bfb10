"""Every action, called with what no client should send: CKAN's error shape and a status below 500, whoever calls."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from opendata.compat.ckan.api import ACTIONS

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
NAMES = [
    "id",
    "name",
    "title",
    "notes",
    "owner_org",
    "private",
    "state",
    "tags",
    "tag_string",
    "extras",
    "groups",
    "resources",
    "url",
    "format",
    "schema",
    "package_id",
    "upload",
    "size",
    "resource_id",
    "resource",
    "fields",
    "records",
    "primary_key",
    "indexes",
    "aliases",
    "force",
    "method",
    "filters",
    "q",
    "fq",
    "fq_list",
    "sort",
    "rows",
    "start",
    "limit",
    "offset",
    "facet.field",
    "facet.limit",
    "distinct",
    "plain",
    "full_text",
    "records_format",
    "include_total",
    "total_estimation_threshold",
    "sql",
    "query",
    "vocabulary_id",
    "all_fields",
    "user",
    "user_id",
    "username",
    "role",
    "object",
    "object_type",
    "capacity",
    "email",
    "password",
    "fullname",
    "order",
    "view_types",
    "view_type",
    "description",
    "image_url",
    "match",
    "filter",
    "update",
    "include",
    "update__title",
    "update__resources__0__name",
    "match__id",
    "order_by",
    "organization_id",
    "permission",
    "include_datasets",
    "include_users",
    "clear_upload",
    "url_type",
    "hash",
    "package",
    "metadata_modified",
]
ENDS_ACCOUNTS = {"user_delete", "user_update", "user_patch", "api_token_revoke"}
"""Called by everybody but root, who is needed to the end."""
DEEP = b'{"id": ' + b"[" * 500 + b"]" * 500 + b"}"
BODIES = (
    b"", b"{", b"null", b"[]", b"7", b'"x"', b'{"id": NaN}', b'{"id": 1e999}', b'{"id": "\\ud800"}', b'{"id": "\\u0000"}',
    b'{"id": 1, "id": 2}', b"\xff\xfe", DEEP, b'{"id": ' + b"9" * 5000 + b"}",
)  # fmt: skip


@pytest.fixture
def things(callers: Any) -> list[Any]:
    """Ids and names of what is there, another body's draft among them."""
    callers.root.ok("group_create", name="traffic")
    vocabulary = callers.root.ok("vocabulary_create", name="levels", tags=[{"name": "one"}])
    made = callers.create(
        "streets", title="Streets", groups=[{"name": "traffic"}], resources=[{"url": "http://x/a.csv"}]
    )
    view = callers.editor.ok(
        "resource_view_create", resource_id=made["resources"][0]["id"], title="v", view_type="text_view"
    )
    rows = callers.editor.ok(
        "datastore_create", resource={"package_id": made["id"]}, fields=[{"id": "a", "type": "int"}], records=[{"a": 1}]
    )  # fmt: skip
    hidden = callers.stranger.ok("package_create", name="hidden", owner_org="water", private=True)
    callers.settle()
    return [
        "streets", made["id"], made["resources"][0]["id"], view["id"], rows["resource_id"], hidden["id"], "housing", "water",
        "traffic", "levels", vocabulary["id"], "editor", "root", made["owner_org"],
    ]  # fmt: skip


def value(draw: Random, things: list[Any], depth: int = 0) -> Any:
    kind = draw.randrange(14)
    if kind < 4:
        return draw.choice(things)
    if kind < 8 or depth > 3:
        return draw.choice([
            None, True, False, 0, -1, 1 << 70, 1.5, -1e308, "", " ", "\u0001", "a\nb", "é" * 300, "x" * 20_000, "0", "[", "{}",
            '[{"a": [1]}]', "*:*", "a:[1 TO", "../..", "%00", "'; --", "NOW-1DAY", "00000000-0000-0000-0000-000000000000",
        ])  # fmt: skip
    if kind < 11:
        return [value(draw, things, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(NAMES): value(draw, things, depth + 1) for _ in range(draw.randrange(4))}


def check(name: str, sent: Any, answer: Any) -> None:
    assert answer.status_code < 500, (name, sent, answer.text[:500])
    told = answer.json()
    if answer.status_code == 200:
        assert told["success"] is True, (name, sent)
    elif isinstance(told, str):
        assert answer.status_code == 400, (name, sent)
    else:
        assert (told["success"], bool(told["error"]["__type"])) == (False, True), (name, sent)


@pytest.mark.parametrize(
    "seed", [1, 2, pytest.param(3, marks=pytest.mark.heavy), pytest.param(4, marks=pytest.mark.heavy)]
)
def test_odd_arguments(callers: Any, things: list[Any], seed: int) -> None:
    draw = Random(seed)
    for name in sorted(ACTIONS):
        for caller in (callers.public, callers.stranger, callers.editor, callers.root):
            if caller is callers.root and name in ENDS_ACCOUNTS:
                continue
            for _ in range(2):
                args = {draw.choice(NAMES): value(draw, things) for _ in range(draw.randrange(1, 6))}
                check(name, args, caller.client.post(
                    f"/api/3/action/{name}", content=json.dumps(args), headers=caller.headers
                ))  # fmt: skip


def test_odd_bodies(callers: Any) -> None:
    for name in sorted(ACTIONS):
        for body in BODIES:
            for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
                headers = callers.editor.headers | {"Content-Type": kind}
                answer = callers.editor.client.post(f"/api/3/action/{name}", content=body, headers=headers)
                check(name, (kind, body[:40]), answer)


def test_odd_forms(callers: Any, things: list[Any]) -> None:
    """Files where none belongs, fields twice, parts without names, a boundary that never comes."""
    headers = callers.editor.headers
    for name in sorted(ACTIONS):
        here = f"/api/3/action/{name}"
        for files in (
            {"upload": ("a.csv", b"a\n1\n")},
            {"id": ("x", b"y")},
            {"image_upload": ("a.png", b"x")},
        ):
            check(
                name,
                files,
                callers.editor.client.post(here, files=files, data={"id": things[0]}, headers=headers),
            )
        twice = callers.editor.client.post(here, data={"id": ["a", "b"], "q": ["", ""]}, headers=headers)
        check(name, "twice", twice)
        broken = headers | {"Content-Type": "multipart/form-data; boundary=x"}
        for body in (b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\ny\r\n--x--\r\n"):
            check(name, body, callers.editor.client.post(here, content=body, headers=broken))
