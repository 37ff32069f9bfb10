"""`/data.json` put together of lines that the day's files have kept: the same bytes as if it were made anew, and never more than
is public now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from places import furnished
from starlette.testclient import TestClient
from streets import feeds as feeds
from streets import withdraw

from opendata.application import Application
from opendata.feeds import datajson, reading
from opendata.feeds.dumps import kept, making, queries
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site
from opendata.work.actor import SYSTEM

both = pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)
Settle = Callable[[], None]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, few in ((making, "PART", 3), (reading, "BATCH", 1), (kept, "AT_ONCE", 2)):
        monkeypatch.setattr(module, name, few)


@furnished
def published(office: Any, settle: Settle) -> list[str]:
    """Ids in their order."""
    made = []
    for number in range(5):
        dataset = office.link(title=f"公园 {number}\n\u2028", name=f"park-{number}")
        office.publish(dataset, settle)
        made.append(dataset)
    return sorted(made)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the datasets that were told anew since it was cleared."""
    found: list[str] = []
    entry = datajson.entry

    def watched(record: Record, site: Site) -> bytes:
        found.append(record.view.id)
        return entry(record, site)

    monkeypatch.setattr(datajson, "entry", watched)
    return found


def told(feeds: TestClient, made: list[str]) -> bytes:
    made.clear()
    answer = feeds.get("/data.json")
    assert answer.status_code == 200, answer.text
    return answer.content


def ids(body: bytes) -> list[str]:
    return [one["identifier"].rpartition("/")[2] for one in orjson.loads(body)["dataset"]]


@both
def test_the_same_bytes_without_making_them(
    app: Application, feeds: TestClient, published: list[str], small_parts: None, made: list[str]
) -> None:
    before = told(feeds, made)
    assert (made, ids(before)) == (published, published)
    app.dump_maker.daily()
    assert (told(feeds, made), made) == (before, [])
    assert "data.json" not in feeds.get("/dumps").text
    assert feeds.get("/dumps/data.json").status_code == 404


@both
def test_what_has_changed_is_made_anew(
    app: Application, feeds: TestClient, office: Any, settle: Settle, published: list[str], small_parts: None,
    made: list[str],
) -> None:  # fmt: skip
    app.dump_maker.daily()
    office.editor.patch(f"/datasets/{published[2]}", json={"title": "改名的公园"})
    office.publish(published[2], settle)
    new = office.link(title="新公园", name="park-new")
    office.publish(new, settle)
    withdraw(office, published[0])
    body = told(feeds, made)
    assert sorted(made) == sorted([published[2], new])
    assert ids(body) == sorted([*published[1:], new])
    assert "改名的公园" in body.decode()
    office.admin.patch("/agencies/housing", json={"title": "市住房保障局"})
    body = told(feeds, made)
    assert sorted(made) == sorted([*published[1:], new]), "each names its body"
    assert body.decode().count("市住房保障局") >= 5


@both
def test_a_withdrawn_dataset_leaves_the_store(
    app: Application, feeds: TestClient, office: Any, published: list[str], small_parts: None, made: list[str]
) -> None:
    app.dump_maker.daily()
    with app.place.reading(SYSTEM) as work:
        before = {part.sha256 for part in queries.parts(work, kept.FORMAT)}
    withdraw(office, published[0])
    app.dump_maker.renew()
    with app.place.reading(SYSTEM) as work:
        parts = queries.parts(work, kept.FORMAT)
    lines = [line for part in parts for line in kept._unpacked(app.stores.public, part.sha256)]
    assert not any(line.startswith(published[0].encode()) for line in lines)
    (old,) = before - {part.sha256 for part in parts}
    assert old not in {stored.sha256 for stored in app.stores.public.objects()}
    assert (ids(told(feeds, made)), made) == (published[1:], [])


@pytest.mark.parametrize("loss", ["part", "edition"])
@both
def test_without_what_was_kept(
    app: Application, feeds: TestClient, published: list[str], small_parts: None, made: list[str], loss: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = told(feeds, made)
    app.dump_maker.daily()
    if loss == "part":
        with app.place.reading(SYSTEM) as work:
            app.stores.public.delete(queries.parts(work, kept.FORMAT)[0].sha256)
    else:
        monkeypatch.setattr(reading, "EDITION", "other")
    assert told(feeds, made) == before
    assert made == (published[:3] if loss == "part" else published)
