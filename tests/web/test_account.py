"""One's own account and the people of a body."""

from __future__ import annotations

import re
from typing import Any

import pytest

from opendata.work.actor import Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)

DESK = "/zh/console"


def test_a_token_is_shown_once_and_can_be_revoked(office: Any, browser: Any) -> None:
    editor = browser("editor")
    here = f"{DESK}/account"
    assert editor.send(here, f"{here}/tokens", name="", days="90", scopes=["read"]).status_code == 422
    assert editor.send(here, f"{here}/tokens", name="x", days="9999", scopes=["read"]).status_code == 422
    made = editor.send(here, f"{here}/tokens", name="夜间脚本", days="90", scopes=["read", "write"])
    secret = re.search(r"ogd_[\w-]+", made.text)
    assert secret
    headers = {"Authorization": f"Bearer {secret[0]}"}
    assert editor.client.get("/api/v1/me", headers=headers).json()["scopes"] == ["read", "write"]
    page = editor.see(here)
    assert secret[0] not in page
    revoke = re.search(
        rf'action="({here}/tokens/[0-9a-f-]+/revoke)"><input[^>]*><button[^>]*>吊销<span class="vh">：夜间脚本',
        page,
    )
    assert revoke
    assert editor.send(here, revoke[1]).status_code == 303
    assert editor.client.get("/api/v1/me", headers=headers).status_code == 401


def test_an_admin_sets_roles(office: Any, browser: Any) -> None:
    office.person("head", Role.ADMIN)
    office.person("newcomer")
    head = browser("head")
    here = f"{DESK}/agency/housing/members"
    assert head.send(here, here, user="newcomer", roles=["editor"]).status_code == 303
    assert "newcomer" in head.see(here)
    assert browser("newcomer").get(f"{DESK}/new").status_code == 200
    assert head.send(here, here, user="nobody-here", roles=["editor"]).status_code == 422
    assert head.send(here, here, user="newcomer", roles=[]).status_code == 303
    assert "newcomer" not in head.see(here)
