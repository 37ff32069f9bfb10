"""Hourly upkeep: what expired goes, what is named stays, an index that differs is repaired."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from opendata.application import Application
from opendata.catalog.models import File
from opendata.core.ids import new_id
from opendata.ports.search_index.port import Document, Request
from opendata.ports.storage.port import ObjectMissing
from opendata.publishing import upkeep
from opendata.publishing.models import Upload
from opendata.publishing.upkeep import Upkeep
from opendata.work.actor import SYSTEM
from opendata.work.pending import Pending

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


@pytest.fixture
def keeper(app: Application) -> Upkeep:
    return Upkeep(app.place, app.stores, app.indexer, app.settings.scratch)


def stored(app: Application, content: bytes) -> str:
    writer = app.stores.inbox.writer()
    writer.write(content)
    return writer.commit().sha256


def test_only_old_objects_without_a_row_are_collected(
    app: Application, keeper: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan, named = stored(app, b"orphan"), stored(app, b"named")
    with app.place.writing(SYSTEM) as work:
        work.session.add(
            File(
                id=new_id(),
                sha256=named,
                size=5,
                name="n",
                media_type="text/plain",
                agency_id="-",
                uploaded_at=work.now,
            )
        )
    keeper.collect()
    assert app.stores.inbox.stat(orphan).size == 6
    monkeypatch.setattr(upkeep, "ORPHAN_AGE", timedelta(seconds=-60))
    keeper.collect()
    assert app.stores.inbox.stat(named).size == 5
    with pytest.raises(ObjectMissing):
        app.stores.inbox.stat(orphan)


def test_unfinished_uploads_expire(app: Application, keeper: Upkeep) -> None:
    with app.place.writing(SYSTEM) as work:
        for hours in (-1, 1):
            work.session.add(
                Upload(
                    id=new_id(),
                    user_id="-",
                    length=9,
                    name="n",
                    media_type="text/plain",
                    dataset_id="-",
                    created_at=work.now,
                    expires_at=work.now + timedelta(hours=hours),
                )
            )
    keeper.run()
    with app.place.reading(SYSTEM) as work:
        assert work.session.execute(select(func.count()).select_from(Upload)).scalar() == 1


def test_a_ghost_leaves_the_index(app: Application, keeper: Upkeep) -> None:
    ghost = new_id()
    with app.index.rebuild() as new:
        new.add([document(ghost)])
    assert app.index.search(Request()).total == 1
    keeper.compare()
    assert app.index.search(Request()).total == 0
    with app.place.reading(SYSTEM) as work:
        assert work.session.execute(select(func.count()).select_from(Pending)).scalar() == 0


def document(identifier: str) -> Document:
    return Document(id=identifier, revision=1, texts={}, keywords={}, dates={}, numbers={}, sorts={})


def test_folders_of_dead_loads_go(app: Application, keeper: Upkeep) -> None:
    dead, living = (app.settings.scratch / f"load-{name}" for name in ("dead", "living"))
    for folder in (dead, living):
        folder.mkdir()
        (folder / "table.parquet").write_bytes(b"half")
    os.utime(dead, (0, 0))
    keeper.sweep()
    assert (dead.exists(), living.exists()) == (False, True)
