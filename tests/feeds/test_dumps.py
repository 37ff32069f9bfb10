"""The whole catalogue as files: what is in them, how they are sent, and that a withdrawal is in none of them from then on."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from places import furnished
from rdflib import DCAT, RDF, Graph
from sqlalchemy import update
from starlette.testclient import TestClient
from streets import feeds as feeds
from streets import streets, withdraw

from opendata.application import Application
from opendata.feeds import reading
from opendata.feeds.dumps import making, queries, tasks
from opendata.feeds.dumps.models import DumpPart
from opendata.ports.job_queue.port import RetryLater
from opendata.publishing.upkeep import ORPHAN_AGE, Upkeep
from opendata.work.actor import SYSTEM

SITE = "http://testserver"
NAMES = ("catalog.nt.gz", "catalog.ndjson.gz", "catalog.csv", "catalog.parquet")
light = pytest.mark.parametrize("settings", ["light"], indirect=True)
both = pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)
"""With the light shape jobs run when the test lets them; with the other the clock runs too."""


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PART", 2)
    monkeypatch.setattr(reading, "BATCH", 1)


@furnished
def published(office: Any, settle: Callable[[], None]) -> list[dict[str, Any]]:
    return streets(
        office,
        settle,
        '=街道, "{number}"',
        description="一行\n两行",
        keywords=["街道", "代码"],
        temporal_start="2025-01-01",
    )


def ids_in(feeds: TestClient) -> list[set[str]]:
    """Of the datasets in each of the files."""
    nt, ndjson, table, parquet = (feeds.get(f"/dumps/{name}") for name in NAMES)
    assert {answer.status_code for answer in (nt, ndjson, table, parquet)} == {200}, nt.text[:200]
    graph = Graph().parse(data=gzip.decompress(nt.content), format="nt")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    frame = pl.read_parquet(io.BytesIO(parquet.content))
    lines = [json.loads(line) for line in gzip.decompress(ndjson.content).splitlines()]
    return [
        {str(node).removeprefix(f"{SITE}/dataset/") for node in graph.subjects(RDF.type, DCAT.Dataset)},
        {line["id"] for line in lines},
        {row["id"] for row in rows},
        set(frame["id"]),
    ]


@both
def test_every_file_tells_of_what_is_public(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], small_parts: None
) -> None:
    app.dump_maker.daily()
    assert ids_in(feeds) == [{one["id"] for one in published}] * 4
    table = feeds.get("/dumps/catalog.csv").content.decode("utf-8-sig")
    first = next(csv.DictReader(io.StringIO(table)))
    assert first["title"] == '\'=街道, "0"'
    assert first["description"] == "一行\n两行"
    assert first["keywords"] == "街道; 代码"
    line = json.loads(gzip.decompress(feeds.get("/dumps/catalog.ndjson.gz").content).splitlines()[0])
    download = line["distributions"][0]["download_url"]
    assert feeds.get(download).status_code == 200
    frame = pl.read_parquet(io.BytesIO(feeds.get("/dumps/catalog.parquet").content))
    assert frame["title"][0] == '=街道, "0"'
    assert frame["temporal_start"][0].isoformat() == "2025-01-01"
    assert frame["modified"].dtype == pl.Datetime("us", "UTC")
    assert frame["distributions"][0][0]["rows"] == 1
    listed = feeds.get("/dumps").json()["files"]
    assert {one["url"] for one in listed} == {f"{SITE}/dumps/{name}" for name in NAMES}
    assert {one["datasets"] for one in listed} == {5}


@pytest.mark.parametrize("count", [0, 1, 7])
def test_parquet_is_written_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """What memory holds does not grow with the catalogue: each piece of its lines is a row group."""
    monkeypatch.setattr(tasks, "PIECE", 2)
    told = {name: [] if name in tasks.LISTS else None for name in tasks.COLUMNS}
    lines = [
        told
        | {"id": f"d{n}", "keywords": ["街道"] * n, "issued": "2026-11-23T02:00:00Z", "distributions": []}
        for n in range(count)
    ]
    source = tmp_path / "catalog.ndjson"
    source.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    assert tasks.parquet(lines=str(source), output=str(tmp_path)) == {"datasets": count}
    whole = tmp_path / "catalog.parquet"
    assert pq.read_metadata(whole).num_row_groups == count
    frame = pl.read_parquet(whole)
    assert frame["id"].to_list() == [one["id"] for one in lines]
    assert [len(words) for words in frame["keywords"]] == list(range(count))
    assert frame.schema["issued"] == pl.Datetime("us", "UTC")
    assert frame.schema["distributions"] == tasks.SCHEMA["distributions"]


@both
def test_the_triples_are_those_of_the_catalogue(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], small_parts: None
) -> None:
    app.dump_maker.daily()
    dumped = Graph().parse(data=gzip.decompress(feeds.get("/dumps/catalog.nt.gz").content), format="nt")
    for one in published:
        own = Graph().parse(data=feeds.get(f"/dataset/{one['id']}.ttl").content, format="turtle")
        assert set(own) <= set(dumped)


@pytest.mark.parametrize("name", NAMES)
@both
def test_ranges_and_conditions(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], small_parts: None, name: str
) -> None:
    """Over the seams of the parts too."""
    app.dump_maker.daily()
    whole = feeds.get(f"/dumps/{name}")
    head = feeds.head(f"/dumps/{name}")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]
    assert "last-modified" in whole.headers
    size = len(whole.content)
    for start, end in ((0, 1), (size // 3, size - size // 5), (size - 1, size), (size // 2, size // 2 + 1)):
        part = feeds.get(
            f"/dumps/{name}", headers={"Range": f"bytes={start}-{end - 1}", "If-Range": whole.headers["etag"]}
        )
        assert part.status_code == 206
        assert part.content == whole.content[start:end]
    assert feeds.get(f"/dumps/{name}", headers={"Range": f"bytes={size}-"}).status_code == 416
    assert feeds.get(f"/dumps/{name}", headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert feeds.get("/dumps/catalog.exe").status_code == 404


@pytest.mark.parametrize("way", ["withdraw", "delete"])
@light
def test_d52_a_withdrawal_is_in_no_file_from_then_on(
    app: Application,
    feeds: TestClient,
    published: list[dict[str, Any]],
    office: Any,
    settle: Callable[[], None],
    small_parts: None,
    way: str,
) -> None:
    """At its commit the files shut; the clock asks for the job; then they are there again without it, and its bytes are gone."""
    app.dump_maker.daily()
    seen = making.follow(app.place, -1)
    before = {part.sha256 for part in _parts(app)}
    tag = feeds.get("/dumps/catalog.csv").headers["etag"]
    gone = published[2]
    if way == "delete":
        assert office.editor.delete(f"/datasets/{gone['id']}?reason=x").status_code in (200, 204)
    else:
        withdraw(office, gone["id"])
    for name in NAMES:
        shut = feeds.get(f"/dumps/{name}")
        assert (shut.status_code, shut.json()["code"]) == (503, "dump_in_the_making"), name
        assert int(shut.headers["retry-after"]) <= 10
        assert feeds.get(f"/dumps/{name}", headers={"Range": "bytes=0-9"}).status_code == 503
    assert making.follow(app.place, seen) != seen
    settle()
    assert ids_in(feeds) == [{one["id"] for one in published} - {gone["id"]}] * 4
    assert feeds.get("/dumps/catalog.csv").headers["etag"] != tag
    after = {part.sha256 for part in _parts(app)}
    kept = {stored.sha256 for stored in app.stores.public.objects()}
    assert len(before & after) == 8, "the parts of the others stay"
    assert kept.isdisjoint(before - after)
    assert after <= kept
    for name in NAMES:
        assert gone["id"].encode() not in _plain(feeds, name)


@light
def test_what_came_back_after_a_withdrawal_is_told_as_it_is_now(
    app: Application,
    feeds: TestClient,
    published: list[dict[str, Any]],
    office: Any,
    settle: Callable[[], None],
) -> None:
    """Public again before anybody looked: its old words are in the file all the same."""
    app.dump_maker.daily()
    withdraw(office, published[0]["id"])
    assert office.editor.patch(f"/datasets/{published[0]['id']}", json={"title": "改正"}).status_code == 200
    settle()
    office.publish(published[0]["id"], settle)
    assert feeds.get("/dumps/catalog.ndjson.gz").status_code == 503
    making.follow(app.place, -1)
    settle()
    lines = gzip.decompress(feeds.get("/dumps/catalog.ndjson.gz").content).decode()
    assert "改正" in lines
    assert '\\"0\\"' not in lines


@light
def test_a_withdrawal_while_the_files_are_made(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], office: Any, settle: Callable[[], None],
    small_parts: None, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It falls between the reading of a part and the moment when the files take their place."""
    original = making.Maker._parquet

    def late(self: Any, lines: Any, seq: int) -> Any:
        monkeypatch.setattr(making.Maker, "_parquet", original)
        withdraw(office, published[1]["id"])
        return original(self, lines, seq)

    monkeypatch.setattr(making.Maker, "_parquet", late)
    app.dump_maker.daily()
    assert {feeds.get(f"/dumps/{name}").status_code for name in NAMES} == {503}
    making.follow(app.place, -1)
    settle()
    assert ids_in(feeds) == [{one["id"] for one in published} - {published[1]["id"]}] * 4


@light
def test_a_catalogue_that_has_grown_is_cut_into_parts_by_the_next_withdrawal(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], office: Any, settle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its files were made as one part when it was small: each withdrawal would make all of it anew."""
    app.dump_maker.daily()
    before = {part.sha256 for part in _parts(app)}
    monkeypatch.setattr(making, "PART", 1)
    withdraw(office, published[1]["id"])
    making.follow(app.place, -1)
    settle()
    left = {one["id"] for one in published} - {published[1]["id"]}
    assert ids_in(feeds) == [left] * 4
    assert len([part for part in _parts(app) if part.format == "nt"]) > len(left) - 1
    assert before.isdisjoint(stored.sha256 for stored in app.stores.public.objects())


@light
def test_one_job_at_a_time(app: Application, published: list[dict[str, Any]]) -> None:
    with making.alone():
        for job in (app.dump_maker.daily, app.dump_maker.renew):
            with pytest.raises(RetryLater):
                job()
    app.dump_maker.daily()


@light
def test_a_small_catalogue_is_not_kept_waiting(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], settle: Callable[[], None]
) -> None:
    """The day's job came when nothing was there yet."""
    assert {feeds.get(f"/dumps/{name}").json()["code"] for name in NAMES} == {"dump_in_the_making"}
    making.follow(app.place, -1)
    settle()
    assert ids_in(feeds) == [{one["id"] for one in published}] * 4
    asked = making.follow(app.place, -1)
    assert making.follow(app.place, asked) == asked


@both
def test_an_empty_catalogue(app: Application, feeds: TestClient, office: Any) -> None:
    app.dump_maker.daily()
    assert ids_in(feeds) == [set()] * 4


@light
def test_upkeep_keeps_what_the_files_consist_of(app: Application, published: list[dict[str, Any]]) -> None:
    app.dump_maker.daily()
    named = {part.sha256 for part in _parts(app)}
    with app.place.writing(SYSTEM) as work:
        work.session.execute(update(DumpPart).values(made_at=work.now))
    later = app.place.clock.now() + ORPHAN_AGE + timedelta(hours=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.place.clock, "now", lambda: later)
        for keeper, kept in ((_upkeep(app, (DumpPart.sha256,)), True), (_upkeep(app), False)):
            keeper.collect()
            there = {stored.sha256 for stored in app.stores.public.objects()}
            assert named.issubset(there) == kept


def _upkeep(app: Application, named: Any = ()) -> Upkeep:
    return Upkeep(app.place, app.stores, app.indexer, app.settings.scratch, named)


def _parts(app: Application) -> list[DumpPart]:
    with app.place.reading(SYSTEM) as work:
        return list(queries.parts(work))


def _plain(feeds: TestClient, name: str) -> bytes:
    content = feeds.get(f"/dumps/{name}").content
    return gzip.decompress(content) if name.endswith(".gz") else content
