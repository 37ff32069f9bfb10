"""What the tests of the whole application share: the application over HTTP, people, a body, and patience.

The light shape: a SQLite file copied from a migrated template (with the office in it, if the test asks for it), folders for files, the embedded index, jobs that run
when the test lets them (`settle`), parsers in this process. With `OPENDATA_TEST_POSTGRES_URL`, `OPENDATA_TEST_S3_URL`
and `OPENDATA_TEST_ELASTICSEARCH_URL` set, tests marked `services` run the same journeys on the full stack, those in the folders of
`DURABLE` with jobs in the background, on copies of a migrated database of PostgreSQL and with a sandbox that stays warm between them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from databases import do_the_days_job, migrated_database, own_database
from figures import pytest_terminal_summary as pytest_terminal_summary
from indices import remove_indices
from one_hop import in_one_hop as in_one_hop
from order import long_first, without_samples
from starlette.testclient import TestClient
from thrift import compiled_once as compiled_once
from thrift import pytest_collection_finish as pytest_collection_finish
from thrift import pytest_configure as pytest_configure

from opendata.accounts import passwords, tokens
from opendata.accounts import service as accounts
from opendata.agencies import service as agencies
from opendata.application import Application, Background, do_due, record_policy
from opendata.main import create_app
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.job_queue.port import JobQueue
from opendata.ports.sandbox.inline import InlineSandbox
from opendata.ports.sandbox.process import ProcessSandbox
from opendata.settings import Settings
from opendata.tables.rows import fold
from opendata.wiring import build, migrate
from opendata.work.actor import SYSTEM, Role, SiteRole

API = "/api/v1"
SERVICES = ("OPENDATA_TEST_POSTGRES_URL", "OPENDATA_TEST_S3_URL", "OPENDATA_TEST_ELASTICSEARCH_URL")
DURABLE = {"journeys", "harvest", "reporting", "feeds", "changes"}
"""Folders of what meets other work while it is done."""
PATIENCE = 120
"""Seconds after which a job that never ends fails the test instead of hanging it. No speed is asserted."""


@pytest.hookimpl(trylast=True)  # behind -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:], left_out = without_samples(items)
    config.hook.pytest_deselected(items=left_out)
    if processes := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = long_first(items, processes)


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """argon2id with the least memory: what it costs is meant for those who guess, and tests sign in a hundred times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database."""
    folder = tmp_path_factory.mktemp("template")
    migrate(Settings(data_dir=folder))
    return folder / "opendata.db"


@pytest.fixture(scope="session")
def staffed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Staffed:
    """The template with the office in it, for all tests of a process: making it takes longer than most tests."""
    folder = tmp_path_factory.mktemp("staffed")
    shutil.copy(template, folder)
    return furnished(Settings(data_dir=folder))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated, empty database on PostgreSQL, to be copied."""
    with migrated_database(tmp_path_factory.mktemp("migrated")) as database:
        yield database


@pytest.fixture(scope="session")
def full_template(migrated: str) -> Iterator[str]:
    with own_database(migrated) as database:
        do_the_days_job(database)
        yield database


@pytest.fixture(scope="session")
def full_staffed(full_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staffed]:
    folder = tmp_path_factory.mktemp("full-staffed")
    with own_database(full_template) as database:
        yield furnished(Settings(data_dir=folder, database_url=database))


def furnished(settings: Settings) -> Staffed:
    """Puts the office into a migrated database."""
    app = build(settings, queue=InlineQueue(), sandbox=InlineSandbox())
    try:
        with TestClient(create_app(app)) as client:
            made = Office(app, client)
            made.furnish()
    finally:
        app.close()
    return Staffed(settings.database, {name: one.token for name, one in made.people.items()})


class WarmSandbox(ProcessSandbox):
    """Its workers outlive the application that used them, as they outlive a file in a server: their libraries take seconds to load."""

    def close(self) -> None:
        """By `end`."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def warm_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmSandbox]:
    made = WarmSandbox(tmp_path_factory.mktemp("sandbox"), workers=2)
    yield made
    made.end()


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Settings of this test; a test parametrizes it, or a module overrides it."""
    return {}


@pytest.fixture(params=["light", pytest.param("full", marks=pytest.mark.services)])
def settings(request: pytest.FixtureRequest, tmp_path: Path, overrides: dict[str, Any]) -> Iterator[Settings]:
    """Both shapes. A test that needs only one says `@pytest.mark.parametrize("settings", ["light"], indirect=True)`; `stored`
    is PostgreSQL and S3 with the embedded index, for what is about neither search."""
    common = {"data_dir": tmp_path / "data", "site_url": "http://testserver", "run_jobs": False}
    light = request.param == "light"
    needed = () if light else SERVICES if request.param == "full" else SERVICES[:2]
    missing = [name for name in needed if not os.environ.get(name)]
    if missing:
        pytest.skip(f"needs real services: {', '.join(missing)} not set")
    staffed: Staffed | None = None
    if "office" in request.fixturenames:
        staffed = request.getfixturevalue("staffed" if light else "full_staffed")
    if light:
        made = Settings(**(common | overrides))
        made.data_dir.mkdir()
        source = staffed.file if staffed else request.getfixturevalue("template")
        shutil.copy(source, made.data_dir / "opendata.db")
        yield made
        return
    source = staffed.database if staffed else request.getfixturevalue("full_template")
    index = f"journey-{secrets.token_hex(4)}"
    elasticsearch = os.environ[SERVICES[2]] if needed is SERVICES else ""
    with own_database(source) as database:
        yield Settings(
            **common,
            database_url=database,
            storage_url=f"{os.environ[SERVICES[1]]}-{secrets.token_hex(4)}",
            search_url=f"{elasticsearch}#{index}" if elasticsearch else "",
            **overrides,
        )
    if elasticsearch:
        remove_indices(elasticsearch, index)


@pytest.fixture
def durable(request: pytest.FixtureRequest) -> bool:
    """Whether jobs of the full stack are done in the background, durably, as a server does them. Elsewhere they run as in the
    light shape: starting and ending what does them takes longer than most tests."""
    return Path(request.node.location[0]).parts[1] in DURABLE


@pytest.fixture
def app(
    settings: Settings, durable: bool, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Application]:
    light = not settings.database_url
    sandbox = InlineSandbox() if light else request.getfixturevalue("warm_sandbox")
    durable = durable and not light
    application = build(settings, queue=None if durable else InlineQueue(), sandbox=sandbox)
    record_policy(application)
    monkeypatch.setattr(fold, "QUIET", timedelta(0))  # many a test's clock stands
    if durable:
        # The day's jobs and the whole files of the catalogue are for a test to ask for: many a test sets the clock, and the
        # server would do them in its middle.
        for followed in ("_ask_for_the_day", "_follow_dumps"):
            monkeypatch.setattr(Background, followed, lambda _background: None)
        application.start()
    else:
        application.queue.start(application.handlers(), lambda job, args, error: _fail(job, args, error))
    yield application
    application.close()


def _fail(job: str, args: dict[str, Any], error: Exception) -> None:
    raise AssertionError(f"the job {job} {args} gave up") from error


@pytest.fixture
def client(app: Application) -> Iterator[TestClient]:
    """The public. `People.of` gives clients that hold a token."""
    with TestClient(create_app(app), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def settle(app: Application) -> Callable[[], None]:
    """Runs, or waits for, everything that is owed: jobs, what is due by the clock, the index."""

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


@dataclass
class Person:
    """Somebody with a token, over HTTP."""

    name: str
    token: str
    client: TestClient

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | arguments.pop("headers", {})
        return self.client.request(method, f"{API}{path}", headers=headers, **arguments)

    def get(self, path: str, **arguments: Any) -> Any:
        return self._call("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> Any:
        return self._call("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> Any:
        return self._call("PUT", path, **arguments)

    def patch(self, path: str, **arguments: Any) -> Any:
        return self._call("PATCH", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> Any:
        return self._call("DELETE", path, **arguments)

    def head(self, path: str, **arguments: Any) -> Any:
        return self._call("HEAD", path, **arguments)


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


@dataclass(frozen=True)
class Staffed:
    """A database with the office in it, and its people's tokens by name."""

    database: str
    tokens: dict[str, str]

    @property
    def file(self) -> str:
        return self.database.removeprefix("sqlite:///")


@pytest.fixture
def office(request: pytest.FixtureRequest, app: Application, client: TestClient) -> Office:
    made = Office(app, client)
    staffed: Staffed = request.getfixturevalue("full_staffed" if app.settings.database_url else "staffed")
    made.people = {name: Person(name, token, client) for name, token in staffed.tokens.items()}
    return made
