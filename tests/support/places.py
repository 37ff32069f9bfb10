"""Places that are furnished once in a process and copied for each test: a publication takes a hundred times as long as its copy.

    @furnished
    def published(office: Any, settle: Callable[[], None]) -> list[dict[str, Any]]:
        ...

is a fixture. What it does is done once, in an application of its own with the settings of the test; each test begins with a
copy of the folder that it left (and of its database and buckets, in the shape `stored`), and a copy of what it returned. Of two
such fixtures the module's own goes before its conftest's, which is then done over it. Where the index is Elasticsearch it is
done for each test.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from asking import Asking
from databases import own_database
from office import Office, Person, settling, start_inline

from opendata.application import record_policy
from opendata.main import create_app
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.sandbox.inline import InlineSandbox
from opendata.settings import Settings
from opendata.tables.rows import fold
from opendata.wiring import build

Told = TypeVar("Told")
Make = Callable[[Any, Callable[[], None]], Any]
SITE = "http://testserver"
MADE: dict[tuple[str, str], Make] = {}
"""By the module and the name of the fixture."""


@dataclass(frozen=True)
class Staffed:
    """A database with the office in it, and its people's tokens by name."""

    database: str
    tokens: dict[str, str]

    @property
    def file(self) -> Path:
        return Path(self.database.removeprefix("sqlite:///"))


@dataclass(frozen=True)
class Place:
    """The folder that an application left, the tokens of its people, and what was told of what was made there."""

    make: Make
    settings: Settings
    tokens: dict[str, str]
    told: Any


PLACE = pytest.StashKey[Place]()


def staff(settings: Settings) -> Staffed:
    """Puts the office into a migrated database."""
    app = build(settings, queue=InlineQueue(), sandbox=InlineSandbox())
    with closing(app), Asking(create_app(app)) as client:
        made = Office(app, client)
        made.furnish()
    return Staffed(settings.database, {name: one.token for name, one in made.people.items()})


def furnished(make: Callable[[Any, Callable[[], None]], Told]) -> Callable[..., Told]:
    """The fixture of this name."""
    MADE[make.__module__, make.__name__] = make

    @pytest.fixture(name=make.__name__)
    def given(request: pytest.FixtureRequest, office: Office, settle: Callable[[], None]) -> Told:
        place = request.node.stash.get(PLACE, None)
        if place is None or place.make is not make:
            return make(office, settle)
        told: Told = deepcopy(place.told)
        return told

    given.__doc__ = make.__doc__
    return given


class Places:
    """Those of this process. `folder`: for all of them; `until`: what they end with."""

    def __init__(self, folder: Path, staffed: Staffed, until: ExitStack) -> None:
        self._folder = folder
        self._staffed = staffed
        self._until = until
        self._kept: dict[tuple[Make, str], Place] = {}

    def of(self, request: pytest.FixtureRequest, options: Mapping[str, Any]) -> Place | None:
        """The place that this test asks for by its fixtures, or None."""
        module: str = request.module.__name__
        wanted = [
            make
            for where in (module, f"{module.rpartition('.')[0]}.conftest")
            for name in request.fixturenames
            if (make := MADE.get((where, name)))
        ]
        if not wanted or options["site_url"] != SITE:  # another one for each test: a port
            return None
        settings = {name: value for name, value in options.items() if name != "data_dir"}
        key = (wanted[0], repr(sorted(settings.items())))
        if key not in self._kept:
            self._kept[key] = self._furnish(wanted[0], settings)
        request.node.stash[PLACE] = self._kept[key]
        return self._kept[key]

    def _furnish(self, make: Make, options: Mapping[str, Any]) -> Place:
        settings = self._empty(options)
        with (
            pytest.MonkeyPatch.context() as patch,
            closing(build(settings, queue=InlineQueue(), sandbox=InlineSandbox())) as app,
        ):
            record_policy(app)
            patch.setattr(fold, "QUIET", timedelta(0))
            start_inline(app)
            with Asking(create_app(app), raise_server_exceptions=False) as client:
                office = Office(app, client)
                office.people = {
                    name: Person(name, token, client) for name, token in self._staffed.tokens.items()
                }
                told = make(office, settling(app))
        return Place(make, settings, {name: one.token for name, one in office.people.items()}, told)

    def _empty(self, options: Mapping[str, Any]) -> Settings:
        """A place with the office alone."""
        folder = self._folder / str(len(self._kept))
        folder.mkdir()
        if self._staffed.database.startswith("sqlite:"):
            shutil.copy(self._staffed.file, folder / "opendata.db")
            return Settings(data_dir=folder, **options)
        database = self._until.enter_context(own_database(self._staffed.database))
        storage = f"{options['storage_url']}-{secrets.token_hex(4)}"
        return Settings(data_dir=folder, **{**options, "database_url": database, "storage_url": storage})
