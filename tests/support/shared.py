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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from asking import Asking
from buckets import copy_buckets
from databases import do_the_days_job, migrated_database, own_database
from hops import hops_spared as hops_spared
from indices import remove_indices
from office import Office, Person, settling, start_inline
from order import long_first, without_samples
from places import PLACE, SITE, Places, Staffed, staff
from starlette.testclient import TestClient
from thrift import compiled_once as compiled_once
from thrift import pytest_collection_finish as pytest_collection_finish

from opendata.accounts import passwords
from opendata.application import Application, Background, record_policy
from opendata.main import create_app
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.sandbox.inline import InlineSandbox
from opendata.ports.sandbox.process import ProcessSandbox
from opendata.settings import Settings
from opendata.tables.rows import fold
from opendata.wiring import build, migrate

SERVICES = ("OPENDATA_TEST_POSTGRES_URL", "OPENDATA_TEST_S3_URL", "OPENDATA_TEST_ELASTICSEARCH_URL")
DURABLE = {"journeys", "harvest", "reporting", "feeds", "changes"}
"""Folders of what meets other work while it is done."""


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
    return staff(Settings(data_dir=folder))


@pytest.fixture(scope="session")
def places(staffed: Staffed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with ExitStack() as until:
        yield Places(tmp_path_factory.mktemp("places"), staffed, until)


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
        yield staff(Settings(data_dir=folder, database_url=database))


@pytest.fixture(scope="session")
def stored_places(full_staffed: Staffed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with ExitStack() as until:
        yield Places(tmp_path_factory.mktemp("stored-places"), full_staffed, until)


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
    common = {"data_dir": tmp_path / "data", "site_url": SITE, "run_jobs": False}
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
        place = request.getfixturevalue("places").of(request, common | overrides) if staffed else None
        if place:
            shutil.copytree(place.settings.data_dir, made.data_dir, dirs_exist_ok=True)
        else:
            source = staffed.file if staffed else request.getfixturevalue("template")
            shutil.copy(source, made.data_dir / "opendata.db")
        yield made
        return
    with _on_services(request, common, overrides, staffed) as on_services:
        yield on_services


@contextmanager
def _on_services(
    request: pytest.FixtureRequest, common: dict[str, Any], overrides: dict[str, Any], staffed: Staffed | None
) -> Iterator[Settings]:
    place, index, elasticsearch = None, f"journey-{secrets.token_hex(4)}", ""
    storage = f"{os.environ[SERVICES[1]]}-{secrets.token_hex(4)}"
    if request.param == "full":
        elasticsearch = os.environ[SERVICES[2]]
    elif staffed:
        options = {**common, "storage_url": os.environ[SERVICES[1]], **overrides}
        place = request.getfixturevalue("stored_places").of(request, options)
    if place:
        shutil.copytree(place.settings.data_dir, common["data_dir"])
        copy_buckets(place.settings.storage_url, storage)
        source = place.settings.database_url
    else:
        source = staffed.database if staffed else request.getfixturevalue("full_template")
    with own_database(source) as database:
        yield Settings(
            **common,
            database_url=database,
            storage_url=storage,
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
        start_inline(application)
    yield application
    application.close()


@pytest.fixture
def client(app: Application) -> Iterator[TestClient]:
    """The public. `People.of` gives clients that hold a token."""
    with Asking(create_app(app), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def settle(app: Application) -> Callable[[], None]:
    """Runs, or waits for, everything that is owed: jobs, what is due by the clock, the index."""
    return settling(app)


@pytest.fixture
def office(request: pytest.FixtureRequest, app: Application, client: TestClient) -> Office:
    made = Office(app, client)
    staffed: Staffed = request.getfixturevalue("full_staffed" if app.settings.database_url else "staffed")
    place = request.node.stash.get(PLACE, None) or staffed
    made.people = {name: Person(name, token, client) for name, token in place.tokens.items()}
    return made
