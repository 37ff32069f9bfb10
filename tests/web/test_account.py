"""One's own account and the people of a body."""

from __future__ import annotations

import re
from typing import Any

import pytest

from opendata.accounts.models import SignInFailure
from opendata.application import Application
from opendata.work.actor import SYSTEM, Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)

DESK = "/zh/console"
PASSWORD = "a long enough password"


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


def change(person: Any, **fields: str) -> Any:
    here = f"{DESK}/account"
    return person.send(here, f"{here}/password", **fields)


def test_a_new_password_asks_for_the_old_one_and_ends_other_sessions(office: Any, browser: Any) -> None:
    here, elsewhere = browser("editor"), browser("editor")
    new = "four plain words here"
    wrong = change(here, old="not the password", password=new, again=new)
    assert wrong.status_code == 422
    assert "现在的密码不对" in wrong.text
    for fields in ({"password": "short", "again": "short"}, {"password": new, "again": new + "!"}):
        refused = change(here, old=PASSWORD, **fields)
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.text
        assert fields["password"] not in refused.text
    assert elsewhere.get(DESK).status_code == 200
    assert change(here, old=PASSWORD, password=new, again=new).headers["location"].endswith("done=password")
    assert here.get(DESK).status_code == 200
    assert elsewhere.get(DESK).status_code == 303
    stranger = browser()
    assert stranger.sign_in("editor", PASSWORD).status_code == 422
    assert stranger.sign_in("editor", new).status_code == 303
    assert office.editor.get("/me").status_code == 200


def test_guesses_of_the_old_password_are_counted(app: Application, office: Any, browser: Any) -> None:
    """Like failed sign-ins, with which they share their count."""
    editor = browser("editor")
    new = "four plain words here"
    assert "现在的密码不对" in change(editor, old="a guess", password=new, again=new).text
    with app.place.writing(SYSTEM) as work:
        failure = work.session.get_one(SignInFailure, "account:editor")
        assert failure.count == 1
        failure.count = 20
    assert "登录失败次数过多" in change(editor, old=PASSWORD, password=new, again=new).text


def test_an_admin_edits_the_bodys_data(office: Any, browser: Any) -> None:
    office.person("head", Role.ADMIN)
    head = browser("head")
    here = f"{DESK}/agency/housing/edit"
    assert here in head.see(f"{DESK}/agency")
    fields = {
        "title": "市住房局", "kind": "public_institution", "region_code": "320600", "responsible_leader": "李局长",
        "contact_phone": "0513-1", "contact_email": "new@example.org",
    }  # fmt: skip
    wrong = head.send(here, here, **fields, uscc="91350100M000100Y44")
    assert wrong.status_code == 422
    assert "不是有效的统一社会信用代码" in wrong.text
    assert "李局长" in wrong.text
    old = head.hidden(here, here)
    assert head.send(here, here, **fields, uscc="91350100m000100y43").status_code == 303
    found = office.admin.get("/agencies/housing").json()
    assert {name: found[name] for name in fields} == fields
    assert found["uscc"] == "91350100M000100Y43"
    assert head.post(here, {**old, **fields, "title": "覆盖"}).status_code == 412
    assert head.send(here, here, **fields, uscc="").status_code == 303
    assert office.admin.get("/agencies/housing").json()["uscc"] is None


def test_only_an_admin_reaches_the_bodys_data(office: Any, browser: Any) -> None:
    editor = browser("editor")
    here = f"{DESK}/agency/housing/edit"
    assert here not in editor.see(f"{DESK}/agency")
    assert editor.get(here).status_code == 403
    token = editor.hidden(DESK, "/zh/sign-out")
    assert editor.post(here, {**token, "title": "改"}).status_code == 403
    reviewer = browser("content")  # sees the boards of the bodies, and cannot change them
    assert here not in reviewer.see(f"{DESK}/agency")
    assert reviewer.get(here).status_code == 403
