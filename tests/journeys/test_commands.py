"""The operator's commands beside a running server: bodies and forgotten passwords."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from opendata.accounts import service as accounts
from opendata.accounts import sessions
from opendata.application import Application
from opendata.cli import cli
from opendata.core.errors import Invalid
from opendata.work.actor import SYSTEM

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


def run(app: Application, *words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=stdin, env={"OPENDATA_DATA_DIR": str(app.settings.data_dir)})


def test_a_body_is_made_with_its_contact(app: Application, client: Any) -> None:
    made = run(
        app, "agency", "create", "bus", "--title", "公交公司", "--contact-email", "bus@example.org", "--region", "320600",
        "--kind", "public_enterprise",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    found = client.get("/api/v1/agencies/bus").json()
    told = (found["title"], found["contact_email"], found["region_code"], found["kind"])
    assert told == ("公交公司", "bus@example.org", "320600", "public_enterprise")
    assert run(app, "agency", "create", "tram", "--title", "电车公司", "--parent", "bus").exit_code == 0
    assert client.get("/api/v1/agencies/tram").json()["kind"] == "government_department"


def test_a_wrong_body_is_refused_by_field(app: Application, client: Any) -> None:
    refused = run(app, "agency", "create", "bus", "--title", "公交公司", "--region", "Nantong")
    assert isinstance(refused.exception, Invalid)
    assert [error.path for error in refused.exception.fields] == ["region_code"]
    assert run(app, "agency", "create", "bus", "--title", "公交公司", "--kind", "club").exit_code != 0
    assert client.get("/api/v1/agencies").json() == []


def test_a_forgotten_password_is_replaced(app: Application) -> None:
    with app.place.writing(SYSTEM) as work:
        accounts.create_user(work, "wang", email="wang@example.org", password="the forgotten one")
        made = sessions.sign_in(work, "wang", "the forgotten one", "::1")
    assert made
    assert run(app, "user", "password", "wang", stdin="short\n").exit_code != 0
    assert run(app, "user", "password", "wang", stdin="a password of words\n").exit_code == 0
    with app.place.writing(SYSTEM) as work:
        assert work.session.get(sessions.WebSession, made[0].id_hash) is None
        assert sessions.sign_in(work, "wang", "the forgotten one", "::1") is None
        assert sessions.sign_in(work, "wang", "a password of words", "::1")
