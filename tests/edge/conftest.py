"""A small application for the edge alone: real SQLite files and a real folder store, the simplest of actors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

from opendata.all_models import metadata
from opendata.core.clock import FixedClock
from opendata.core.database import open_engine
from opendata.core.errors import Unauthenticated
from opendata.edge import health, problem
from opendata.edge.bodies import BodyLimits
from opendata.edge.bytecache import ByteCache, Generation
from opendata.edge.frame import Frame
from opendata.edge.idempotency import with_memory
from opendata.edge.ratelimit import RateLimit
from opendata.edge.usage.journal import Journal
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.storage.local import LocalStorage
from opendata.settings import Settings
from opendata.work.actor import ALL_SCOPES, PUBLIC, Actor, Credentials
from opendata.work.audit import GENESIS, AuditHead
from opendata.work.unit import Work, Workplace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Names:
    """A token is the actor's name."""

    def actor(self, work: Work, credentials: Credentials) -> Actor:
        if credentials.token is None:
            return PUBLIC
        if credentials.token == "wrong":
            raise Unauthenticated("bad_token")
        return Actor(id=f"id-{credentials.token}", name=credentials.token, scopes=ALL_SCOPES)


@dataclass
class Sound:
    """A part that answers; or, with an error, does not."""

    error: Exception | None = None

    def check(self) -> None:
        if self.error:
            raise self.error


@dataclass
class FakeStores:
    inbox: Any
    public: Any


@dataclass
class FakeApplication:
    settings: Settings
    place: Workplace
    stores: FakeStores
    authenticator: Names = field(default_factory=Names)
    index: Sound = field(default_factory=Sound)

    @property
    def journal(self) -> Journal:
        return Journal(self.settings.data_dir / "usage", self.place.clock.now)


@cache
def empty_database() -> bytes:
    """All tables and one for notes; made once, for making them takes longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        engine = open_engine(f"sqlite:///{path}", writing=True)
        metadata.create_all(engine)
        with Session(engine) as session:
            session.add(AuditHead(id=1, seq=0, hash=GENESIS))
            session.execute(text("CREATE TABLE note (body TEXT NOT NULL CHECK (body <> 'late'))"))
            session.commit()
        engine.dispose()
        return path.read_bytes()


class Edge:
    """The layers in their order around a router that a test gives."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = Settings(data_dir=folder, **settings)
        Path(self.settings.database.removeprefix("sqlite:///")).write_bytes(empty_database())
        engine = open_engine(self.settings.database, writing=True)
        self.clock = FixedClock(NOW)
        reading = open_engine(self.settings.database, writing=False)
        self.place = Workplace(reading, engine, self.clock, InlineQueue())
        self.store = LocalStorage(folder / "inbox")
        stores = FakeStores(self.store, LocalStorage(folder / "public"))
        self.application = FakeApplication(self.settings, self.place, stores)

    def app(self, router: APIRouter, tick: Any = None) -> FastAPI:
        edge = self

        class Layered(FastAPI):
            def build_middleware_stack(self) -> ASGIApp:
                app: ASGIApp = BodyLimits(super().build_middleware_stack(), edge.settings.max_json_bytes)
                self.state.cache = ByteCache(app, self.state.generation)
                clock = {} if tick is None else {"clock": tick}
                app = RateLimit(self.state.cache, edge.settings.rate_limit, **clock)
                return Frame(app, self.state.metrics, https=True)

        app = Layered()
        app.state.application = self.application
        app.state.metrics, app.state.readiness = health.Metrics(), health.Readiness()
        path = self.settings.database.removeprefix("sqlite:///")
        app.state.generation = Generation(self.place, path)
        problem.install(app)
        app.include_router(with_memory(router), prefix="/api/v1")
        app.include_router(health.router)
        return app

    def client(self, router: APIRouter, **options: Any) -> TestClient:
        return TestClient(self.app(router, **options), base_url="http://127.0.0.1:8000")

    def notes(self) -> list[str]:
        with self.place.reading() as work:
            return list(work.session.execute(text("SELECT body FROM note ORDER BY rowid")).scalars())


def write_note(work: Work, body: str) -> None:
    work.session.execute(text("INSERT INTO note VALUES (:body)"), {"body": body})
    work.record("note.written", "note", body)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    made = Edge(tmp_path)
    yield made
    made.place.dispose()
