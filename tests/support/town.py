"""What tests of supervision set up: people with a role for the whole site, inventory lines, public datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendata.accounts import service as accounts
from opendata.work.actor import SYSTEM, SiteRole


def site_person(office: Any, name: str, *roles: SiteRole) -> Any:
    person = office.person(name)
    with office.app.place.writing(SYSTEM) as work:
        accounts.set_site_roles(work, accounts.find_user(work, name), roles)
    return person


def line(office: Any, title: str = "公租房信息", **fields: Any) -> dict[str, Any]:
    answer = office.editor.post("/inventory", json={"agency": "housing", "title": title, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def open_dataset(office: Any, settle: Callable[[], None], **fields: Any) -> dict[str, Any]:
    """A public dataset with a file."""
    made: dict[str, Any] = office.draft(**fields)
    office.upload(made["id"], "街道,数量\n城东,1\n城西,2\n".encode())
    office.publish(made["id"], settle)
    return made
