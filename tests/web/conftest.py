"""People with a browser: a session cookie, and forms as a page sends them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from asking import Asking
from starlette.testclient import TestClient

from opendata.accounts import service as accounts
from opendata.application import Application
from opendata.main import create_app
from opendata.work.actor import SYSTEM

PASSWORD = "a long enough password"
NO_FILE = {"file": ("", b"", "application/octet-stream")}
"""A file input that was left empty."""
SAME_SITE = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


class _Inputs(HTMLParser):
    """Hidden inputs of every form, by the form's action."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = found.get("action", "")
            self.forms.setdefault(self._action, {})
        elif tag == "input" and found.get("type") == "hidden" and self._action:
            self.forms[self._action].setdefault(found.get("name", ""), found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = ""


def hidden(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with that action."""
    parser = _Inputs()
    parser.feed(page)
    assert action in parser.forms, (action, list(parser.forms))
    return parser.forms[action]


@dataclass
class Browser:
    """One person's browser. Redirects are shown, not followed."""

    client: TestClient
    headers: dict[str, str] = field(default_factory=lambda: dict(SAME_SITE))

    def get(self, path: str, **arguments: Any) -> Any:
        return self.client.get(path, headers={"Accept": "text/html"}, follow_redirects=False, **arguments)

    def see(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return str(answer.text)

    def send(self, page: str, action: str, files: Any = None, **fields: Any) -> Any:
        """Fills in the form that `page` shows and sends it."""
        return self.post(action, {**hidden(self.see(page), action), **fields}, files)

    def post(self, action: str, fields: dict[str, Any], files: Any = None) -> Any:
        return self.client.post(
            action, data=fields, files=files, headers=self.headers, follow_redirects=False
        )

    def hidden(self, page: str, action: str) -> dict[str, str]:
        """The hidden fields of a form that the page shows."""
        return hidden(self.see(page), action)

    def new(self, files: Any = None, **fields: Any) -> str:
        """A new dataset by the first form; its id."""
        answer = self.send("/zh/console/new", "/zh/console/new", files or NO_FILE, **fields)
        assert answer.status_code == 303, answer.text[:1000]
        found = re.search(r"/console/dataset/([0-9a-f-]{36})", answer.headers["location"])
        assert found
        return found[1]

    def sign_in(self, name: str, password: str = PASSWORD) -> Any:
        return self.send("/zh/sign-in", "/zh/sign-in", name=name, password=password)


@pytest.fixture
def browser(app: Application) -> Iterator[Callable[..., Browser]]:
    """A new browser; with a name, signed in as that person."""
    servers = ExitStack()

    def open_one(name: str | None = None) -> Browser:
        made = Browser(servers.enter_context(Asking(create_app(app), raise_server_exceptions=False)))
        if name is not None:
            with app.place.writing(SYSTEM) as work:
                accounts.set_password(work, accounts.find_user(work, name), PASSWORD)
            answer = made.sign_in(name)
            assert answer.status_code == 303, answer.text[:500]
        return made

    with servers:
        yield open_one
