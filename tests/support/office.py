"""Whom the tests of the whole application act as: people with tokens over HTTP, a body, and patience."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partialmethod
from typing import Any

from starlette.testclient import TestClient

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.agencies import service as agencies
from opendata.application import Application, do_due
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.job_queue.port import JobQueue
from opendata.work.actor import SYSTEM, Role, SiteRole

API = "/api/v1"
PATIENCE = 120
"""Seconds after which a job that never ends fails the test instead of hanging it. No speed is asserted."""


@dataclass
class Person:
    """Somebody with a token, over HTTP."""

    name: str
    token: str
    client: TestClient

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        return self.client.request(method, f"{API}{path}", headers=headers, **arguments)

    get = partialmethod(_call, "GET")
    post = partialmethod(_call, "POST")
    put = partialmethod(_call, "PUT")
    patch = partialmethod(_call, "PATCH")
    delete = partialmethod(_call, "DELETE")
    head = partialmethod(_call, "HEAD")


@dataclass
class Office:
    """A body with an editor and its two reviewers, and somebody who runs the site."""

    app: Application
    client: TestClient
    agency: str = "housing"
    people: dict[str, Person] = field(default_factory=dict)

    def furnish(self) -> None:
        """Makes the body and its people."""
        self.person("root", sysadmin=True)
        body = {
            "name": self.agency,
            "title": "市住房和城乡建设局",
            "title_en": "Housing Bureau",
            "region_code": "320600",
            "contact_email": "housing@example.org",
        }
        answer = self.admin.post("/agencies", json=body)
        assert answer.status_code == 201, answer.text
        self.person("editor", Role.EDITOR)
        self.person("content", Role.CONTENT_REVIEWER)
        self.person("secrecy", Role.SECRECY_REVIEWER)

    def person(
        self,
        name: str,
        *roles: Role,
        agency: str | None = None,
        site_roles: Sequence[SiteRole] = (),
        sysadmin: bool = False,
    ) -> Person:
        """An account, its roles in a body and for the whole site, and a token."""
        with self.app.place.writing(SYSTEM) as work:
            user = accounts.create_user(work, name, email=f"{name}@example.org", sysadmin=sysadmin)
            _row, token = tokens.create(work, user, name="test")
            if site_roles:
                accounts.set_site_roles(work, user, site_roles)
            if roles:
                body = self.app.directory.id_of(work, agency or self.agency)
                agencies.set_roles(work, agencies.queries.by_ids(work.session, [body])[body], user, roles)
        self.people[name] = Person(name, token, self.client)
        return self.people[name]

    @property
    def editor(self) -> Person:
        return self.people["editor"]

    @property
    def content(self) -> Person:
        return self.people["content"]

    @property
    def secrecy(self) -> Person:
        return self.people["secrecy"]

    @property
    def admin(self) -> Person:
        return self.people["root"]

    def draft(self, **fields: Any) -> dict[str, Any]:
        """A dataset with its first draft."""
        body = {"agency": self.agency, "title": "住房租赁企业名单", **fields}
        answer = self.editor.post("/datasets", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def link(self, **fields: Any) -> str:
        """A draft whose only resource is a link: no file to be read. Its id."""
        dataset: str = self.draft(**fields)["id"]
        body = {"url": "https://example.org/a.csv"}
        answer = self.editor.post(f"/datasets/{dataset}/resources", json=body)
        assert answer.status_code == 201, answer.text
        return dataset

    def upload(self, dataset: str, data: bytes, filename: str = "rows.csv", **fields: str) -> dict[str, Any]:
        answer = self.editor.post(
            f"/datasets/{dataset}/resources", files={"file": (filename, data)}, data=fields
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def submit(self, dataset: str) -> dict[str, Any]:
        answer = self.editor.post(f"/datasets/{dataset}/releases")
        assert answer.status_code == 202, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def decide(self, release: dict[str, Any], kind: str, outcome: str = "approve", reason: str = "") -> Any:
        """The reviewer of that kind decides about the release as it was submitted."""
        body = {"kind": kind, "outcome": outcome, "content_hash": release["content_hash"], "reason": reason}
        return self.people[kind].post(f"/releases/{release['id']}/decisions", json=body)

    def publish(self, dataset: str, settle: Callable[[], None]) -> dict[str, Any]:
        """Submitted, checked, approved twice, out."""
        release = self.submit(dataset)
        settle()
        for kind in ("content", "secrecy"):
            answer = self.decide(release, kind)
            assert answer.status_code == 201, answer.text
        settle()
        return release


def settling(app: Application) -> Callable[[], None]:
    """What runs, or waits for, everything that is owed: jobs, what is due by the clock, the index."""

    def jobs() -> None:
        if isinstance(app.queue, InlineQueue):
            app.queue.drain(retry=True)
        else:
            _wait_for(app.queue)

    def run() -> None:
        jobs()
        do_due(app)
        jobs()
        app.indexer.drain()
        _wait_for(app.queue)  # a running server's own clock may have asked for a job meanwhile

    return run


def _wait_for(queue: JobQueue) -> None:
    deadline = time.monotonic() + PATIENCE
    while not queue.idle():
        assert time.monotonic() < deadline, f"jobs do not come to an end: {queue.waiting()}"
        time.sleep(0.03)


def start_inline(app: Application) -> None:
    """Its jobs run when a test lets them; one that gives up fails the test."""
    app.queue.start(app.handlers(), _fail)


def _fail(job: str, args: dict[str, Any], error: Exception) -> None:
    raise AssertionError(f"the job {job} {args} gave up") from error
