"""Those who call CKAN's actions in the tests, over the office of the shared fixtures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from office import Office
from starlette.testclient import TestClient

from opendata.work.actor import Role


@dataclass
class Caller:
    """Somebody who calls actions; without a token the public."""

    client: TestClient
    token: str | None = None

    def post(self, action: str, **args: Any) -> Any:
        return self.client.post(f"/api/3/action/{action}", json=args, headers=self.headers)

    def get(self, action: str, **params: Any) -> Any:
        return self.client.get(f"/api/3/action/{action}", params=params, headers=self.headers)

    def ok(self, action: str, **args: Any) -> Any:
        """The result of a call that succeeds."""
        answer = self.post(action, **args)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        return answer.json()["result"]

    def fails(self, status: int, action: str, **args: Any) -> Any:
        """The `error` of a call that does not."""
        answer = self.post(action, **args)
        assert answer.status_code == status, answer.text
        assert answer.json()["success"] is False
        return answer.json()["error"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.token} if self.token else {}


@dataclass
class Callers:
    public: Caller
    root: Caller
    editor: Caller
    stranger: Caller
    """Editor of another organization."""
    settle: Callable[[], None]

    def create(self, name: str, **more: Any) -> Any:
        return self.editor.ok("package_create", **{"name": name, "owner_org": "housing", **more})


def called(office: Office, settle: Callable[[], None]) -> Callers:
    """With another organization and its editor, if they are not there yet."""
    if "stranger" not in office.people:
        answer = office.admin.post("/agencies", json={"name": "water", "title": "市水务局"})
        assert answer.status_code == 201, answer.text
        office.person("stranger", Role.EDITOR, agency="water")
    people = (office.admin, office.editor, office.people["stranger"])
    root, editor, stranger = (Caller(office.client, one.token) for one in people)
    return Callers(Caller(office.client), root, editor, stranger, settle)
