"""Loads the sample catalogue through the services: bodies, people with random passwords, datasets that two of them review."""

from __future__ import annotations

import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.accounts.models import User
from opendata.agencies import queries as agency_queries
from opendata.agencies import service as agencies
from opendata.catalog import files, groups, queries
from opendata.catalog.drafts import NewResource
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, Release
from opendata.core.errors import Conflict, Unavailable
from opendata.ports.storage.port import StoredObject
from opendata.publishing import drafts, service
from opendata.review.models import DecisionKind, Outcome
from opendata.search import service as search
from opendata.settings import Settings
from opendata.wiring import Application
from opendata.work.actor import SYSTEM, Actor, Credentials, Role

DATA = Path(__file__).parent / "data"
PATIENCE_SECONDS = 300
ENDS = frozenset({State.PUBLISHED, State.RETURNED, State.FAILED})


def credentials_path(settings: Settings) -> Path:
    return settings.data_dir / "sample-credentials.json"


def credentials(settings: Settings) -> dict[str, dict[str, str]]:
    """{account: {password, token}} of the sample people."""
    found: dict[str, dict[str, str]] = json.loads(credentials_path(settings).read_text())
    return found


def is_new(app: Application) -> bool:
    """Whether nobody has used this database yet."""
    with app.place.reading(SYSTEM) as work:
        return work.session.execute(select(func.count()).select_from(User)).scalar_one() == 0


def load(app: Application) -> None:
    """Loads everything and waits until it is public. Jobs must be running. `Conflict("sample_exists")` if it was loaded."""
    wanted = json.loads((DATA / "catalogue.json").read_text(encoding="utf-8"))
    people = _make_people(app, wanted)
    actors = {name: _sign_in(app, secret["token"]) for name, secret in people.items()}
    for entry in wanted["datasets"]:
        _submit(app, actors["sample-author"], entry)
    for entry in wanted["datasets"]:
        review(app, actors, entry["name"])
    _wait(lambda: _settled(app), "the index and the tables")


def review(app: Application, actors: dict[str, Actor], name: str) -> None:
    """Waits for the checks of the dataset's open draft, approves it twice, and waits until it is public."""
    release_id, state = _wait_state(app, name, ENDS | {State.IN_REVIEW})
    if state is State.IN_REVIEW:
        for person, kind in (
            ("sample-content-reviewer", DecisionKind.CONTENT),
            ("sample-secrecy-reviewer", DecisionKind.SECRECY),
        ):
            _decide(app, actors[person], release_id, kind)
        _release_id, state = _wait_state(app, name, ENDS)
    if state is not State.PUBLISHED:
        raise Conflict("sample_not_published", name=name, state=state.value)


def _make_people(app: Application, wanted: dict[str, Any]) -> dict[str, dict[str, str]]:
    path = credentials_path(app.settings)
    secret: dict[str, dict[str, str]] = {}
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict("sample_exists", path=str(path)) from None
    with os.fdopen(handle, "w") as file, app.place.writing(SYSTEM) as work:
        for entry in wanted["agencies"]:
            agencies.create(work, **entry)
        for entry in wanted["groups"]:
            groups.create(work, **entry)
        for person in wanted["people"]:
            password = secrets.token_urlsafe(15)
            user = accounts.create_user(
                work,
                person["name"],
                email=f"{person['name']}@example.org",
                password=password,
                full_name=person["full_name"],
                sysadmin=person.get("sysadmin", False),
            )
            for agency, roles in person["roles"].items():
                agencies.set_roles(work, agency_queries.find(work, agency), user, [Role(r) for r in roles])
            _row, token = tokens.create(work, user, name="sample")
            secret[person["name"]] = {"password": password, "token": token}
        json.dump(secret, file, indent=1)
    return secret


def _sign_in(app: Application, token: str) -> Actor:
    with app.place.reading() as work:
        return app.authenticator.actor(work, Credentials(token=token))


def _submit(app: Application, author: Actor, entry: dict[str, Any]) -> None:
    fields = {k: v for k, v in entry.items() if k not in ("agency", "name", "resources")}
    stored = [(resource, _store(app, resource["file"])) for resource in entry["resources"]]
    with app.place.writing(author) as work:
        agency = agency_queries.find(work, entry["agency"])
        new = []
        for resource, held in stored:
            file = files.register(work, agency, held, resource["file"])
            meta = {"format": files.format_of(file.name), "name": resource["name"]}
            if "schema_name" in resource:
                meta["schema_name"] = resource["schema_name"]
            new.append(NewResource(drafts.resource_meta(meta), file))
        dataset, _draft = drafts.create_dataset(work, agency, fields, name=entry["name"], resources=new)
        service.submit(work, dataset, agency)


def _store(app: Application, name: str) -> StoredObject:
    writer = app.stores.inbox.writer()
    writer.write((DATA / name).read_bytes())
    return writer.commit()


def _decide(app: Application, reviewer: Actor, release_id: str, kind: DecisionKind) -> None:
    with app.place.writing(reviewer) as work:
        release = work.session.get_one(Release, release_id)
        dataset = work.session.get_one(Dataset, release.dataset_id)
        agency = agency_queries.by_ids(work.session, [dataset.agency_id])[dataset.agency_id]
        service.decide(
            work,
            dataset,
            release,
            agency,
            kind=kind,
            outcome=Outcome.APPROVE,
            content_hash=release.content_hash or "",
            reason="示例目录",
        )


def _wait_state(app: Application, name: str, states: frozenset[State]) -> tuple[str, State]:
    found: list[tuple[str, State]] = []

    def arrived() -> bool:
        with app.place.reading(SYSTEM) as work:
            dataset = queries.dataset(work, name, visible=Dataset.name == name)
            release = queries.release(work.session, dataset.draft_id or dataset.published_id)
            if release is not None and State(release.state) in states:
                found.append((release.id, State(release.state)))
        return bool(found)

    _wait(arrived, name)
    return found[-1]


def _settled(app: Application) -> bool:
    with app.place.reading(SYSTEM) as work:
        return search.owed(work) == 0 and app.queue.idle()


def _wait(arrived: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not arrived():
        if time.monotonic() > end:
            raise Unavailable("sample_timed_out", what=what)
        time.sleep(0.05)
