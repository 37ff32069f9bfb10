"""The wire: envelope, statuses, and all the ways to send arguments, as CKAN 2.12 answers."""

from __future__ import annotations

import json
import re

import pytest

from opendata.compat.ckan.api import ACTIONS

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
CREATED = {"name": "streets", "owner_org": "housing"}


def test_envelope(callers):
    answer = callers.public.get("status_show")
    assert answer.status_code == 200
    assert answer.json().keys() == {"help", "success", "result"}
    assert answer.json()["help"] == "http://testserver/api/3/action/help_show?name=status_show"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert callers.public.client.get("/api/3").json() == {"version": 3}
    assert callers.public.client.get("/api/action/status_show").json()["success"] is True


def test_unknown_action_is_a_bare_string(callers):
    for answer in (callers.public.get("site_read"), callers.public.post("site_read")):
        assert answer.status_code == 400
        assert answer.json() == "Bad request: Action name not known: site_read"


def test_get_of_an_action_with_effects(callers):
    for name, action in ACTIONS.items():
        if action.changes:
            answer = callers.root.get(name, id="x")
            assert answer.status_code == 400
            assert answer.json().startswith("Bad request: JSON Error: Invalid request. Please use POST")


def test_bad_json(callers):
    answer = callers.public.client.post(
        "/api/3/action/package_show", content=b'{"id":', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert answer.json().startswith("Bad request: JSON Error")
    answer = callers.public.client.post("/api/3/action/package_show", content=b"[1]")
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", None])
def test_json_under_any_content_type(callers, kind):
    """`curl -d '{…}'` says that it sends a form; others say nothing at all."""
    headers = {"Authorization": callers.root.token} | ({"Content-Type": kind} if kind else {})
    body = json.dumps({**CREATED, "notes": "a & b = c + d 100%"})
    answer = callers.root.client.post("/api/3/action/package_create", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["notes"] == "a & b = c + d 100%"


def test_forms(callers):
    post = callers.root.client.post
    headers = {"Authorization": callers.root.token}
    as_form = post("/api/3/action/package_create", data=CREATED, headers=headers)
    assert as_form.json()["result"]["name"] == "streets"
    key_alone = post("/api/3/action/package_show", data={json.dumps({"id": "streets"}): "1"}, headers=headers)
    assert key_alone.json()["result"]["name"] == "streets"
    multipart = post("/api/3/action/package_show", files={"id": (None, "streets")}, headers=headers)
    assert multipart.json()["result"]["name"] == "streets"


def test_errors(callers):
    assert callers.public.fails(404, "package_show", id="nothing")["__type"] == "Not Found Error"
    missing = callers.public.fails(409, "package_show")
    assert missing == {"__type": "Validation Error", "name_or_id": ["Missing value"]}
    assert callers.public.fails(403, "package_create", **CREATED)["__type"] == "Authorization Error"
    answer = callers.public.get("package_search", nonsense="1")
    assert answer.status_code == 400
    assert answer.json()["error"]["__type"] == "Search Query Error"
    assert "nonsense" in answer.json()["error"]["message"]


def test_a_bad_token_is_no_token(callers):
    headers = {"Authorization": "not-a-token"}
    client = callers.public.client
    assert client.get("/api/3/action/status_show", headers=headers).status_code == 200
    answer = client.post("/api/3/action/package_create", json=CREATED, headers=headers)
    assert answer.status_code == 403


def test_jsonp_drops_the_token(callers):
    callers.create("secret", private=True)
    mine = callers.editor.get("package_show", id="secret")
    assert mine.status_code == 200
    answer = callers.editor.get("package_show", id="secret", callback="show.it")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/json")  # errors are no scripts, as in CKAN
    answer = callers.editor.get("package_search", q="*:*", include_private="true", callback="show.it")
    assert answer.headers["content-type"].startswith("application/javascript")
    assert re.fullmatch(r"/\*\*/show\.it\(\{.*\}\);", answer.text)
    assert "secret" not in answer.text
    assert callers.editor.get("status_show", callback="alert(1)//").status_code == 400


def test_head_and_options(callers):
    client = callers.public.client
    assert client.head("/api/3/action/status_show").status_code == 200
    answer = client.options("/api/3/action/package_create")
    assert answer.status_code == 200
    assert "Authorization" in answer.headers["access-control-allow-headers"]


def test_help_of_every_action(callers):
    for name in ACTIONS:
        assert callers.public.ok("help_show", name=name)
    assert callers.public.fails(404, "help_show", name="nothing")["__type"] == "Not Found Error"


def test_every_action_answers_strangers_in_the_envelope(callers):
    """No action is a 500, whatever is left out or odd."""
    odd = {"id": ["x"], "name": {"a": 1}, "package_id": "\u0001", "rows": "x", "limit": -1, "q": "((("}
    for name in ACTIONS:
        for caller in (callers.public, callers.root):
            for args in ({}, {"id": "x", "name": "x"}, odd):
                answer = caller.post(name, **args)
                assert answer.status_code in (200, 400, 403, 404, 409), (name, args, answer.text)
                assert "success" in answer.json() or answer.status_code == 400
